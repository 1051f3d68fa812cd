"""A visit is short where it has far fewer alerts or detectors than those around it, and never by chance alone."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.visits.short import SHARE, judge, with_remarks

LIKE = [10_000, 9_500, 10_400, 9_900, 10_100, 9_700, 10_300, 9_800, 10_000, 10_200, 9_600]


def short(values, what="alerts", most=None):
    _, low = judge(np.array(values), SHARE[what], most)
    return np.flatnonzero(low).tolist()


@pytest.mark.parametrize("place", [0, 1, 5, 9, 10])
def test_one_far_below_the_others_is_short_wherever_it_stands(place):
    assert short(LIKE) == []
    assert short([*LIKE[:place], 1_000, *LIKE[place + 1 :]]) == [place]
    assert short([*LIKE[:place], 6_000, *LIKE[place + 1 :]]) == []  # not half as many is the rule


def test_another_field_is_not_short():
    assert short([10_000] * 8 + [3_000] * 8) == []


def test_two_short_ones_do_not_hide_each_other():
    assert short([*LIKE[:4], 500, 400, *LIKE[6:]]) == [4, 5]


def test_few_alerts_vary_by_chance():
    draw = np.random.default_rng(1)
    flagged = sum(len(short(draw.poisson(9, 50))) for _ in range(100))
    assert flagged < 0.001 * 5_000


def test_ten_detectors_less_of_a_whole_camera_are_short_but_not_of_a_sparse_visit():
    assert short([189] * 5 + [168] + [188] * 5, "detectors", 189.0) == [5]
    assert short([189] * 5 + [180] + [188] * 5, "detectors", 189.0) == []
    assert short([40, 45, 38, 44, 41, 28, 43, 39, 42, 46, 37], "detectors", 189.0) == []


@given(st.lists(st.integers(0, 10**6), max_size=5), st.sampled_from(sorted(SHARE)))
def test_with_few_neighbours_nothing_is_said(values, what):
    medians, low = judge(np.array(values[:4], dtype=np.int64), SHARE[what])
    assert np.isnan(medians).all()
    assert not low.any()


def test_bands_nights_and_surveys_are_told_apart():
    n = 12
    frame = pl.DataFrame(
        {
            "survey": ["lsst"] * 2 * n, "night": [20260310] * 2 * n, "band": ["u", "r"] * n,
            "alerts": [100, 10_000] * n, "detectors": [90, 189] * n, "allDetectors": [189.0] * 2 * n,
        }
    )  # fmt: skip
    found = with_remarks(frame)
    assert found["short"].to_list() == [[]] * 2 * n
    assert found["expectedAlerts"].to_list() == [100.0, 10_000.0] * n
    changed = frame.with_columns(pl.when(pl.int_range(pl.len()) == 9).then(80).otherwise("alerts").alias("alerts"))
    assert with_remarks(changed)["short"].to_list()[9] == ["alerts"]
