"""When did what happen? Observer-frame times relative to the first detection, the peak and the last point."""

import numpy as np

from features._bands import per_band
from features._jit import N_BANDS, Bands, Flags, Floats, Ints, flat, kernel
from features.family import Feature, FeatureFamily, FeatureInput

LONGEST_STEP = 60.0
"""Days between points of a band beyond which nothing is interpolated: seasons are further apart."""

_FEATURES = (
    Feature("observed_span", "Time from the first to the last point.", "d", "Boreal"),
    Feature("longest_gap", "Longest time between consecutive points.", "d", "Boreal"),
    Feature("days_since_first_detection", "Time from the first detection to the last point.", "d", "Boreal"),
    Feature("days_since_last_detection", "Time from the last detection to the last point.", "d", "Boreal"),
    Feature("detection_span", "Time from the first to the last detection.", "d", "Boreal"),
    Feature("longest_detection_gap", "Longest time between consecutive detections.", "d", "Boreal"),
    Feature("detection_duty", "Share of detected points from the first to the last detection.", "", "Boreal"),
    Feature("n_points_before_detection", "Number of points before the first detection.", "", "Boreal"),
    Feature("days_undetected_before", "Time from the last point before the first detection to it.", "d", "Boreal"),
    Feature("days_to_peak", "Time from the first detection to the peak, the point of highest |S/N|.", "d", "Boreal"),
    Feature("days_since_peak", "Time from the peak to the last point.", "d", "Boreal"),
    Feature(
        "brightness_time",
        "Mean time since the first detection, weighted by squared S/N, over the episode of detections.",
        "d",
        "Boreal",
    ),
    Feature(
        "brightness_width",
        "Standard deviation of time, weighted by squared S/N, over the episode of detections.",
        "d",
        "Boreal",
    ),
    *per_band("peak_time", "Time from the first detection to the point of highest |S/N| in {band}.", "d"),
    *per_band(
        "rise_half",
        "Time from half the flux of the {band} peak to that peak, interpolated; unknown without a point below.",
        "d",
    ),
    *per_band(
        "fall_half",
        "Time from the {band} peak to half its flux, interpolated; unknown without a point below.",
        "d",
    ),
)
_PEAK_TIME = 13
_RISE = _PEAK_TIME + N_BANDS
_FALL = _RISE + N_BANDS


def _compute(given: FeatureInput, /) -> Floats:
    offsets, mjd, flux, flux_err, band, detected = flat(given.curves)
    marks = given.landmarks
    out = np.full((len(given.curves), len(_FEATURES)), np.nan)
    _sampling(offsets, mjd, detected, marks.first_detection, marks.last_detection, out)
    _brightness(offsets, mjd, flux, flux_err, marks.first_detection, marks.begin, marks.end, marks.peak, out)
    _around_peaks(offsets, mjd, flux, band, marks.first_detection, marks.band_peak, out)
    return out


@kernel
def _sampling(offsets: Ints, mjd: Floats, detected: Flags, first: Ints, last: Ints, out: Floats) -> None:
    for k in range(len(offsets) - 1):
        start, end = offsets[k], offsets[k + 1]
        if start == end:
            continue
        out[k, 0] = mjd[end - 1] - mjd[start]
        out[k, 1] = _longest_gap(mjd[start:end])
        if first[k] < 0:
            continue
        begin, final = first[k], last[k] + 1
        detections = mjd[begin:final][detected[begin:final]]
        out[k, 2] = mjd[end - 1] - mjd[begin]
        out[k, 3] = mjd[end - 1] - mjd[final - 1]
        out[k, 4] = mjd[final - 1] - mjd[begin]
        out[k, 5] = _longest_gap(detections)
        out[k, 6] = len(detections) / (final - begin)
        out[k, 7] = begin - start
        out[k, 8] = mjd[begin] - mjd[begin - 1] if begin > start else np.nan


@kernel
def _longest_gap(mjd: Floats) -> float:
    longest = np.nan
    for i in range(len(mjd) - 1):
        gap = mjd[i + 1] - mjd[i]
        if not gap <= longest:
            longest = gap
    return longest


@kernel
def _brightness(
    offsets: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    first: Ints,
    begin: Ints,
    end: Ints,
    peak: Ints,
    out: Floats,
) -> None:
    for k in range(len(out)):
        summit = peak[k]
        if summit < 0:
            continue
        since_first = mjd[summit] - mjd[first[k]] if first[k] >= 0 else np.nan
        out[k, 9] = since_first
        out[k, 10] = mjd[offsets[k + 1] - 1] - mjd[summit]
        weight = mean = square = 0.0
        for i in range(begin[k], end[k]):
            w = (flux[i] / flux_err[i]) ** 2
            weight += w
            mean += w * (mjd[i] - mjd[summit])
        mean /= weight
        for i in range(begin[k], end[k]):
            square += (flux[i] / flux_err[i]) ** 2 * (mjd[i] - mjd[summit] - mean) ** 2
        out[k, 11] = since_first + mean
        out[k, 12] = np.sqrt(square / weight)


@kernel
def _around_peaks(
    offsets: Ints, mjd: Floats, flux: Floats, band: Bands, first: Ints, band_peak: Ints, out: Floats
) -> None:
    for k in range(len(offsets) - 1):
        for b in range(N_BANDS):
            summit = band_peak[k, b]
            if summit < 0:
                continue
            if first[k] >= 0:
                out[k, _PEAK_TIME + b] = mjd[summit] - mjd[first[k]]
            out[k, _RISE + b] = _days_to_half(mjd, flux, band, summit, offsets[k] - 1, -1)
            out[k, _FALL + b] = _days_to_half(mjd, flux, band, summit, offsets[k + 1], 1)


@kernel
def _days_to_half(mjd: Floats, flux: Floats, band: Bands, summit: int, end: int, step: int) -> float:
    """Walk from the peak along its band to the first point below half its flux; the sign of the peak is up."""
    half = 0.5 * abs(flux[summit])
    up = 1.0 if flux[summit] > 0.0 else -1.0
    previous = summit
    for i in range(summit + step, end, step):
        if band[i] != band[summit]:
            continue
        if abs(mjd[i] - mjd[previous]) > LONGEST_STEP:
            break
        if up * flux[i] < half:
            above, below = up * flux[previous], up * flux[i]
            crossing = mjd[previous] + (above - half) / (above - below) * (mjd[i] - mjd[previous])
            return float(abs(crossing - mjd[summit]))
        previous = i
    return np.nan


FEATURES = FeatureFamily("times", _FEATURES, _compute)
