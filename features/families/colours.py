"""What colour was it, and how did that change? Flux ratios of neighbouring bands."""

import math

import numpy as np

from features._bands import PAIRS, per_pair
from features._jit import N_BANDS, Bands, Floats, Ints, flat, kernel
from features._landmarks import NIGHT
from features.family import FeatureFamily, FeatureInput

SIGNIFICANT = 3.0
"""Ratio of absolute flux to error from which a point may give a colour."""

_RATIO = "{blue} - {red} colour, -2.5 log10 of the flux ratio"
_FEATURES = (
    *per_pair("colour_peak", f"{_RATIO}, each band at its point of highest |S/N|; both fluxes of one sign.", "mag"),
    *per_pair(
        "contrast_mean",
        "Contrast (f_{blue} - f_{red}) / (|f_{blue}| + |f_{red}|) of weighted mean fluxes over the episode.",
        "",
    ),
    *per_pair("colour_first", f"{_RATIO}, of the first two points within 1 d that are both beyond 3 errors.", "mag"),
    *per_pair("colour_last", f"{_RATIO}, of the last two points within 1 d that are both beyond 3 errors.", "mag"),
    *per_pair("colour_change", "Last less first {blue} - {red} colour, where they lie more than 1 d apart.", "mag"),
)
_N_PAIRS = len(PAIRS)


def _compute(given: FeatureInput, /) -> Floats:
    offsets, mjd, flux, flux_err, band, _ = flat(given.curves)
    marks = given.landmarks
    out = np.full((len(given.curves), len(_FEATURES) // _N_PAIRS, _N_PAIRS), np.nan)
    _at_peak(flux, marks.band_peak, out)
    _of_means(flux, flux_err, band, marks.begin, marks.end, out)
    _by_night(offsets, mjd, flux, flux_err, band, out)
    return out.reshape(len(out), len(_FEATURES))


@kernel
def _colour(blue: float, red: float) -> float:
    ratio = blue / red
    return -2.5 * math.log10(ratio) if ratio > 0.0 else np.nan


@kernel
def _at_peak(flux: Floats, band_peak: Ints, out: Floats) -> None:
    for k in range(len(out)):
        for p in range(_N_PAIRS):
            blue, red = band_peak[k, p], band_peak[k, p + 1]
            if blue >= 0 and red >= 0:
                out[k, 0, p] = _colour(flux[blue], flux[red])


@kernel
def _of_means(flux: Floats, flux_err: Floats, band: Bands, begin: Ints, end: Ints, out: Floats) -> None:
    for k in range(len(out)):
        total, weight = np.zeros(N_BANDS), np.zeros(N_BANDS)
        for i in range(begin[k], end[k]):
            total[band[i]] += flux[i] / flux_err[i] ** 2
            weight[band[i]] += 1.0 / flux_err[i] ** 2
        mean = total / weight
        for p in range(_N_PAIRS):
            out[k, 1, p] = (mean[p] - mean[p + 1]) / (abs(mean[p]) + abs(mean[p + 1]))


@kernel
def _by_night(offsets: Ints, mjd: Floats, flux: Floats, flux_err: Floats, band: Bands, out: Floats) -> None:
    """Keep each band's latest good point; with a new one, ask its neighbours for a partner."""
    latest = np.empty(N_BANDS, np.int64)
    first, last, times = np.empty(_N_PAIRS), np.empty(_N_PAIRS), np.empty((2, _N_PAIRS))
    for k in range(len(out)):
        latest[:] = -1
        first[:] = np.nan
        for i in range(offsets[k], offsets[k + 1]):
            if abs(flux[i]) <= SIGNIFICANT * flux_err[i]:
                continue
            b = np.int64(band[i])
            latest[b] = i
            for p in range(b - 1 if b else 0, b + 1 if b < _N_PAIRS else _N_PAIRS):
                blue, red = latest[p], latest[p + 1]
                if blue < 0 or red < 0 or abs(mjd[blue] - mjd[red]) > NIGHT or not flux[blue] / flux[red] > 0.0:
                    continue
                last[p], times[1, p] = flux[blue] / flux[red], mjd[i]
                if math.isnan(first[p]):
                    first[p], times[0, p] = last[p], mjd[i]
        _colours_of(first, last, times, out[k])


@kernel
def _colours_of(first: Floats, last: Floats, times: Floats, out: Floats) -> None:
    for p in range(_N_PAIRS):
        if not math.isnan(first[p]):
            out[2, p], out[3, p] = -2.5 * math.log10(first[p]), -2.5 * math.log10(last[p])
            if times[1, p] - times[0, p] > NIGHT:
                out[4, p] = out[3, p] - out[2, p]


FEATURES = FeatureFamily("colours", _FEATURES, _compute)
