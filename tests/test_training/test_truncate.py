"""Truncation laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertBatch, LightCurves
from training.light_curves import real_plasticc, replace_curves
from training.simulate import simulate
from training.truncate import as_random_alert, at_age, at_random_age


@pytest.fixture(scope="module")
def alerts() -> AlertBatch:
    return simulate(60, 8)[0]


def prefixes(whole: AlertBatch, cut: AlertBatch) -> None:
    """The cut light curves are the beginnings of the whole ones."""
    a, b = whole.light_curves, cut.light_curves
    for k in range(len(a)):
        n = b.offsets[k + 1] - b.offsets[k]
        assert n >= 1
        for name in ("mjd", "flux", "flux_err", "band", "detected"):
            one, other = getattr(a, name), getattr(b, name)
            assert np.array_equal(one[a.offsets[k] : a.offsets[k] + n], other[b.offsets[k] : b.offsets[k + 1]])


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 2000.0))
def test_a_cut_at_an_age_keeps_all_points_up_to_it(alerts: AlertBatch, days: float) -> None:
    cut = at_age(alerts, np.full(len(alerts), days))
    prefixes(alerts, cut)
    curves = alerts.light_curves
    end = np.nan_to_num(curves.first_detection, nan=np.inf) + days
    expected = np.bincount(curves.owner[curves.mjd <= end[curves.owner]], minlength=len(alerts))
    assert np.array_equal(cut.light_curves.lengths, expected)
    assert (cut.column("mjd") <= end).all()


def test_ages_run_from_a_day_to_1024(alerts: AlertBatch) -> None:
    cut = at_random_age(alerts, np.random.default_rng(4))
    prefixes(alerts, cut)
    curves = cut.light_curves
    age = np.maximum.reduceat(curves.mjd, curves.offsets[:-1]) - curves.first_detection
    assert age.max() <= 1024
    assert np.mean(age < 40) > 0.3, "half of the cuts lie before 2^5 days"
    assert np.mean(age > 100) > 0.1


def test_an_alert_ends_with_a_detection(alerts: AlertBatch) -> None:
    cut = as_random_alert(alerts, np.random.default_rng(5))
    prefixes(alerts, cut)
    curves = cut.light_curves
    last = curves.mjd[curves.offsets[1:] - 1]
    assert np.array_equal(last, cut.column("mjd"))
    assert (np.bincount(curves.owner[curves.detected], minlength=len(cut)) >= 1).all()


def test_alerts_are_drawn_evenly_among_the_detections(alerts: AlertBatch) -> None:
    one = alerts.take(np.zeros(3000, dtype=np.int64))
    total = int(alerts.take(np.array([0])).light_curves.detected.sum())
    cut = as_random_alert(one, np.random.default_rng(6)).light_curves
    seen = np.bincount(cut.owner[cut.detected], minlength=3000)
    shares = np.bincount(seen, minlength=total + 1)[1:] / 3000
    assert shares == pytest.approx(np.full(total, 1 / total), abs=4 * np.sqrt(1 / total / 3000))


def test_same_seed_same_cut_and_other_columns_stay(alerts: AlertBatch) -> None:
    first, again = (at_random_age(alerts, np.random.default_rng(9)) for _ in range(2))
    assert first.table.equals(again.table)
    for name in ("object_id", "ra", "host_photoz", "milky_way_ebv"):
        assert first.table[name].equals(alerts.table[name])


def test_objects_without_a_detection_stay_whole() -> None:
    alerts, _ = real_plasticc()
    curves = alerts.light_curves

    blind = LightCurves(
        curves.offsets, curves.mjd, curves.flux, curves.flux_err, curves.band, np.zeros(len(curves.mjd), dtype=bool)
    )
    batch = replace_curves(alerts, blind)
    for cut in (as_random_alert(batch, np.random.default_rng(1)), at_random_age(batch, np.random.default_rng(1))):
        assert np.array_equal(cut.light_curves.lengths, curves.lengths)
