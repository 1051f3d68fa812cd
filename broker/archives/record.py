"""The manifest of a reprocessing: what was read, with what, and what became of it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

from broker._atomic import write_text
from broker.annotate import broker_version
from broker.archives.found import Input
from broker.archives.input_list import InputList, input_list_of
from broker.archives.listing import Listed
from broker.commit import Batch, Committer
from broker.config import Config
from broker.filters.definition import Filter
from broker.service import Model
from classifiers.bundle import check_bundle
from features.extract import code_hash

FORMAT = 1

EVERY_SECONDS = 10.0
"""A manifest of thousands of inputs isn't written after every micro-batch."""

COUNTS = ("received", "annotated", "duplicates", "deadLettered")


class Record(AbstractContextManager["Record"]):
    """Keeps the manifest of a run true: at its start, while it works, and when it ends, however it does.

    Parameters
    ----------
    config, model : of the run.
    committer : of the run; knows the books, and the filters as they are now.
    """

    def __init__(self, config: Config, model: Model, committer: Committer) -> None:
        self._committer, self._written = committer, 0.0
        self._inputs = input_list_of(committer.run)
        bundle = check_bundle(model.path)
        self._facts = {
            "format": FORMAT,
            "code": {"version": broker_version(), "featuresSha256": code_hash()},
            "bundle": {"name": bundle.name, "version": bundle.version, "sha256": model.sha256},
            "shadow": {"sha256": model.shadow.sha256, "fraction": model.shadow.fraction} if model.shadow else None,
            "parameters": config.model_dump(mode="json", exclude_none=True),
        }
        self._earlier = _earlier(committer.run.manifest, self._facts)

    def after(self, on_batch: Callable[[Batch], None]) -> Callable[[Batch], None]:
        """The same, and the manifest is brought up to date now and then."""

        def told(batch: Batch) -> None:
            if time.monotonic() - self._written > EVERY_SECONDS:
                self._write()
            on_batch(batch)

        return told

    def __enter__(self) -> Self:
        self._write()
        return self

    def __exit__(self, *_: object) -> None:
        self._write()

    def _write(self) -> None:
        committer, total = self._committer, self._committer.ledger.total
        found = {
            **self._facts,
            "filters": [_filter(each) for each in committer.filters],
            **{name: total.to_json()[name] for name in COUNTS},
            "inputs": input_records(self._inputs, total.inputs),
            "earlier": self._earlier,
        }
        write_text(committer.run.manifest, json.dumps(found, indent=2) + "\n")
        self._written = time.monotonic()


def _earlier(manifest: Path, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """With what the directory was written to before, where that was something else; the last of it as it ended."""
    if not manifest.exists():
        return []
    found = json.loads(manifest.read_text(encoding="utf-8"))
    before: list[dict[str, Any]] = found["earlier"]
    if all(found.get(name) == facts[name] for name in facts):
        return before
    return [*before, {name: found.get(name) for name in (*facts, "filters", *COUNTS)}]


def input_records(given: InputList, counts: Mapping[str, Counter[str]]) -> list[dict[str, Any]]:
    """What is known of each input, and what became of its alerts.

    Parameters
    ----------
    given : the inputs.
    counts : of the ledger, by label.
    """
    return [_input(each, given.listed.get(each.label), counts.get(each.label, {})) for each in given.inputs]


def _input(given: Input, listed: Listed | None, counts: Mapping[str, int]) -> dict[str, Any]:
    known = {"label": given.label, "path": given.path, "status": _status(listed, counts)}
    if listed is None:
        return known
    return {
        **known,
        "kinds": listed.kinds,
        "bytes": listed.size,
        "sha256": listed.sha256,
        "packets": listed.packets,
        "skipped": listed.skipped,
        "unsafeNames": listed.unsafe,
        "faults": listed.faults,
        "portions": listed.portions,
        "portionsRead": counts.get("portions", 0),
        **{name: counts.get(name, 0) for name in COUNTS},
    }


def _status(listed: Listed | None, counts: Mapping[str, int]) -> str:
    """How far an input is: waiting, listed, reading, then done, or damaged where not all of it could be read."""
    if listed is None:
        return "waiting"
    read = counts.get("portions", 0)
    if read >= listed.portions:
        return "damaged" if listed.faults else "done"
    return "reading" if read else "listed"


def _filter(wanted: Filter) -> dict[str, str]:
    return {"name": wanted.name, "version": wanted.version, "sha256": wanted.sha256}
