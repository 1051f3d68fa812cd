"""What do all bands together say? Counts, signal to noise, and departures from no or constant flux."""

import math

import numpy as np

from features._jit import N_BANDS, Bands, Flags, Floats, Ints, flat, frozen, kernel
from features._order import percentiles
from features.family import Feature, FeatureFamily, FeatureInput

SIGNIFICANT = 3.0
"""Ratio of flux to error from which a point counts as positive or negative."""

SAME_VISIT = 1.0
"""Days within which two consecutive points are a pair."""

_FEATURES = (
    Feature("n_points", "Number of points in all bands.", "", "Boreal"),
    Feature("n_detections", "Number of points that were detected on the difference image.", "", "Boreal"),
    Feature("detected_fraction", "Share of points that were detected.", "", "Boreal"),
    Feature("n_bands", "Number of bands with a point.", "", "Boreal"),
    Feature("n_bands_detected", "Number of bands with a detection.", "", "Boreal"),
    Feature("negative_detection_fraction", "Share of detections whose flux is negative.", "", "Boreal"),
    Feature("positive_fraction", "Share of points with flux above 3 errors.", "", "Boreal"),
    Feature("negative_fraction", "Share of points with flux below -3 errors.", "", "Boreal"),
    Feature("flux_balance", "Sum of all fluxes divided by the sum of their absolute values.", "", "Boreal"),
    Feature("snr_highest", "Highest ratio of flux to error.", "", "Boreal"),
    Feature("snr_lowest", "Lowest ratio of flux to error (negative for a source that faded).", "", "Boreal"),
    Feature("snr_last", "Ratio of flux to error of the last point.", "", "Boreal"),
    Feature("snr_mean", "Mean ratio of flux to error.", "", "Boreal"),
    Feature("snr_std", "Standard deviation of the ratio of flux to error (n - 1).", "", "Boreal"),
    Feature("snr_median", "Median ratio of flux to error.", "", "Boreal"),
    Feature(
        "snr_asymmetry",
        "Asymmetry of the ratio of flux to error: (p95 + p5 - 2 p50) / (p95 - p5) of its percentiles.",
        "",
        "Boreal",
    ),
    Feature("chi2_zero", "Chi2 per point against no flux at all.", "", "Boreal"),
    Feature("chi2_constant", "Reduced chi2 against one constant flux a band, all bands together.", "", "Boreal"),
    Feature(
        "stetson_j",
        "Stetson's J over consecutive points at most 1 d apart, of any bands.",
        "",
        "Stetson 1996, PASP 108, 851, equation 1 with unit weights",
    ),
    Feature(
        "von_neumann",
        "Mean squared step between consecutive residuals (flux less band mean, in errors) over their variance.",
        "",
        "von Neumann 1941, Ann. Math. Stat. 12, 367, over all bands",
    ),
)
_SNR, _MODEL = 9, 16

_SHARES = frozen(np.array([0.05, 0.5, 0.95]))
"""Of the points that lie below a percentile of `snr_asymmetry`."""


def _compute(given: FeatureInput, /) -> Floats:
    offsets, mjd, flux, flux_err, band, detected = flat(given.curves)
    out = np.full((len(given.curves), len(_FEATURES)), np.nan)
    _count(offsets, flux, flux_err, band, detected, out)
    snr, found = np.empty(len(flux)), np.full((len(out), len(_SHARES)), np.nan)
    _signal_to_noise(offsets, flux, flux_err, snr, out[:, _SNR:])
    percentiles(offsets, snr, _SHARES, found)
    _asymmetry(found, out[:, _SNR:])
    _against_models(offsets, mjd, flux, flux_err, band, out[:, _MODEL:])
    return out


