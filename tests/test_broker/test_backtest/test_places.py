"""What --over takes: tables in every form, and packets."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker.backtest.passed import find_passing
from broker.backtest.places import alerts_of
from broker.backtest.table_alerts import TableAlerts
from broker.catalogue.nested import nested
from broker.errors import WrongInputError
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.tables import _file
from schemas.annotation import IDENTITY


@pytest.fixture(scope="module")
def rows(outcomes):
    """Annotations of real packets."""
    return pa.concat_tables([outcome.annotations for outcome in outcomes])


def wanted(condition, schema):
    term = check_condition(condition, schema).term
    assert term
    return Filter("wanted", "me", condition, term)


def tried(place, condition, schema):
    return find_passing(alerts_of([str(place)], pytest.fail), [wanted(condition, schema)])


def ids(passed):
    return sorted(passed.rows["alertId"].to_pylist())


def test_every_form_of_a_table_gives_the_same(rows, commit_all, outcomes, filters, tmp_path):
    commit_all(tmp_path / "parquet", outcomes, filters)
    commit_all(tmp_path / "delta", outcomes, filters, delta=True)
    pq.write_table(rows, tmp_path / "whole.parquet")
    (tmp_path / "folder" / "deeper").mkdir(parents=True)
    pq.write_table(rows.drop_columns("night").slice(0, 9), tmp_path / "folder" / "one.parquet")
    pq.write_table(rows.drop_columns("night").slice(9), tmp_path / "folder" / "deeper" / "two.parquet")
    (tmp_path / "folder" / ".unfinished.parquet").write_bytes(b"")
    expected = sorted(
        {row["alertId"] for row in rows.select(["alertId", "night", "snr"]).to_pylist()
         if row["night"] == 20260309 and row["snr"] > 15}
    )  # fmt: skip
    assert len(expected) > 5
    for place in (
        "parquet", "parquet/annotations", "parquet/annotations/night=*/*.parquet", "delta", "delta/annotations",
        "whole.parquet", "folder", "folder/**/*.parquet",
    ):  # fmt: skip
        passed = tried(tmp_path / place, "night = 20260309 AND snr > 15", rows.schema)
        assert ids(passed) == expected, place
        assert passed.read.nights[20260309] == 12
        assert passed.read.alerts == 29


def test_only_what_is_asked_for_is_read(rows, tmp_path):
    pq.write_table(rows, tmp_path / "whole.parquet")
    (source,) = alerts_of([str(tmp_path / "whole.parquet")], pytest.fail)
    (piece,) = source.pieces(["alertId", "mjdTai"])
    assert set(piece.rows.column_names) == {"alertId", "mjdTai", "night"}
    assert source.total == rows.num_rows


def test_large_files_are_read_in_pieces_and_small_ones_together(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("broker.backtest.table_alerts.ROWS_AT_ONCE", 12)
    few = rows.select(["survey", "alertId", "diaSourceId", "objectId", "mjdTai", "origin", "classId", "className"])
    for number, (count, at_once) in enumerate([(30, 12), (4, 12), (5, 12), (2, 12), (30, 20)]):
        part = few.take(pa.array(np.arange(count) % few.num_rows))
        pq.write_table(part, tmp_path / f"{number}.parquet", row_group_size=at_once)
    (source,) = alerts_of([str(tmp_path)], pytest.fail)
    sizes = [piece.rows.num_rows for piece in source.pieces(["mjdTai"])]
    assert sizes == [12, 12, 10, 7, 20, 10]
    again = {piece.number: piece.rows for piece in source.pieces(["mjdTai"], {1, 3})}
    assert {number: table.num_rows for number, table in again.items()} == {1: 12, 3: 7}
    assert _file.ROWS_AT_ONCE > 12


def test_a_catalogue_with_nested_light_curves_is_read_like_the_table(rows, tmp_path):
    schema = rows.schema
    pq.write_table(rows, tmp_path / "plain.parquet")
    pq.write_table(nested(rows), tmp_path / "nested.parquet")
    columns = ["alertId", "mjdTai", "classifications", "lightCurve"]
    plain, turned = (
        next(iter(alerts_of([str(tmp_path / f"{name}.parquet")], pytest.fail)[0].pieces(columns))).rows
        for name in ("plain", "nested")
    )
    assert turned.to_pylist() == plain.to_pylist()
    assert ids(tried(tmp_path / "nested.parquet", "detections_within(30) > 5", schema)) == ids(
        tried(tmp_path / "plain.parquet", "detections_within(30) > 5", schema)
    )


def test_a_column_that_some_files_lack_is_unknown_there(rows, tmp_path):
    pq.write_table(rows.slice(0, 5), tmp_path / "a.parquet")
    pq.write_table(rows.slice(5).drop_columns("snr"), tmp_path / "b.parquet")
    assert tried(tmp_path, "snr IS NOT NULL", rows.schema).rows.num_rows == 5
    assert (
        tried(tmp_path, "snr IS NULL", rows.schema).rows.num_rows
        == rows.num_rows - 5 - tried(tmp_path, "TRUE", rows.schema).read.duplicates
    )


def test_a_column_that_no_file_has_is_told(rows, tmp_path):
    pq.write_table(rows.drop_columns("pSNIa"), tmp_path / "a.parquet")
    with pytest.raises(WrongInputError, match="no column 'pSNIa', which the filter wanted uses"):
        tried(tmp_path, "pSNIa > 0.1", rows.schema)


def test_what_is_no_annotation_table_is_told(tmp_path):
    pq.write_table(pa.table({"payload": [b"1"]}), tmp_path / "packets.parquet")
    with pytest.raises(WrongInputError, match="is no annotation table: it has no column survey"):
        alerts_of([str(tmp_path)], pytest.fail)
    (tmp_path / "empty").mkdir()
    with pytest.raises(WrongInputError, match="there is no file at"):
        alerts_of([str(tmp_path / "empty")], pytest.fail)
    with pytest.raises(WrongInputError, match="there is no Delta table at"):
        alerts_of([(tmp_path / "empty").as_uri()], pytest.fail)


def test_an_archive_is_read_like_its_packets(data_dir, bundle, tmp_path):
    schema = pa.schema(IDENTITY)
    archive = data_dir / "archives" / "ztf_public_20181129_sample.tar.gz"
    (tmp_path / "unpacked").mkdir()
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    found = [
        find_passing(alerts_of([str(place)], lambda: bundle), [wanted("survey = 'ztf'", schema)])
        for place in (archive, tmp_path / "unpacked")
    ]
    assert ids(found[0]) == ids(found[1])
    assert found[0].read.alerts == 3


def test_a_table_knows_its_name(rows, tmp_path):
    pq.write_table(rows, tmp_path / "a.parquet")
    (source,) = alerts_of([str(tmp_path / "a.parquet")], pytest.fail)
    assert isinstance(source, TableAlerts)
    assert source.name == str(tmp_path / "a.parquet")
