"""What metrics remember from one start of a run to the next; to lose it harms nobody."""

import json
import logging
from pathlib import Path
from typing import Any

from broker._atomic import write_text
from broker.metrics.state import State

LOG = logging.getLogger(__name__)

FORMAT = 1


def restore(state: State) -> None:
    """Have the tallies go on from an earlier run's; what can't be read is forgotten."""
    remembered = _read(state.run.metrics)
    for tally in state.tallies:
        if tally.name and tally.name in remembered:
            try:
                tally.restore(remembered[tally.name])
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                LOG.warning("%s of %s can't be used and begins anew: %r", tally.name, state.run.metrics, error)


def save(state: State) -> None:
    """Write down what the tallies want to be remembered."""
    tallies = {tally.name: tally.to_json() for tally in state.tallies if tally.name}
    try:
        write_text(state.run.metrics, json.dumps({"format": FORMAT, **tallies}) + "\n")
    except OSError as error:  # the run itself tells of a full disk
        LOG.warning("what metrics remember can't be written: %s", error)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        LOG.warning("%s can't be read and begins anew: %s", path, error)
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}
