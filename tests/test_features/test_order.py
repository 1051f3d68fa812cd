"""Partial sorting against numpy's sort, and points by band against a stable sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features._by_band import by_band
from features._order import median_deviations, percentiles
from schemas.alerts import LightCurves

VALUES = st.lists(
    st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e9, 1e9)), max_size=60), min_size=1, max_size=4
)
SHARES = np.array([0.0, 0.05, 0.5, 0.95, 1.0])


def edges_of(objects):
    return np.cumsum([0, *map(len, objects)])


@given(VALUES)
def test_percentiles_are_those_of_the_sorted_values(objects):
    found = np.full((len(objects), len(SHARES)), np.nan)
    percentiles(edges_of(objects), np.concatenate(objects), SHARES, found)
    for values, row in zip(objects, found, strict=True):
        ascending = np.sort(values)
        for share, value in zip(SHARES, row, strict=True):
            if not len(ascending):
                assert np.isnan(value)
                continue
            place = share * (len(ascending) - 1)
            below, above = ascending[int(place)], ascending[min(int(place) + 1, len(ascending) - 1)]
            assert value == below + (place - int(place)) * (above - below)


@given(VALUES)
def test_median_deviations(objects):
    found = np.full(len(objects), np.nan)
    median_deviations(edges_of(objects), np.concatenate(objects), found)
    for values, deviation in zip(objects, found, strict=True):
        if values:
            assert deviation == np.median(np.abs(values - np.median(values)))
        else:
            assert np.isnan(deviation)


def test_many_equal_or_sorted_values_are_no_trap():
    n = 200_000  # at n^2 steps this would not end
    for values in (np.zeros(n), np.arange(n, dtype=float), -np.arange(n, dtype=float), np.arange(n) % 2.0):
        found = np.empty((1, 1))
        percentiles(np.array([0, n]), values, np.array([0.5]), found)
        assert found[0, 0] == np.median(values)


def test_what_is_no_number_ends_too():
    found = np.empty((1, 1))
    percentiles(np.array([0, 5]), np.array([1.0, np.nan, 2.0, np.nan, np.nan]), np.array([0.5]), found)


@given(st.lists(st.lists(st.integers(0, 5), max_size=30), max_size=4))
def test_points_by_band_keep_their_order_of_time(bands):
    band = np.array([b for object_bands in bands for b in object_bands], dtype=np.uint8)
    number = np.arange(len(band), dtype=float)
    offsets = edges_of(bands)
    points = by_band(LightCurves(offsets, number, 2.0 * number, 3.0 * number, band, band > 0))
    owner = np.repeat(np.arange(len(bands)), list(map(len, bands)))
    order = np.lexsort((band, owner))
    assert points.mjd.tolist() == number[order].tolist()
    assert points.flux.tolist() == (2.0 * number[order]).tolist()
    assert points.flux_err.tolist() == (3.0 * number[order]).tolist()
    assert points.mjd[points.place].tolist() == number.tolist()
    assert np.diff(points.edges).tolist() == [row.count(b) for row in bands for b in range(6)]
