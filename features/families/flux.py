"""How bright was it in each band? Statistics of the difference flux, band by band."""

import numpy as np

from features._bands import per_band
from features._jit import N_BANDS, Bands, Flags, Floats, Ints, flat, kernel
from features.family import FeatureFamily, FeatureInput

_LIGHT_CURVE = "light-curve, Malanchev et al. 2021, MNRAS 502, 5147"
_COUNTED = 6

_FEATURES = (
    *per_band("n_points", "Number of points in {band}.", ""),
    *per_band("n_detections", "Number of points in {band} that were detected on the difference image.", ""),
    *per_band("flux_max", "Highest difference flux in {band}.", "nJy"),
    *per_band("flux_min", "Lowest difference flux in {band}.", "nJy"),
    *per_band("flux_last", "Difference flux of the last point in {band}.", "nJy"),
    *per_band("snr_max", "Highest ratio of absolute flux to error in {band}.", ""),
    *per_band("flux_amplitude", "Half the range of flux in {band}.", "nJy", _LIGHT_CURVE),
    *per_band("flux_mean", "Mean flux in {band}, weighted by inverse variance.", "nJy", _LIGHT_CURVE),
    *per_band("flux_std", "Standard deviation of flux in {band} (n - 1).", "nJy", _LIGHT_CURVE),
    *per_band("chi2_constant", "Reduced chi2 of the fluxes in {band} about their weighted mean.", "", _LIGHT_CURVE),
    *per_band("flux_skew", "Sample skewness G1 of flux in {band}.", "", _LIGHT_CURVE),
)
_STATISTICS = ("amplitude", "weighted_mean", "standard_deviation", "chi2")


def _compute(given: FeatureInput, /) -> Floats:
    counted = np.full((len(given.curves), _COUNTED, N_BANDS), np.nan)
    offsets, _, flux, flux_err, band, detected = flat(given.curves)
    _count(offsets, flux, flux_err, band, detected, counted)
    constant = counted[:, 2] == counted[:, 3]  # what rounding leaves of identical fluxes has no shape
    skew = np.where(constant, np.nan, given.statistics["skew"])
    statistics = [given.statistics[name] for name in _STATISTICS]
    return np.hstack([counted.reshape(len(counted), _COUNTED * N_BANDS), *statistics, skew])


@kernel
def _count(offsets: Ints, flux: Floats, flux_err: Floats, band: Bands, detected: Flags, out: Floats) -> None:
    for k in range(len(offsets) - 1):
        out[k, :2] = 0.0
        for i in range(offsets[k], offsets[k + 1]):
            b = band[i]
            snr = abs(flux[i]) / flux_err[i]
            first = out[k, 0, b] == 0.0
            out[k, 0, b] += 1.0
            out[k, 1, b] += detected[i]
            out[k, 2, b] = flux[i] if first else max(out[k, 2, b], flux[i])
            out[k, 3, b] = flux[i] if first else min(out[k, 3, b], flux[i])
            out[k, 4, b] = flux[i]
            out[k, 5, b] = snr if first else max(out[k, 5, b], snr)


FEATURES = FeatureFamily("flux", _FEATURES, _compute)
