"""How does it vary in each band? Order and shape statistics of the difference flux, band by band."""

import numpy as np

from features._bands import per_band
from features._jit import N_BANDS, Floats
from features._statistics import band_statistics
from features.family import FeatureFamily, FeatureInput

_FEATURES = (
    *per_band("stetson_k", "Stetson's K of flux in {band}.", "", "Stetson 1996, PASP 108, 851"),
    *per_band(
        "von_neumann",
        "Mean squared difference of consecutive fluxes in {band}, in units of their variance.",
        "",
        "Kim et al. 2014, A&A 566, A43",
    ),
    *per_band(
        "flux_kurtosis", "Sample excess kurtosis G2 of flux in {band}.", "", "Joanes & Gill 1998, JRSS D 47, 183"
    ),
    *per_band(
        "flux_mad",
        "Median absolute deviation of flux in {band} from its median.",
        "nJy",
        "D'Isanto et al. 2016, MNRAS 457, 3119",
    ),
    *per_band("flux_slope", "Slope of the weighted straight-line fit to flux in {band}.", "nJy / d"),
    *per_band("flux_slope_snr", "The slope of the straight-line fit in {band} divided by its error.", ""),
)
_EVALUATORS = ("Amplitude", "StetsonK", "Eta", "Kurtosis", "MedianAbsoluteDeviation", "LinearFit")
_COLUMNS = (
    "amplitude",
    "stetson_K",
    "eta",
    "kurtosis",
    "median_absolute_deviation",
    "linear_fit_slope",
    "linear_fit_slope_sigma",
)


def _compute(given: FeatureInput, /) -> Floats:
    shape = (len(given.curves), len(_COLUMNS), N_BANDS)
    amplitude, *shapes, mad, slope, error = (
        band_statistics(given.curves, _EVALUATORS, _COLUMNS).reshape(shape).swapaxes(0, 1)
    )
    for statistic in shapes:
        statistic[amplitude == 0.0] = np.nan  # what rounding leaves of identical fluxes has no shape
    error[~(np.isfinite(error) & (error > 0.0))] = np.nan  # all points at one time
    slope[np.isnan(error)] = np.nan
    return np.hstack([*shapes, mad, slope, slope / error])


FEATURES = FeatureFamily("variability", _FEATURES, _compute)
