"""From the values that were read to columns and measurements: what every survey module needs."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.alerts import BANDS
from schemas.survey import RawPoints

_BANDS = pa.array(BANDS)


def numbers(values: pa.Array) -> NDArray[np.float64]:
    """Values as float64, NaN where null."""
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def column(values: NDArray[np.float64]) -> pa.Array:
    """A float column, null where the value isn't a finite number."""
    return pa.array(values, mask=~np.isfinite(values))


def bands(names: pa.Array) -> pa.Array:
    """The names that are one of `schemas.alerts.BANDS`; null for any other."""
    return _BANDS.take(pc.index_in(names, value_set=_BANDS))


def band_index(names: pa.Array) -> NDArray[np.int64]:
    """Places in `schemas.alerts.BANDS`, -1 for any other name."""
    return np.asarray(pc.fill_null(pc.index_in(names, value_set=_BANDS), -1), dtype=np.int64)


def unless(values: pa.Array, unfilled: int | str) -> pa.Array:
    """The values, null for the one that stands for nothing."""
    return pc.if_else(pc.equal(values, unfilled), pa.scalar(None, values.type), values)


def is_true(values: pa.Array) -> pa.Array:
    """A bool column without nulls: false where it was null."""
    return pc.fill_null(values, False)


def flux_columns(flux: NDArray[np.float64], flux_err: NDArray[np.float64]) -> dict[str, pa.Array]:
    """The columns flux and flux_err; an error that isn't above 0 isn't known."""
    return {"flux": column(flux), "flux_err": column(np.where(flux_err > 0, flux_err, np.nan))}


def snr(flux: NDArray[np.float64], flux_err: NDArray[np.float64]) -> pa.Array:
    """The column snr, abs(flux) / flux_err, for surveys whose packets have none that can be trusted."""
    known = flux_err > 0
    return column(np.where(known, np.abs(flux) / np.where(known, flux_err, 1.0), np.nan))


def joined(parts: Sequence[RawPoints]) -> RawPoints:
    """Measurements of several kinds as one; either all parts have visit numbers or none has."""
    visits = [part.visit for part in parts if part.visit is not None]
    return RawPoints(
        owner=np.concatenate([part.owner for part in parts]),
        mjd=np.concatenate([part.mjd for part in parts]),
        flux=np.concatenate([part.flux for part in parts]),
        flux_err=np.concatenate([part.flux_err for part in parts]),
        band=np.concatenate([part.band for part in parts]),
        forced=np.concatenate([part.forced for part in parts]),
        visit=np.concatenate(visits) if visits else None,
    )
