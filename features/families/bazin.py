"""What shape has the outburst? A Bazin function fitted to all bands at once."""

import math

import numpy as np

from features._bands import PAIRS, per_band, per_pair
from features._bazin import N_RESULTS, fit_all
from features._cosmology import distance_modulus
from features._jit import N_BANDS, Floats, Ints, flat, frozen, kernel
from features.families.rest_frame import AB_ZERO_POINT
from features.family import Feature, FeatureFamily, FeatureInput

_SOURCE = "Bazin et al. 2009, A&A 499, 653, eq. 1"

_FEATURES = (
    Feature("bazin_t0", "Time from the first detection to t0 of the fit.", "d", _SOURCE),
    Feature("bazin_peak_time", "Time from the first detection to the fit's peak.", "d", _SOURCE),
    Feature("bazin_rise", "Rise time of the fit.", "d", _SOURCE),
    Feature("bazin_fall", "Fall time of the fit.", "d", _SOURCE),
    Feature("bazin_chi2", "Chi2 of the fit per degree of freedom.", "", _SOURCE),
    Feature("bazin_gain", "1 less the ratio of the fit's chi2 to that of one constant a band.", "", _SOURCE),
    Feature(
        "bazin_rest_rise", "Rise time of the fit in the rest frame of the host's photometric redshift.", "d", _SOURCE
    ),
    Feature(
        "bazin_rest_fall", "Fall time of the fit in the rest frame of the host's photometric redshift.", "d", _SOURCE
    ),
    Feature(
        "bazin_absolute_magnitude", "Absolute AB magnitude of the fit's brightest band at its peak.", "mag", _SOURCE
    ),
    *per_band(
        "bazin_flux", "Flux of the fit's peak in {band}; unknown where no point sees 1/20 of it.", "nJy", _SOURCE
    ),
    *per_pair("bazin_colour", "{blue} - {red} colour of the fit, where both its fluxes have one sign.", "mag", _SOURCE),
)


def _compute(given: FeatureInput, /) -> Floats:
    offsets, mjd, *_ = flat(given.curves)
    marks, points = given.landmarks, given.by_band
    fit = np.full((len(given.curves), N_RESULTS + N_BANDS), np.nan)
    fit_all(offsets, marks.peak, points.edges, points.place, points.mjd, points.flux, points.flux_err, fit)
    out = np.full((len(given.curves), len(_FEATURES)), np.nan)
    _since_detection(mjd, marks.first_detection, marks.peak, fit, out)
    out[:, 2:6] = fit[:, 2:N_RESULTS]
    stretch = 1.0 + np.where(given.host_photoz >= 0.0, given.host_photoz, np.nan)
    out[:, 6:8] = fit[:, 2:4] / stretch[:, None]
    _magnitudes(frozen(fit[:, N_RESULTS:]), frozen(distance_modulus(given.host_photoz)), out)
    return out


@kernel
def _since_detection(mjd: Floats, first: Ints, peak: Ints, fit: Floats, out: Floats) -> None:
    for k in range(len(out)):
        if first[k] >= 0:
            out[k, 0] = fit[k, 0] + (mjd[peak[k]] - mjd[first[k]])
            out[k, 1] = fit[k, 1] + (mjd[peak[k]] - mjd[first[k]])


@kernel
def _magnitudes(flux: Floats, modulus: Floats, out: Floats) -> None:
    for k in range(len(out)):
        brightest = np.nan
        for b in range(N_BANDS):
            out[k, 9 + b] = flux[k, b]
            if flux[k, b] > 0.0 and not flux[k, b] <= brightest:
                brightest = flux[k, b]
        out[k, 8] = AB_ZERO_POINT - 2.5 * math.log10(brightest) - modulus[k]
        for p in range(len(PAIRS)):
            ratio = flux[k, p] / flux[k, p + 1]
            if ratio > 0.0:
                out[k, 9 + N_BANDS + p] = -2.5 * math.log10(ratio)


FEATURES = FeatureFamily("bazin", _FEATURES, _compute)
