"""The parts of an export: places on the sky, sorting on the disk, nesting, the newest alert, the folder."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from broker._healpix import DEEPEST, pixels
from broker.catalogue._folder import new_folder
from broker.catalogue.healpix import Cell, cells_of, coarser
from broker.catalogue.nested import nested
from broker.catalogue.newest import NewestAlerts
from broker.catalogue.sorting import Sorter
from broker.errors import WrongInputError


def test_cells_are_where_healpix_has_them():
    # The poles, the equator at ra 45 and 0 (Gorski et al. 2005, figure 4): base cells 0, 8, 4 and 4 at the border.
    ra, dec = np.array([10.0, 10.0, 45.0, 1e-9]), np.array([89.9, -89.9, 41.0, 0.0])
    assert coarser(pixels(ra, dec), 0).tolist() == [0, 8, 0, 4]
    near = SkyCoord(ra=[150.0, 150.0], dec=[2.0, 2.0 + 1e-7], unit="deg")
    first, second = pixels(near.ra.deg, near.dec.deg)
    assert first != second
    assert coarser(first, 18) == coarser(second, 18)


@given(st.data())
def test_cells_hold_everything_once_and_are_as_large_as_they_may(data):
    order = data.draw(st.integers(0, 3))
    n = 12 * 4**order
    places = data.draw(st.dictionaries(st.integers(0, n - 1), st.integers(1, 100), max_size=40))
    most = data.draw(st.integers(1, 300))
    weights = np.zeros(n, dtype=np.int64)
    weights[list(places)] = list(places.values())
    cells = cells_of(weights, most)

    def weight(cell):
        shift = 2 * (order - cell.order)
        return weights[cell.pixel << shift : (cell.pixel + 1) << shift].sum()

    spans = [cell.span for cell in cells]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert sum(weight(cell) for cell in cells) == weights.sum()
    for cell in cells:
        assert 0 < weight(cell) <= most or cell.order == order
        assert cell.order == 0 or weight(Cell(cell.order - 1, cell.pixel >> 2)) > most


def test_a_span_is_what_lies_in_a_cell():
    low, high = Cell(3, 100).span
    assert coarser(np.array([low, high - 1, high]), 3).tolist() == [100, 100, 101]
    assert Cell(DEEPEST, 7).span == (7, 8)


@pytest.mark.parametrize("held_bytes", [1, 500, 10**6])
def test_rows_come_back_sorted_whatever_fits_the_memory(tmp_path, held_bytes):
    rng = np.random.default_rng(1)
    rows = pa.table({"key": rng.integers(0, 50, 400), "id": rng.permutation(400), "text": ["a", "bc"] * 200})
    sorter = Sorter(tmp_path / "runs", ["key", "id"], held_bytes)
    for start in range(0, 400, 23):
        sorter.add(rows.slice(start, 23))
    spans = [(0, 5), (5, 6), (20, 40), (48, 60), (70, 80)]
    found = [list(pieces) for pieces in sorter.stretches(spans)]
    sorter.remove()
    assert not (tmp_path / "runs").exists()
    everything = sorted(rows.to_pylist(), key=lambda row: (row["key"], row["id"]))
    for (low, high), pieces in zip(spans, found, strict=True):
        wanted = [row for row in everything if low <= row["key"] < high]
        given_ = [row for piece in pieces for row in piece.to_pylist()]
        assert sorted(given_, key=lambda row: (row["key"], row["id"])) == wanted
        for piece in pieces:
            assert piece.to_pylist() == sorted(piece.to_pylist(), key=lambda row: (row["key"], row["id"]))
    assert max(map(len, found)) == 1 or held_bytes < 10**6


def test_only_wanted_rows_come_back(tmp_path):
    rows = pa.table({"key": pa.array(range(100), pa.int64())})
    sorter = Sorter(tmp_path / "runs", ["key"], 64)
    sorter.add(rows)
    (pieces,) = sorter.stretches([(10, 90)], lambda batch: np.asarray(batch["key"]) % 2 == 0)
    assert sorted(key for piece in pieces for key in piece["key"].to_pylist()) == list(range(10, 90, 2))


def test_lists_of_structures_become_structures_of_lists(annotations):
    rows = annotations.slice(5, 60)
    found = nested(rows)
    assert pa.types.is_list(found.schema.field("lightCurve").type.field("flux").type)
    for name in ("lightCurve", "classifications"):
        assert found.schema.field(name).metadata == rows.schema.field(name).metadata
        for old, new in zip(rows[name].to_pylist(), found[name].to_pylist(), strict=True):
            assert new == {key: [each[key] for each in old] for key in new}
    others = [name for name in rows.column_names if name not in ("lightCurve", "classifications")]
    assert found.select(others).equals(rows.select(others))
    assert nested(rows.slice(0, 0)).schema == found.schema


def test_a_null_list_is_refused():
    kind = pa.list_(pa.struct([("a", pa.int64())]))
    with pytest.raises(ValueError, match="1 of 2 values of column x are null"):
        nested(pa.table({"x": pa.array([None, []], kind)}))


def test_the_newest_alert_of_each_object_is_chosen(annotations, monkeypatch):
    monkeypatch.setattr("broker.catalogue.newest.ROWS_AT_ONCE", 60)
    newest, best = NewestAlerts(), {}
    for start in range(0, annotations.num_rows, 25):
        newest.add(annotations.slice(start, 25))
    for row in annotations.select(["survey", "objectId", "mjdTai", "alertId", "diaSourceId"]).to_pylist():
        an_object = row["survey"], row["objectId"] or row["diaSourceId"]
        rank = row["mjdTai"], row["alertId"], row["diaSourceId"]
        best[an_object] = max(best.get(an_object, rank), rank)
    chosen = newest.chosen().among(annotations)
    assert sorted(annotations["alertId"].filter(pa.array(chosen)).to_pylist()) == sorted(r[1] for r in best.values())
    assert len(best) < annotations.num_rows


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    class FailedError(Exception):
        pass

    def fail():
        with new_folder(tmp_path / "made") as folder:
            (folder / "half").touch()
            raise FailedError

    (tmp_path / ".made.part").mkdir()
    (tmp_path / ".made.part" / "left by a killed writer").touch()
    with pytest.raises(FailedError):
        fail()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "made").mkdir()
    with new_folder(tmp_path / "made") as folder:
        (folder / "whole").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "whole"]
    with pytest.raises(WrongInputError, match="made exists already"), new_folder(tmp_path / "made"):
        pass
