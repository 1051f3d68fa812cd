"""Copies of light curves: what a Gaussian process makes of points, and what another redshift does to them."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from classifiers.sequences import select
from schemas.alerts import LightCurves
from training import augment as augmenting
from training.augment import Move, Survey, augment
from training.columns import take_curves
from training.gaussian_process import TIME_SCALES, fit
from training.light_curves import real_plasticc
from training.simulate.bands import WAVELENGTH

COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)


def bump(mjd: np.ndarray, width: float = 20.0) -> np.ndarray:
    return np.asarray(1000.0 * np.exp(-0.5 * ((mjd - 100.0) / width) ** 2))


def observed(rng: np.random.Generator, error: float = 5.0, n: int = 120) -> LightCurves:
    """One object with the same bump in all bands."""
    mjd = np.sort(rng.uniform(0.0, 200.0, n))
    flux = bump(mjd) + error * rng.standard_normal(n)
    band = rng.integers(0, 6, n).astype(np.uint8)
    return LightCurves(np.array([0, n]), mjd, flux, np.full(n, error), band, flux > 5 * error)


def by_signal(_rng: np.random.Generator, flux: np.ndarray, _measured: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
    return np.asarray(flux > 5 * flux_err)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_process_goes_through_the_points_and_to_nothing_far_away(rng: np.random.Generator) -> None:
    curve = observed(rng)
    process = fit(curve.mjd, WAVELENGTH[curve.band], curve.flux, curve.flux_err)
    days = np.linspace(20.0, 180.0, 50)
    assert process.mean(days, np.full(50, WAVELENGTH[2])) == pytest.approx(bump(days), abs=30.0)
    assert process.mean(np.array([5000.0]), WAVELENGTH[2:3]) == pytest.approx(0.0, abs=1e-3)


def test_the_likeliest_time_scale_follows_the_light_curve(rng: np.random.Generator) -> None:
    mjd = np.sort(rng.uniform(0.0, 200.0, 120))
    wavelength = WAVELENGTH[rng.integers(0, 6, 120)]
    fast, slow = (fit(mjd, wavelength, bump(mjd, width), np.full(120, 2.0)).time_scale for width in (4.0, 40.0))
    assert TIME_SCALES[0] <= fast < slow <= TIME_SCALES[-1]


def test_the_unit_of_flux_does_not_matter(rng: np.random.Generator) -> None:
    curve = observed(rng)
    plain = fit(curve.mjd, WAVELENGTH[curve.band], curve.flux, curve.flux_err)
    scaled = fit(curve.mjd, WAVELENGTH[curve.band], 36.3 * curve.flux, 36.3 * curve.flux_err)
    assert scaled.time_scale == plain.time_scale
    there = np.array([90.0]), WAVELENGTH[1:2]
    assert scaled.mean(*there) == pytest.approx(36.3 * plain.mean(*there))


def test_a_move_dims_by_distance_and_squeezes_frequencies(rng: np.random.Generator) -> None:
    move = Move.between(0.1, 0.5, rng)
    ratio = (COSMOLOGY.luminosity_distance(0.1) / COSMOLOGY.luminosity_distance(0.5)).value
    assert move.stretch == pytest.approx(1.5 / 1.1)
    assert move.dimming == pytest.approx(ratio**2 * 1.5 / 1.1, rel=1e-4)


def test_a_copy_is_the_object_dilated_and_dimmed(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmenting, "_other_redshift", lambda *_: 0.3)
    curve = observed(rng, error=0.1)
    copies = augment(curve, np.array([0.1]), 20, Survey(curve, by_signal), seed=1)
    move = Move.between(0.1, 0.3, rng)
    tops, widths = [], []
    for row in range(len(copies.curves)):
        at = slice(copies.curves.offsets[row], copies.curves.offsets[row + 1])
        flux, mjd = copies.curves.flux[at], copies.curves.mjd[at]
        tops.append(flux.max())
        widths.append(np.ptp(mjd[flux > flux.max() / 2]))
    assert max(tops) == pytest.approx(1000.0 * move.dimming, rel=0.05)
    assert max(widths) == pytest.approx(2.355 * 20.0 * move.stretch, rel=0.1)


def test_copies_follow_the_seed_and_their_own_object_alone() -> None:
    alerts, _ = real_plasticc()
    curves, redshift = alerts.take(np.arange(3)).light_curves, np.array([0.0, 0.3, 0.2])
    survey = Survey(curves)
    one, again = (augment(curves, redshift, 3, survey, seed=4) for _ in range(2))
    assert one.curves.flux.tolist() == again.curves.flux.tolist()
    alone = augment(alerts.take(np.arange(1)).light_curves, redshift[:1], 3, survey, seed=4)
    assert alone.curves.flux.tolist() == one.curves.flux[: len(alone.curves.flux)].tolist()
    other = augment(curves, redshift, 3, survey, seed=5)
    assert other.curves.flux.tolist() != one.curves.flux.tolist()


def test_copies_would_be_found_and_lie_at_allowed_redshifts() -> None:
    alerts, _ = real_plasticc()
    redshift = np.where(alerts.column("host_photoz") > 0, alerts.column("host_photoz"), 0.0)
    curves, some = alerts.take(np.arange(30)).light_curves, redshift[:30]
    ticks: list[int] = []
    copies = augment(curves, some, 2, Survey(curves, farthest=0.8), seed=2, tick=lambda: ticks.append(1))
    assert len(ticks) == 30
    assert (copies.curves.n_detections >= 2).all()
    ratio = copies.redshift[copies.redshift > 0] / some[copies.parents][copies.redshift > 0]
    assert ((ratio > 0.9499) & (ratio < 5.0)).all()
    assert (copies.redshift <= np.maximum(0.8, some[copies.parents])).all()
    assert (copies.redshift[some[copies.parents] == 0] == 0).all()
    assert np.bincount(copies.parents).max() <= 2


def test_nothing_bright_is_made_up_where_the_object_was_not_observed(rng: np.random.Generator) -> None:
    whole = observed(rng)
    rise = select(whole, whole.mjd < 100.0)  # it is at its brightest when its season ends
    copies = augment(rise, np.array([0.1]), 40, Survey(whole, by_signal), seed=3)
    assert len(copies.curves) == 40
    for row in range(40):
        copy = take_curves(copies.curves, np.array([row]))
        bright = select(copy, copy.flux > 6 * copy.flux_err)
        assert bright.flux[-1] > 0.6 * bright.flux.max()
