"""How does it vary in each band? Order and shape statistics of the difference flux, band by band."""

import numpy as np

from features._bands import per_band
from features._jit import Floats
from features._order import median_deviations
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
_SHAPES = ("stetson_K", "eta", "kurtosis")


def _compute(given: FeatureInput, /) -> Floats:
    found = given.statistics
    constant = found["amplitude"] == 0.0  # what rounding leaves of identical fluxes has no shape
    shapes = [np.where(constant, np.nan, found[name]) for name in _SHAPES]
    error = found["linear_fit_slope_sigma"]
    fitted = np.isfinite(error) & (error > 0.0)  # not all points at one time
    slope, error = (np.where(fitted, values, np.nan) for values in (found["linear_fit_slope"], error))
    deviation = np.full(fitted.shape, np.nan)
    median_deviations(given.by_band.edges, given.by_band.flux, deviation.reshape(-1))
    return np.hstack([*shapes, deviation, slope, slope / error])


FEATURES = FeatureFamily("variability", _FEATURES, _compute)
