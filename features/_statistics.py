"""Per-band statistics of the light-curve library, for whole batches."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from features._by_band import ByBand
from features._jit import N_BANDS, Floats, frozen
from schemas.alerts import LightCurves

_EVALUATORS = (
    "Amplitude",
    "WeightedMean",
    "StandardDeviation",
    "ReducedChi2",
    "Skew",
    "StetsonK",
    "Eta",
    "Kurtosis",
    "LinearFit",
)
_FIELDS = {"t": "mjd", "m": "flux", "sigma": "flux_err"}


def band_statistics(curves: LightCurves, points: ByBand) -> Mapping[str, Floats]:
    """Evaluate light-curve's statistics in each band alone, on flux and time since the object's first point.

    Returns
    -------
    By light-curve's name of each, a read-only float64 array of shape (n_objects, 6), bands in the order of `BANDS`;
    NaN where a band has too few points.
    """
    extractor = _extractor()
    found = np.empty((len(curves), N_BANDS, len(extractor.names)))
    if len(curves):  # light-curve refuses an empty batch
        columns = [pa.array(values) for values in (_since_first_point(curves, points), points.flux, points.flux_err)]
        struct = pa.StructArray.from_arrays(columns, list(_FIELDS.values()))
        array = pa.ListArray.from_arrays(pa.array(points.edges, pa.int32()), struct)
        rows = extractor.many(array, arrow_fields=_FIELDS, fill_value=np.nan, sorted=True, check=False, n_jobs=1)
        found[:] = rows.reshape(found.shape)
    return {name: frozen(found[:, :, place]) for place, name in enumerate(extractor.names)}


@lru_cache(maxsize=1)
def _extractor() -> Any:
    import light_curve

    return light_curve.Extractor(*(getattr(light_curve, name)() for name in _EVALUATORS))


def _since_first_point(curves: LightCurves, points: ByBand) -> Floats:
    """MJD itself would cost the linear fit five digits."""
    filled = curves.lengths > 0
    return points.mjd - np.repeat(curves.mjd[curves.offsets[:-1][filled]], curves.lengths[filled])