@kernel
def _count(offsets: Ints, flux: Floats, flux_err: Floats, band: Bands, detected: Flags, out: Floats) -> None:
    for k in range(len(offsets) - 1):
        points = offsets[k + 1] - offsets[k]
        seen, seen_detected = np.zeros(N_BANDS), np.zeros(N_BANDS)
        detections = negative_detections = positive = negative = 0
        total = absolute = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            seen[band[i]] = 1.0
            if detected[i]:
                seen_detected[band[i]] = 1.0
                detections += 1
                negative_detections += flux[i] < 0.0
            positive += flux[i] > SIGNIFICANT * flux_err[i]
            negative += flux[i] < -SIGNIFICANT * flux_err[i]
            total += flux[i]
            absolute += abs(flux[i])
        out[k, 0], out[k, 1], out[k, 2] = points, detections, detections / points
        out[k, 3], out[k, 4] = np.count_nonzero(seen), np.count_nonzero(seen_detected)
        out[k, 5], out[k, 6], out[k, 7] = negative_detections / detections, positive / points, negative / points
        out[k, 8] = total / absolute


@kernel
def _signal_to_noise(offsets: Ints, flux: Floats, flux_err: Floats, snr: Floats, out: Floats) -> None:
    for i in range(len(flux)):
        snr[i] = flux[i] / flux_err[i]
    for k in range(len(offsets) - 1):
        own = snr[offsets[k] : offsets[k + 1]]
        if not len(own):
            continue
        highest = lowest = own[0]
        for value in own:
            highest = max(value, highest)
            lowest = min(lowest, value)
        out[k, 0], out[k, 1], out[k, 2] = highest, lowest, own[-1]
        out[k, 3], out[k, 4] = _moments(own)


@kernel
def _moments(values: Floats) -> tuple[float, float]:
    mean = square = 0.0
    for value in values:
        mean += value / len(values)
    for value in values:
        square += (value - mean) ** 2
    return mean, math.sqrt(square / (len(values) - 1))


@kernel
def _asymmetry(percentiles: Floats, out: Floats) -> None:
    for k in range(len(out)):
        low, middle, high = percentiles[k]
        out[k, 5] = middle
        out[k, 6] = (high + low - 2.0 * middle) / (high - low)


@kernel
def _against_models(offsets: Ints, mjd: Floats, flux: Floats, flux_err: Floats, band: Bands, out: Floats) -> None:
    for k in range(len(offsets) - 1):
        start, end = offsets[k], offsets[k + 1]
        mean, points = _band_means(flux[start:end], flux_err[start:end], band[start:end])
        residual = np.empty(end - start)
        zero = constant = 0.0
        for i in range(start, end):
            residual[i - start] = (flux[i] - mean[band[i]]) / flux_err[i]
            zero += (flux[i] / flux_err[i]) ** 2
            constant += residual[i - start] ** 2
        freedom = len(residual) - np.count_nonzero(points)
        out[k, 0] = zero / len(residual)
        out[k, 1] = constant / freedom if freedom else np.nan
        out[k, 2] = _stetson_j(mjd[start:end], residual, band[start:end], points)
        out[k, 3] = _von_neumann(residual)


@kernel
def _band_means(flux: Floats, flux_err: Floats, band: Bands) -> tuple[Floats, Floats]:
    total, weight, points = np.zeros(N_BANDS), np.zeros(N_BANDS), np.zeros(N_BANDS)
    for i in range(len(flux)):
        total[band[i]] += flux[i] / flux_err[i] ** 2
        weight[band[i]] += 1.0 / flux_err[i] ** 2
        points[band[i]] += 1.0
    for b in range(N_BANDS):
        total[b] /= weight[b]
    return total, points


@kernel
def _stetson_j(mjd: Floats, residual: Floats, band: Bands, points: Floats) -> float:
    total, pairs = 0.0, 0
    for i in range(len(mjd) - 1):
        n, m = points[band[i]], points[band[i + 1]]
        if mjd[i + 1] - mjd[i] <= SAME_VISIT and n > 1 and m > 1:
            product = residual[i] * residual[i + 1] * math.sqrt(n / (n - 1.0) * m / (m - 1.0))
            total += math.copysign(math.sqrt(abs(product)), product)
            pairs += 1
    return total / pairs


@kernel
def _von_neumann(residual: Floats) -> float:
    steps = 0.0
    for i in range(len(residual) - 1):
        steps += (residual[i + 1] - residual[i]) ** 2
    if len(residual) < 2:  # noqa: PLR2004  # one point has no variance
        return math.nan
    _, deviation = _moments(residual)
    return float(steps / (len(residual) - 1) / deviation**2)


FEATURES = FeatureFamily("multiband", _FEATURES, _compute)
