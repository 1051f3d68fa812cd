"""Fixtures of the backtest's tests: a run of real packets that is driven without Spark."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from broker.commit import Committer, Settings
from broker.filters.definition import Filter
from broker.harvest import Harvest
from broker.pipeline import Outcome
from broker.run_directory import RunDirectory
from broker.tables.delta import DeltaAnnotations
from broker.tables.table import AnnotationTable

Commit = Callable[..., Committer]


@pytest.fixture(scope="session")
def commit_all() -> Commit:
    """Have a committer write micro-batches into a new run, as the stream's driver does."""

    def make(path: Path, outcomes: list[Outcome], filters: tuple[Filter, ...], *, delta: bool = False) -> Committer:
        run = RunDirectory(path)
        table: AnnotationTable | None = DeltaAnnotations(run.annotations) if delta else None
        committer = Committer(run, filters, Settings(table, files=False))
        for number, outcome in enumerate(outcomes):
            committer.commit(number, Harvest(outcome))
        return committer

    return make


@pytest.fixture(scope="session")
def deliveries() -> Callable[[Committer], dict[str, set[tuple[str, int, int]]]]:
    """Which alerts the table of a run says that each filter was sent."""

    def read(committer: Committer) -> dict[str, set[tuple[str, int, int]]]:
        sent: dict[str, set[tuple[str, int, int]]] = {each.name: set() for each in committer.filters}
        columns = ["survey", "alertId", "diaSourceId", "deliveredTo"]
        for row in pa.concat_tables(committer.table.rows(columns)).to_pylist():
            for name in row["deliveredTo"]:
                sent[name].add((row["survey"], row["alertId"], row["diaSourceId"]))
        return sent

    return read
