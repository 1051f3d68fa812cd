from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas._light_curves import merge
from schemas._visits import VISIT_SECONDS
from schemas.survey import RawPoints

SECOND = 1 / 86400

PointRow = tuple[int, float | None, float | None, float | None, int, bool, int]
"""Owner, MJD TAI, flux, flux error, band index, forced, visit."""


def raw_points(rows: Sequence[PointRow], *, visits: bool) -> RawPoints:
    """Measurements given one row each, as arrays; `visits` says whether the rows carry visit numbers."""
    owner, mjd, flux, flux_err, band, forced, visit = zip(*rows, strict=True) if rows else ((),) * 7
    return RawPoints(
        owner=np.array(owner, dtype=np.int64),
        mjd=np.array(mjd, dtype=np.float64),  # None becomes NaN
        flux=np.array(flux, dtype=np.float64),
        flux_err=np.array(flux_err, dtype=np.float64),
        band=np.array(band, dtype=np.int64),
        forced=np.array(forced, dtype=np.bool_),
        visit=np.array(visit, dtype=np.int64) if visits else None,
    )


def curve(*rows: PointRow, visits: bool = True) -> tuple[list[tuple[float, float, float, int, bool]], int]:
    curves, n_dropped = merge(raw_points(list(rows), visits=visits), 1)
    points = zip(curves.mjd, curves.flux, curves.flux_err, curves.band, curves.detected, strict=True)
    return [(float(m), float(f), float(e), int(b), bool(d)) for m, f, e, b, d in points], int(n_dropped[0])


def source(mjd: float | None, flux: float | None, visit: int = 1, err: float | None = 1.0, band: int = 2) -> PointRow:
    return 0, mjd, flux, err, band, False, visit


def forced(mjd: float | None, flux: float | None, visit: int = 1, err: float | None = 1.0, band: int = 2) -> PointRow:
    return 0, mjd, flux, err, band, True, visit


def test_points_are_sorted_by_time() -> None:
    points, _ = curve(source(3.0, 30.0, 3), forced(1.0, 10.0, 1), source(2.0, 20.0, 2))
    assert [(mjd, detected) for mjd, *_, detected in points] == [(1.0, False), (2.0, True), (3.0, True)]


def test_a_flux_of_0_is_a_measurement() -> None:
    assert curve(source(1.0, -0.0)) == ([(1.0, 0.0, 1.0, 2, True)], 0)


def test_forced_photometry_wins_and_the_visit_counts_as_detected() -> None:
    assert curve(source(1.0, 10.0), forced(1.0, 11.0)) == ([(1.0, 11.0, 1.0, 2, True)], 0)


@pytest.mark.parametrize("bad", [(None, 1.0), (np.nan, 1.0), (11.0, None), (11.0, np.inf), (11.0, 0.0), (11.0, -1.0)])
def test_an_unusable_forced_row_gives_way_to_the_source_and_is_counted(bad: tuple[Any, Any]) -> None:
    flux, err = bad
    assert curve(source(1.0, 10.0), forced(1.0, flux, err=err)) == ([(1.0, 10.0, 1.0, 2, True)], 1)


def test_a_source_without_a_flux_still_marks_its_visit_as_detected() -> None:
    assert curve(source(1.0, None), forced(1.0, 11.0)) == ([(1.0, 11.0, 1.0, 2, True)], 1)


@pytest.mark.parametrize(
    "row",
    [
        source(None, 1.0),
        source(np.inf, 1.0),
        source(1e300, 1.0),
        source(-1.0, 1.0),
        source(1.0, np.nan),
        source(1.0, 1e31),
        source(1.0, -1e31),
        source(1.0, 1e-31),
        source(1.0, 1.0, err=1e31),
        source(1.0, 1.0, err=1e-31),
        source(1.0, 1.0, band=-1),
    ],
)
def test_unusable_rows_are_dropped_and_counted(row: PointRow) -> None:
    assert curve(row) == ([], 1)
    assert curve(row, source(5.0, 1.0, 5)) == ([(5.0, 1.0, 1.0, 2, True)], 1)


def test_duplicates_and_several_detectors_of_a_visit_are_one_point() -> None:
    assert curve(source(1.0, 10.0), source(1.0, 10.0)) == ([(1.0, 10.0, 1.0, 2, True)], 0)
    assert curve(source(1.0, 12.0, err=2.0), source(1.0, 10.0, err=1.5)) == ([(1.0, 10.0, 1.5, 2, True)], 0)


def test_one_visit_in_two_bands_is_two_points() -> None:
    points, _ = curve(source(1.0, 10.0, band=1), source(1.0, 20.0, band=2))
    assert len(points) == 2


