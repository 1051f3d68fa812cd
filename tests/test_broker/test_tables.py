"""The contract of every kind of annotation table: each micro-batch in it once, whatever dies in between."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker.errors import TableError
from broker.run_directory import RunDirectory
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import TableBatch
from schemas.annotation import DELIVERED_TO

STREAM = "0123abcd"


@pytest.fixture(scope="module")
def annotations(outcomes):
    """Some annotations of several nights, with deliveries."""
    rows = pa.concat_tables([outcome.annotations for outcome in outcomes]).slice(8, 12)
    delivered = [["all", "few"][: k % 3] for k in range(rows.num_rows)]
    return rows.append_column(DELIVERED_TO, pa.array(delivered, DELIVERED_TO.type))


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path)
    run.annotations.mkdir()
    return run


@pytest.fixture(params=["parquet", "delta"])
def reopened(request, run):
    """Open the table, as a process does when it starts."""

    def opened():
        if request.param == "parquet":
            return ParquetAnnotations(run)
        from broker.tables.delta import DeltaAnnotations

        return DeltaAnnotations(run.annotations)

    return opened


def batch(annotations, number, stream=STREAM):
    """The rows as those of one micro-batch: no other has their ids."""
    ids = pa.array(range(number * 1000, number * 1000 + annotations.num_rows), pa.int64())
    index = annotations.schema.get_field_index("alertId")
    numbered = annotations.set_column(index, annotations.schema.field(index), ids)
    return TableBatch(stream, number, numbered, {"batch": number})


def everything(table, columns):
    return pa.concat_tables(table.rows(columns)).sort_by("alertId")


def ids(table):
    return sorted(number for piece in table.rows(["alertId"]) for number in piece["alertId"].to_pylist())


def ids_of(annotations, *numbers):
    return [number * 1000 + k for number in numbers for k in range(annotations.num_rows)]


def test_one_that_nothing_was_written_to_is_empty(reopened):
    table = reopened()
    assert (list(table.rows(["alertId"])), list(table.nights()), table.after(STREAM, -1)) == ([], [], ())
    table.discard_uncommitted({})


def test_rows_come_back_as_they_were(reopened, annotations):
    reopened().write(batch(annotations, 0))
    names = annotations.column_names
    found, wanted = everything(reopened(), names), batch(annotations, 0).annotations
    assert (found.column_names, found.schema.types) == (names, wanted.schema.types)
    assert found.to_pylist() == wanted.to_pylist()
    same = [name for name in names if name != "night"]  # Parquet has that one as the name of a folder
    assert all(found.schema.field(name).metadata == wanted.schema.field(name).metadata for name in same)


def test_written_again_by_this_or_another_process_it_is_there_once(reopened, annotations):
    table = reopened()
    for number in (0, 1, 1):
        table.write(batch(annotations, number))
    reopened().write(batch(annotations, 1))
    assert ids(table) == ids(reopened()) == ids_of(annotations, 0, 1)


def test_streams_do_not_overwrite_each_other(reopened, annotations):
    reopened().write(batch(annotations.slice(0, 2), 0))
    moved = batch(annotations.slice(0, 2), 1).annotations
    reopened().write(TableBatch("4567cdef", 0, moved, {}))
    assert ids(reopened()) == ids_of(annotations.slice(0, 2), 0, 1)


def test_a_batch_without_rows_leaves_nothing_to_read(reopened, annotations):
    table = reopened()
    table.write(TableBatch(STREAM, 0, annotations.slice(0, 0), {}))
    table.write(batch(annotations, 1))
    assert ids(reopened()) == ids_of(annotations, 1)


def test_rows_are_given_by_night_and_only_those_asked_for(reopened, annotations):
    table = reopened()
    table.write(batch(annotations, 0))
    nights = sorted(set(annotations["night"].to_pylist()))
    assert len(nights) > 2
    assert list(table.nights()) == nights
    for some in ([nights[0]], nights[1:]):
        found = pa.concat_tables(table.rows(["night", "deliveredTo"], some))
        assert found.column_names == ["night", "deliveredTo"]
        wanted = annotations.filter(pc.is_in(annotations["night"], pa.array(some, pa.int32())))
        assert sorted(map(str, found.to_pylist())) == sorted(
            map(str, wanted.select(["night", "deliveredTo"]).to_pylist())
        )
    assert list(table.rows(["night"], [])) == list(table.rows(["night"], [18581117])) == []


def test_rows_of_an_older_shape_are_still_read(reopened, annotations):
    table = reopened()
    table.write(batch(annotations, 0))
    wider = annotations.append_column(pa.field("brandNew", pa.float32()), pa.nulls(annotations.num_rows, pa.float32()))
    table.write(batch(wider, 1))
    table.write(batch(annotations, 2))
    assert ids(reopened()) == ids_of(annotations, 0, 1, 2)


def test_what_can_not_be_written_is_told(reopened, run, annotations):
    run.annotations.rmdir()
    run.annotations.write_text("a file where the folder should be")
    with pytest.raises(TableError, match=r"annotation table .*annotations can't be (written|read)"):
        reopened().write(batch(annotations, 0))


def test_parts_of_parquet_that_the_ledger_has_not_got_are_gone_after_a_start(run, annotations):
    table = ParquetAnnotations(run)
    for number in (0, 1):
        table.write(batch(annotations, number))
    run.discard_uncommitted({STREAM: 0})
    table.discard_uncommitted({STREAM: 0})
    assert ids(table) == ids_of(annotations, 0)


def test_of_a_night_s_parquet_that_is_being_written_nothing_is_seen(run, annotations, monkeypatch):
    class KilledError(Exception):
        pass

    replace, left = Path.replace, [1]

    def dies(path, target):
        if not left[0]:
            raise KilledError
        left[0] -= 1
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", dies)
    table = ParquetAnnotations(run)
    with pytest.raises(KilledError):
        table.write(batch(annotations, 0))
    nights = sorted(set(annotations["night"].to_pylist()))
    assert list(table.nights()) == nights[:1]
    assert len(ids(table)) == annotations["night"].to_pylist().count(nights[0])
    left[0] = len(nights)
    table.write(batch(annotations, 0))
    assert ids(table) == ids_of(annotations, 0)
    assert not [name for _, _, names in os.walk(run.annotations) for name in names if name.startswith(".")]


def test_no_more_than_a_file_is_read_at_once(run, annotations):
    table = ParquetAnnotations(run)
    for number in (0, 1):
        table.write(batch(annotations, number))
    files = sorted(run.annotations.rglob("*.parquet"))
    pieces = [piece.num_rows for piece in table.rows(["alertId"])]
    assert (len(pieces), sum(pieces)) == (len(files), 2 * annotations.num_rows)
