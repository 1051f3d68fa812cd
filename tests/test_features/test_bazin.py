"""The joint Bazin fit: it finds what was put in, and what scipy finds."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from features._bazin import PRIOR_MEAN, PRIOR_WIDTH

AMPLITUDES = {"u": 100.0, "g": 4000.0, "r": 6000.0, "i": 5000.0, "z": 4000.0, "y": 2500.0}


def bazin(after, rise, fall):
    return np.exp(-after / fall) / (1.0 + np.exp(-after / rise))


def injected(rise, fall, seed=0, points=150, noise=20.0):
    """A light curve of known shape whose first detection is its first point with S/N above 5."""
    random = np.random.default_rng(seed)
    time = np.sort(random.uniform(-40.0, 120.0, points))
    band = random.choice(list(AMPLITUDES), points)
    flux = np.array([AMPLITUDES[b] for b in band]) * bazin(time, rise, fall) + noise * random.standard_normal(points)
    return [(60000.0 + t, f, noise, str(b), bool(f > 5 * noise)) for t, f, b in zip(time, flux, band, strict=True)]


@pytest.mark.parametrize(("rise", "fall"), [(1.0, 6.0), (3.0, 20.0), (5.0, 40.0), (10.0, 30.0), (15.0, 70.0)])
def test_recovers_what_was_put_in(features_of, rise, fall):
    curve = injected(rise, fall, noise=10.0)
    found = features_of(*curve)
    first = next(point[0] for point in curve if point[4])
    peak = rise * np.log(fall / rise - 1.0)
    assert found["bazin_rise"] == pytest.approx(rise, rel=0.05)
    assert found["bazin_fall"] == pytest.approx(fall, rel=0.05)
    assert found["bazin_t0"] == pytest.approx(60000.0 - first, abs=0.15 * rise)
    assert found["bazin_peak_time"] == pytest.approx(60000.0 + peak - first, abs=0.15 * rise)
    assert found["bazin_chi2"] == pytest.approx(1.0, abs=0.3)
    assert found["bazin_gain"] > 0.99
    assert found["bazin_rest_fall"] == pytest.approx(found["bazin_fall"] / 1.5, rel=1e-6)
    for band in "grizy":
        assert found[f"bazin_flux_{band}"] == pytest.approx(AMPLITUDES[band] * bazin(peak, rise, fall), rel=0.03)
    assert found["bazin_colour_gr"] == pytest.approx(-2.5 * np.log10(4000 / 6000), abs=0.03)


def penalised_chi2(shape, curve, peak_mjd):
    """The fit's objective, written without its tricks: full least squares for the amplitudes at a given shape."""
    peak, climb, fall = shape[0], *np.exp(shape[1:])
    rise = 1.0 / (1.0 / climb + 1.0 / fall)
    mjd, flux, error = np.array([point[:3] for point in curve]).T
    band = np.array([point[3] for point in curve])
    model = bazin(mjd - peak_mjd - peak + rise * np.log(fall / climb), rise, fall)
    design = np.stack([(band == b) * model / error for b in sorted(set(band))], axis=1)
    amplitudes = np.linalg.lstsq(design, flux / error, rcond=None)[0]
    return np.concatenate([flux / error - design @ amplitudes, (shape - PRIOR_MEAN) / PRIOR_WIDTH])


@pytest.mark.parametrize("seed", range(8))
def test_scipy_finds_nothing_better_nearby(features_of, outburst, seed):
    curve = outburst(seed, 60)
    found = features_of(*curve)
    first = next(point[0] for point in curve if point[4])
    peak_mjd = max(curve, key=lambda point: abs(point[1]) / point[2])[0]
    climb = 1.0 / (1.0 / found["bazin_rise"] - 1.0 / found["bazin_fall"])
    ours = np.array([found["bazin_peak_time"] + first - peak_mjd, np.log(climb), np.log(found["bazin_fall"])])
    theirs = least_squares(penalised_chi2, ours, args=(curve, peak_mjd), x_scale="jac")
    assert np.sum(penalised_chi2(ours, curve, peak_mjd) ** 2) == pytest.approx(2 * theirs.cost, rel=1e-4)
    bands = len({point[3] for point in curve})
    residuals = penalised_chi2(ours, curve, peak_mjd)[:-3]
    assert found["bazin_chi2"] == pytest.approx(np.sum(residuals**2) / (60 - 3 - bands), rel=1e-4)


def test_a_dip_is_an_outburst_upside_down(features_of):
    curve = injected(3.0, 20.0)
    dip = features_of(*((mjd, -flux, error, band, found) for mjd, flux, error, band, found in curve))
    burst = features_of(*curve)
    assert dip["bazin_fall"] == burst["bazin_fall"]
    assert dip["bazin_flux_r"] == -burst["bazin_flux_r"]
    assert np.isnan(dip["bazin_absolute_magnitude"])


def test_fewer_points_than_parameters_give_no_fit(features_of):
    curve = injected(3.0, 20.0, points=12)[:7]
    bands = len({point[3] for point in curve})
    short, enough = features_of(*curve[: 2 + bands]), features_of(*injected(3.0, 20.0)[60:69])
    assert all(np.isnan(value) for name, value in short.items() if name.startswith("bazin"))
    assert np.isfinite(enough["bazin_fall"])


def test_as_many_points_as_parameters_leave_no_freedom(features_of):
    curve = [(60000.0 + i, flux, 5.0, "r", True) for i, flux in enumerate((100.0, 200.0, 150.0, 110.0))]
    found = features_of(*curve)
    assert np.isfinite(found["bazin_fall"])
    assert np.isnan(found["bazin_chi2"])


def test_a_peak_that_no_point_saw_stays_near_the_first_detection(features_of):
    decline = [point for point in injected(3.0, 20.0, points=400) if point[0] > 60025.0]
    season = [(59800.0 + i, 0.0, 20.0, "r", False) for i in range(10)]
    found = features_of(*season, *decline)
    assert -60.0 < found["bazin_peak_time"] <= 5.0
    assert found["bazin_fall"] == pytest.approx(20.0, rel=0.1)


def test_a_band_that_never_saw_the_outburst_has_no_peak(features_of):
    curve = [point for point in injected(3.0, 20.0) if point[3] != "y"]
    late = [(60300.0 + i, 3.0 * i, 20.0, "y", False) for i in range(5)]
    found = features_of(*curve, *late)
    assert np.isfinite(found["bazin_flux_z"])
    assert np.isnan(found["bazin_flux_y"])
