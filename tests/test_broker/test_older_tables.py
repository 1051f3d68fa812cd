"""A run goes on over the table of a version that knew less: columns are added, and null in the rows that are there."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker.commit import Committer, Settings
from broker.harvest import Harvest
from broker.run_directory import RunDirectory
from broker.stored_alerts import LATER
from broker.tables.dataset import annotations_at
from broker.tables.parquet import ParquetAnnotations


@pytest.fixture(params=["parquet", "delta"])
def started(request, tmp_path):
    """Start a run into the directory, as a process does."""
    run = RunDirectory(tmp_path / "out")

    def start():
        if request.param == "parquet":
            return Committer(run, (), Settings(table=ParquetAnnotations(run)))
        from broker.tables.delta import DeltaAnnotations

        return Committer(run, (), Settings(table=DeltaAnnotations(run.annotations)))

    return start


def older(outcome):
    return Harvest(replace(outcome, annotations=outcome.annotations.drop_columns(sorted(LATER))))


def test_visits_are_null_in_older_rows_and_nothing_comes_twice(started, outcomes, tmp_path):
    first, second, third = outcomes
    started().commit(0, older(first))
    committer = started()
    committer.commit(1, Harvest(second))
    committer.commit(2, Harvest(third))  # with an alert of the first
    assert committer.ledger.total.duplicates == 1
    table = annotations_at(tmp_path / "out").dataset.to_table(columns=["alertId", "survey", "visit", "detector"])
    assert table.num_rows == committer.ledger.total.annotated
    known = pc.and_(pc.equal(table["survey"], "lsst"), pc.invert(pc.is_in(table["alertId"], _ids(first))))
    for name in LATER:
        assert table.filter(known)[name].null_count == 0
        assert table.filter(pc.invert(known))[name].null_count == table.num_rows - pc.sum(known).as_py()
    assert 0 < pc.sum(known).as_py() < table.num_rows


def _ids(outcome):
    return pa.array(outcome.annotations["alertId"].to_pylist())
