"""Per-band statistics of the light-curve library, for whole batches."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from features._jit import N_BANDS, Floats
from schemas.alerts import BANDS, LightCurves, light_curve_array

_FIELDS = {"t": "mjd", "m": "flux", "sigma": "flux_err", "band": "band"}


def band_statistics(curves: LightCurves, evaluators: tuple[str, ...], columns: Sequence[str]) -> Floats:
    """Evaluate statistics of light-curve in each band alone, on flux and time since the object's first point.

    Parameters
    ----------
    curves : LightCurves
    evaluators : names of light-curve's classes
    columns : names of their outputs, without the band

    Returns
    -------
    float64 array, shape (n_objects, n_columns * 6), bands within columns in the order of `BANDS`.
    NaN where a band has too few points.
    """
    if not len(curves):  # light-curve refuses an empty batch
        return np.empty((0, len(columns) * N_BANDS))
    extractor, picked = _extractor(evaluators, tuple(columns))
    array = light_curve_array(replace(curves, mjd=_since_first_point(curves)))
    found = extractor.many(array, arrow_fields=_FIELDS, fill_value=np.nan, sorted=True, check=False, n_jobs=1)
    return np.asarray(found[:, picked], dtype=np.float64)


@lru_cache
def _extractor(evaluators: tuple[str, ...], columns: tuple[str, ...]) -> tuple[Any, list[int]]:
    import light_curve

    extractor = light_curve.Extractor(*(getattr(light_curve, name)(bands=list(BANDS)) for name in evaluators))
    return extractor, [extractor.names.index(f"{column}_{band}") for column in columns for band in BANDS]


def _since_first_point(curves: LightCurves) -> Floats:
    """MJD itself would cost the linear fit five digits."""
    filled = curves.lengths > 0
    return curves.mjd - np.repeat(curves.mjd[curves.offsets[:-1][filled]], curves.lengths[filled])