def test_without_visit_numbers_times_tell_visits_apart() -> None:
    near, far = 0.5 * VISIT_SECONDS * SECOND, 30 * SECOND
    rows = source(1.0, 10.0), forced(1.0 + near, 11.0), source(1.0 + far, 12.0), source(1.0, 13.0, band=1)
    points, _ = curve(*rows, visits=False)
    assert [(flux, detected) for _, flux, _, _, detected in points] == [(13.0, True), (11.0, True), (12.0, True)]


def test_no_rows_give_empty_light_curves() -> None:
    curves, n_dropped = merge(raw_points([], visits=True), 3)
    assert curves.offsets.tolist() == [0, 0, 0, 0]
    assert n_dropped.tolist() == [0, 0, 0]


VALUES = st.one_of(st.none(), st.sampled_from([np.nan, -1.0, 0.0, -0.0, 1.0, 2.5]), st.floats(-1e6, 1e6))
ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(st.none(), st.sampled_from([1.0, 1.0 + SECOND / 2, 2.0])),
        VALUES,
        VALUES,
        st.integers(-1, 2),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, visits=st.booleans(), data=st.data())
def test_neither_order_nor_company_matters(rows: list[PointRow], visits: bool, data: st.DataObject) -> None:
    curves, n_dropped = merge(raw_points(rows, visits=visits), 4)
    shuffled, n_shuffled = merge(raw_points(data.draw(st.permutations(rows)), visits=visits), 4)
    assert n_dropped.tolist() == n_shuffled.tolist()
    for name in ("offsets", "mjd", "flux", "flux_err", "band", "detected"):
        assert getattr(curves, name).tobytes() == getattr(shuffled, name).tobytes()
    for owner in range(4):
        own = [(0, *row[1:]) for row in rows if row[0] == owner]
        alone, n_alone = merge(raw_points(own, visits=visits), 1)
        here = slice(curves.offsets[owner], curves.offsets[owner + 1])
        assert n_alone[0] == n_dropped[owner]
        assert alone.flux.tobytes() == curves.flux[here].tobytes()
        assert alone.mjd.tobytes() == curves.mjd[here].tobytes()


def merge_plainly(rows: list[PointRow], visits: bool) -> tuple[list[tuple[float, ...]], list[int]]:
    """Light curves put together row by row; the times are such that each gap between visits shows."""
    groups: dict[tuple[int, int, float], list[tuple[Any, ...]]] = {}
    dropped = [0] * 4
    for owner, mjd, flux, err, band, by_force, visit in rows:
        placed = mjd is not None and band >= 0
        usable = placed and flux is not None and not np.isnan(flux) and (flux == 0 or abs(flux) >= 1e-30)
        usable = usable and err is not None and err >= 1e-30
        dropped[owner] += not usable
        if placed:
            of = visit if visits else round(mjd)  # type: ignore[arg-type]  # placed, so there is one
            groups.setdefault((owner, band, of), []).append((not usable, not by_force, err, flux, mjd))
    points = []
    for (owner, band, _), group in groups.items():
        can = [row for row in group if not row[0]]
        if can:
            _, _, err, flux, mjd = min(can)
            points.append((owner, mjd, band, flux, err, any(row[1] for row in group)))
    return sorted(points), dropped


@settings(max_examples=300)
@given(rows=ROWS, visits=st.booleans())
def test_a_plain_merge_gives_the_same(rows: list[PointRow], visits: bool) -> None:
    curves, n_dropped = merge(raw_points(rows, visits=visits), 4)
    columns = curves.owner, curves.mjd, curves.band, curves.flux, curves.flux_err, curves.detected
    points = list(zip(*(column.tolist() for column in columns), strict=True))
    assert (points, n_dropped.tolist()) == merge_plainly(rows, visits)


@settings(max_examples=100, deadline=None)
@given(rows=ROWS, visits=st.booleans())
def test_every_point_is_usable_and_comes_from_a_row(rows: list[PointRow], visits: bool) -> None:
    curves, n_dropped = merge(raw_points(rows, visits=visits), 4)
    given_rows = {(owner, mjd, flux, err, band) for owner, mjd, flux, err, band, *_ in rows}
    for point in zip(curves.owner, curves.mjd, curves.flux, curves.flux_err, curves.band, strict=True):
        assert tuple(value.item() for value in point) in given_rows
    assert np.all(np.isfinite(curves.flux))
    assert np.all(curves.flux_err > 0)
    assert len(curves.mjd) + n_dropped.sum() <= len(rows)
    for start, end in zip(curves.offsets[:-1], curves.offsets[1:], strict=True):
        assert np.all(np.diff(curves.mjd[start:end]) >= 0)
