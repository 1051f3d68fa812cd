"""The annotation table that a run left behind, found by whatever names it."""

import json

import pyarrow as pa
import pytest

from broker.errors import TableError, WrongInputError
from broker.run_directory import RunDirectory
from broker.tables.dataset import annotations_at
from broker.tables.delta import DeltaAnnotations
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import TableBatch


@pytest.fixture(scope="module")
def annotations(outcomes):
    return pa.concat_tables([outcome.annotations for outcome in outcomes])


def everything(found):
    pieces = [
        found.read(each, found.dataset.schema.names) for some in found.fragments_by_night().values() for each in some
    ]
    return pa.concat_tables(pieces).sort_by("alertId")


def config(folder, table):
    """A configuration file beside its results."""
    (folder / "in").mkdir()
    file = folder / "run.yaml"
    file.write_text(json.dumps({"source": {"kind": "directory", "path": "in"}, "to": "out", "table": table}))
    return file


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_rows_come_back_as_they_were_by_each_name_of_the_table(tmp_path, annotations, kind):
    run = RunDirectory(tmp_path / "out")
    table = ParquetAnnotations(run) if kind == "parquet" else DeltaAnnotations(run.annotations)
    table.write(TableBatch("0123abcd", 0, annotations, {}))
    for where in (run.path, run.annotations, config(tmp_path, {"kind": kind})):
        found = annotations_at(where)
        assert found.dataset.schema.names == annotations.column_names
        assert everything(found).to_pylist() == annotations.sort_by("alertId").to_pylist()
        assert list(found.fragments_by_night()) == sorted(set(annotations["night"].to_pylist()))
        assert (found.run is None) == (where == run.annotations)


def test_a_delta_table_may_lie_elsewhere(tmp_path, annotations):
    DeltaAnnotations(tmp_path / "elsewhere").write(TableBatch("0123abcd", 0, annotations, {}))
    found = annotations_at(config(tmp_path, {"kind": "delta", "path": str(tmp_path / "elsewhere")}))
    assert found.dataset.count_rows() == annotations.num_rows


def test_files_of_another_shape_have_nulls_for_what_they_lack(tmp_path, annotations):
    run = RunDirectory(tmp_path)
    wider = annotations.append_column(
        pa.field("brandNew", pa.float32()), pa.array([1.0] * annotations.num_rows, pa.float32())
    )
    for number, rows in enumerate((annotations, wider, annotations)):
        ParquetAnnotations(run).write(TableBatch("0123abcd", number, rows, {}))
    values = everything(annotations_at(tmp_path))["brandNew"]
    assert (len(values), values.null_count) == (3 * annotations.num_rows, 2 * annotations.num_rows)


def test_what_is_written_later_is_not_seen(tmp_path, annotations):
    table = ParquetAnnotations(RunDirectory(tmp_path))
    table.write(TableBatch("0123abcd", 0, annotations, {}))
    found = annotations_at(tmp_path)
    table.write(TableBatch("0123abcd", 1, annotations, {}))
    assert everything(found).num_rows == annotations.num_rows


def test_files_that_contradict_each_other_are_told(tmp_path, annotations):
    run, index = RunDirectory(tmp_path), annotations.schema.get_field_index("snr")
    other = annotations.set_column(index, "snr", pa.array(["much"] * annotations.num_rows))
    for number, rows in enumerate((annotations, other)):
        ParquetAnnotations(run).write(TableBatch("0123abcd", number, rows, {}))
    with pytest.raises(TableError, match="can't be read"):
        annotations_at(tmp_path)


@pytest.mark.parametrize("where", ["nowhere", "", "in"])
def test_where_there_is_none_it_says_what_to_give(tmp_path, where):
    (tmp_path / "in").mkdir()
    with pytest.raises(WrongInputError, match="give the results of a run, its configuration, or the table itself"):
        annotations_at(tmp_path / where)
