"""What a program is told while the job runs, and when it ends: log lines in place of `broker.progress`."""

import logging
import re
from typing import Any

from broker.books.ledger import Entry, Ledger
from broker.books.reasons import kind_of
from broker.commit import Batch
from broker.filters.watch import Change
from broker.logs import FIELDS

LOG = logging.getLogger(__name__)

LONGEST_REASON = 500
"""Characters; the dead-letter has all of them."""

_NAMED = re.compile(r"\(survey (?P<survey>\w+), alert (?P<alert>-?\d+)\)$|^(?P<of>[a-z]+) [\w.]{1,20} alert: ")

_COUNTS = ("received", "annotated", "duplicates", "deadLettered")
_IF_ANY = ("deliveries", "cut", "filterErrors", "undeliverable", "rejectStages")


class LogProgress:
    """A line for each micro-batch, for each dead letter and for each change of the filters."""

    def start(self, before: Ledger) -> None:
        """Say what earlier runs into the same directory did, and that Spark is starting."""
        _tell("starting Spark", _counts(before.total))

    def listing(self, done: int, of: int) -> None:
        """Say that the archives were looked through."""
        if done == of:
            _tell("archives looked through", {"archives": of})

    def batch(self, batch: Batch) -> None:
        """Tell the counts of a micro-batch, and each of its dead letters."""
        counts = {"batch": batch.number, "seconds": round(batch.seconds, 3), **_counts(batch.entry)}
        _tell(f"micro-batch {batch.number} is done", counts)
        for reject in batch.rejects.select(["origin", "stage", "reason"]).to_pylist():
            LOG.warning("dead letter", extra={FIELDS: letter(**reject)})

    def filters(self, change: Change) -> None:
        """Tell which filters are new, changed or gone, and what is wrong with those that were refused."""
        for what, names in (("new", change.added), ("changed", change.changed), ("gone", change.removed)):
            for name in names:
                _tell(f"filter {what}", {"filter": name})
        for finding in change.findings:
            LOG.warning("filter not taken: %s", finding, extra={FIELDS: {"file": finding.file, "line": finding.line}})

    def stop(self) -> None:
        """There is no status line to take away."""

    def close(self, ledger: Ledger) -> None:
        """Tell the books."""
        _tell("the run has ended", _counts(ledger.total))


def letter(origin: str, stage: str, reason: str) -> dict[str, Any]:
    """The fields of a dead letter; survey and alert where its reason tells them."""
    named = _NAMED.search(reason)
    survey = (named["survey"] or named["of"]) if named else None
    alert = int(named["alert"]) if named and named["alert"] else None
    fields = {"origin": origin, "stage": stage, "kind": kind_of(reason), "reason": reason[:LONGEST_REASON]}
    return {**({"survey": survey} if survey else {}), **({"alertId": alert} if alert is not None else {}), **fields}


def _tell(what: str, fields: dict[str, Any]) -> None:
    LOG.info(what, extra={FIELDS: fields})


def _counts(entry: Entry) -> dict[str, Any]:
    counts = entry.to_json()
    return {name: counts[name] for name in _COUNTS} | {name: counts[name] for name in _IF_ANY if counts[name]}
