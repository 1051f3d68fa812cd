"""A run's annotation table, of real alerts and of more made from them, of either kind."""

import json

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from broker.commands import export as command
from broker.run_directory import RunDirectory
from broker.tables.delta import DeltaAnnotations
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import TableBatch
from schemas.annotation import DELIVERED_TO

COPIES = 5


def with_columns(rows, **values):
    for name, column in values.items():
        index = rows.schema.get_field_index(name)
        field = rows.schema.field(index)
        rows = rows.set_column(index, field, pa.array(column, field.type))
    return rows


@pytest.fixture(scope="session")
def annotations(outcomes):
    """Each real alert and copies of it all over the sky, with ids up to 2**63; three alerts an object, some without."""
    rows = pa.concat_tables([outcome.annotations for outcome in outcomes])
    rows = pa.concat_tables([rows] * COPIES)
    rng, n = np.random.default_rng(3), rows.num_rows
    ids = np.arange(n, dtype=np.int64) + (2**63 - 1 - n)
    objects = [None if k % 10 == 0 else f"object {k // 3}" for k in range(n)]
    placed = with_columns(
        rows, alertId=ids, diaSourceId=ids[::-1], objectId=objects,
        ra=rng.uniform(0, 360, n), dec=np.rad2deg(np.arcsin(rng.uniform(-1, 1, n))),
        mjdTai=60000 + rng.integers(0, 40, n), night=20230301 + rng.integers(0, 3, n),
    )  # fmt: skip
    return placed.append_column(DELIVERED_TO, placed["matchedFilters"])


def results(table, found, annotations):
    for number, start in enumerate(range(0, annotations.num_rows, 50)):
        table.write(TableBatch("0123abcd", number, annotations.slice(start, 50), {}))
    return found.path


@pytest.fixture(scope="session")
def run(annotations, tmp_path_factory):
    """The results of a run that holds these annotations, as Parquet."""
    found = RunDirectory(tmp_path_factory.mktemp("parquet"))
    return results(ParquetAnnotations(found), found, annotations)


@pytest.fixture(scope="session")
def delta_run(annotations, tmp_path_factory):
    """The same as a Delta table."""
    found = RunDirectory(tmp_path_factory.mktemp("delta"))
    return results(DeltaAnnotations(found.annotations), found, annotations)


class Exporter:
    """`boreal export` as a person calls it."""

    def __call__(self, *arguments):
        return CliRunner().invoke(command.app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})

    def told(self, *arguments):
        """What it tells, where it succeeds."""
        done = self(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def boreal_export():
    return Exporter()
