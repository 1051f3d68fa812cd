"""The visits of dead letters, as far as their bytes tell them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from broker.deadletter import waiting
from broker.run_directory import RunDirectory
from schemas.decode import decode
from schemas.packets import PACKETS
from schemas.registry import BundledRegistry

ROWS_AT_ONCE = 256


@dataclass
class DeadLetters:
    """Packets in the dead-letter that were not replayed.

    Parameters
    ----------
    visits : how many, by survey and visit, of those that can be read but couldn't be annotated.
    unknown : how many can't be read, or are of alerts that don't tell their visit.
    """

    visits: Counter[tuple[str, int]] = field(default_factory=Counter)
    unknown: int = 0


def dead_letters(run: RunDirectory) -> DeadLetters:
    """Count what waits in the dead-letter, by the visits that its packets tell."""
    found = DeadLetters()
    for letters in waiting(run, PACKETS.names):
        for start in range(0, letters.num_rows, ROWS_AT_ONCE):
            _count(letters.slice(start, ROWS_AT_ONCE), found)
    return found


def _count(letters: pa.Table, found: DeadLetters) -> None:
    alerts = decode(letters.cast(PACKETS), BundledRegistry()).alerts.table.select(["survey", "visit"])
    numbered = alerts.filter(pc.is_valid(alerts["visit"]))
    found.visits.update(_pairs(numbered))
    found.unknown += max(0, letters.num_rows - numbered.num_rows)


def _pairs(alerts: pa.Table) -> Iterable[tuple[str, int]]:
    return zip(alerts["survey"].to_pylist(), alerts["visit"].to_pylist(), strict=True)
