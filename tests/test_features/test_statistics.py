"""The statistics of flux against scipy, and against what cesium made of real PLAsTiCC light curves."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from schemas.alerts import BANDS

NJY_PER_FLUXCAL = 10 ** (0.4 * (31.4 - 27.5))
"""PLAsTiCC's zero point is 27.5."""


@pytest.fixture(scope="module")
def curve(outburst):
    return outburst(7, 300)


@pytest.fixture(scope="module")
def found(features_of, curve):
    return features_of(*curve)


@pytest.mark.parametrize("band", BANDS)
def test_per_band_statistics(found, curve, band):
    mjd, flux, error = np.array([point[:3] for point in curve if point[3] == band]).T
    weight = error**-2
    mean = np.average(flux, weights=weight)
    line, covariance = np.polyfit(mjd - mjd[0], flux, 1, w=1 / error, cov="unscaled")
    expected = {
        "n_points": len(flux),
        "n_detections": sum(point[4] for point in curve if point[3] == band),
        "flux_max": flux.max(),
        "flux_min": flux.min(),
        "flux_last": flux[-1],
        "snr_max": np.abs(flux / error).max(),
        "flux_amplitude": np.ptp(flux) / 2,
        "flux_mean": mean,
        "flux_std": flux.std(ddof=1),
        "chi2_constant": np.sum(weight * (flux - mean) ** 2) / (len(flux) - 1),
        "flux_skew": stats.skew(flux, bias=False),
        "flux_kurtosis": stats.kurtosis(flux, bias=False),
        "flux_mad": stats.median_abs_deviation(flux),
        "von_neumann": np.mean(np.diff(flux) ** 2) / flux.var(ddof=1),
        "stetson_k": np.abs((flux - mean) / error).mean() / np.sqrt(np.mean((flux - mean) ** 2 * weight)),
        "flux_slope": line[0],
        "flux_slope_snr": line[0] / np.sqrt(covariance[0, 0]),
    }
    for stem, value in expected.items():
        assert found[f"{stem}_{band}"] == pytest.approx(value, rel=2e-6), stem


def test_all_bands_together(found, curve):
    flux, error = np.array([point[1:3] for point in curve]).T
    snr = flux / error
    low, middle, high = np.percentile(snr, [5, 50, 95])
    expected = {
        "n_points": 300,
        "n_detections": sum(point[4] for point in curve),
        "n_bands": 6,
        "n_bands_detected": len({point[3] for point in curve if point[4]}),
        "detected_fraction": np.mean([point[4] for point in curve]),
        "negative_detection_fraction": 0,
        "positive_fraction": np.mean(snr > 3),
        "negative_fraction": np.mean(snr < -3),
        "flux_balance": flux.sum() / np.abs(flux).sum(),
        "snr_highest": snr.max(),
        "snr_lowest": snr.min(),
        "snr_last": snr[-1],
        "snr_mean": snr.mean(),
        "snr_std": snr.std(ddof=1),
        "snr_median": middle,
        "snr_asymmetry": (high + low - 2 * middle) / (high - low),
        "chi2_zero": np.mean(snr**2),
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-6), name


def test_residuals_of_all_bands(found, curve):
    mjd, flux, error = np.array([point[:3] for point in curve]).T
    band = np.array([point[3] for point in curve])
    mean = {b: np.average(flux[band == b], weights=error[band == b] ** -2.0) for b in BANDS}
    residual = (flux - np.array([mean[b] for b in band])) / error
    count = np.array([np.sum(band == b) for b in band])
    delta = residual * np.sqrt(count / (count - 1))
    product = (delta[1:] * delta[:-1])[np.diff(mjd) <= 1]
    assert found["chi2_constant"] == pytest.approx(np.sum(residual**2) / (300 - 6), rel=2e-6)
    assert found["stetson_j"] == pytest.approx(np.mean(np.sign(product) * np.sqrt(np.abs(product))), rel=2e-6)
    assert found["von_neumann"] == pytest.approx(np.mean(np.diff(residual) ** 2) / residual.var(ddof=1), rel=2e-6)


@pytest.mark.parametrize("object_id", [615, 730, 1124])
def test_cesium_agrees_on_real_light_curves(data_dir, features_of, object_id):
    curves = pd.read_csv(data_dir / "plasticc" / "light_curves.csv").query("object_id == @object_id")
    theirs = pd.read_csv(data_dir / "plasticc" / "cesium_features.csv").set_index("object_id").loc[object_id]
    scaled = [curves.mjd, curves.flux * NJY_PER_FLUXCAL, curves.flux_err * NJY_PER_FLUXCAL]
    bands, detected = [BANDS[p] for p in curves.passband], [bool(d) for d in curves.detected]
    ours = features_of(*sorted(zip(*(list(column) for column in scaled), bands, detected, strict=True)))
    for number, band in enumerate(BANDS):
        n = ours[f"n_points_{band}"]
        for name, stem in {
            "maximum": "flux_max",
            "minimum": "flux_min",
            "amplitude": "flux_amplitude",
            "weighted_average": "flux_mean",
            "median_absolute_deviation": "flux_mad",
        }.items():
            assert ours[f"{stem}_{band}"] == pytest.approx(theirs[f"{name}__{number}"] * NJY_PER_FLUXCAL, rel=1e-5)
        # cesium divides by n, we by n - 1
        bias = (n / (n - 1)) ** 0.5
        assert ours[f"flux_std_{band}"] == pytest.approx(theirs[f"std__{number}"] * NJY_PER_FLUXCAL * bias, rel=1e-5)
        bias = (n * (n - 1)) ** 0.5 / (n - 2)
        assert ours[f"flux_skew_{band}"] == pytest.approx(theirs[f"skew__{number}"] * bias, rel=1e-4)
