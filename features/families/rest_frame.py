"""What would it look like up close? Times and luminosities in the frame of the host, from its photometric redshift."""

import math

import numpy as np

from features._bands import per_band
from features._cosmology import distance_modulus
from features._jit import N_BANDS, Floats, Ints, flat, frozen, kernel
from features.family import Feature, FeatureFamily, FeatureInput

AB_ZERO_POINT = 31.4
"""AB magnitude of a flux of 1 nJy."""

_FEATURES = (
    Feature("host_photoz", "Photometric redshift of the host; 0 in PLAsTiCC means inside the Milky Way.", "", "Boreal"),
    Feature("host_photoz_err", "Standard error of the host's photometric redshift.", "", "Boreal"),
    Feature("milky_way_ebv", "Reddening E(B-V) of the Milky Way in this direction.", "mag", "Boreal"),
    Feature(
        "distance_modulus",
        "Distance modulus of the host's photometric redshift, flat LCDM with H0 = 70, Om = 0.3.",
        "mag",
        "Kessler et al. 2019, PASP 131, 094501",
    ),
    Feature(
        "rest_days_since_first_detection", "Rest-frame time from the first detection to the last point.", "d", "Boreal"
    ),
    Feature("rest_detection_span", "Rest-frame time from the first to the last detection.", "d", "Boreal"),
    Feature("rest_days_to_peak", "Rest-frame time from the first detection to the peak.", "d", "Boreal"),
    Feature("rest_days_since_peak", "Rest-frame time from the peak to the last point.", "d", "Boreal"),
    Feature(
        "absolute_magnitude",
        "Absolute AB magnitude of the brightest band at its point of highest |S/N|; no K correction, no extinction.",
        "mag",
        "Boreal",
    ),
    *per_band(
        "absolute_magnitude",
        "Absolute AB magnitude in {band} at its point of highest |S/N|; no K correction, no extinction.",
        "mag",
    ),
)
_TIMES, _BRIGHTEST = 4, 8


def _compute(given: FeatureInput, /) -> Floats:
    offsets, mjd, flux, *_ = flat(given.curves)
    marks = given.landmarks
    modulus = frozen(distance_modulus(given.host_photoz))
    out = np.full((len(given.curves), len(_FEATURES)), np.nan)
    out[:, :_TIMES] = np.column_stack([given.host_photoz, given.host_photoz_err, given.milky_way_ebv, modulus])
    stretch = frozen(1.0 + np.where(given.host_photoz >= 0.0, given.host_photoz, np.nan))
    _durations(offsets, mjd, marks.first_detection, marks.last_detection, marks.peak, stretch, out)
    _luminosities(flux, marks.band_peak, modulus, out)
    return out


@kernel
def _durations(offsets: Ints, mjd: Floats, first: Ints, last: Ints, peak: Ints, stretch: Floats, out: Floats) -> None:
    for k in range(len(out)):
        if peak[k] < 0:
            continue
        end = mjd[offsets[k + 1] - 1]
        out[k, 7] = (end - mjd[peak[k]]) / stretch[k]
        if first[k] >= 0:
            begin = mjd[first[k]]
            out[k, 4] = (end - begin) / stretch[k]
            out[k, 5] = (mjd[last[k]] - begin) / stretch[k]
            out[k, 6] = (mjd[peak[k]] - begin) / stretch[k]


@kernel
def _luminosities(flux: Floats, band_peak: Ints, modulus: Floats, out: Floats) -> None:
    for k in range(len(out)):
        for b in range(N_BANDS):
            i = band_peak[k, b]
            if i >= 0 and flux[i] > 0.0:
                magnitude = AB_ZERO_POINT - 2.5 * math.log10(flux[i]) - modulus[k]
                out[k, _BRIGHTEST + 1 + b] = magnitude
                if not magnitude >= out[k, _BRIGHTEST]:
                    out[k, _BRIGHTEST] = magnitude


FEATURES = FeatureFamily("rest_frame", _FEATURES, _compute)
