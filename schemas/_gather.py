"""Lists of decoded values as arrays: what every survey module needs to fill columns."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.alerts import BANDS
from schemas.survey import RawPoints

BAND_INDEX = {band: index for index, band in enumerate(BANDS)}

PointRow = tuple[int, float | None, float | None, float | None, int, bool, int]
"""Owner, MJD TAI, flux, flux error, band index, forced, visit."""


def numbers(values: Iterable[Any]) -> NDArray[np.float64]:
    """Values as float64, NaN where null."""
    return np.asarray(pa.array(values, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def column(values: NDArray[np.float64]) -> pa.Array:
    """A float column, null where the value isn't a finite number."""
    return pa.array(values, mask=~np.isfinite(values))


def ids(values: Iterable[Any]) -> pa.Array:
    """An int64 column; a value that isn't an integer is an error, never rounded.

    Raises
    ------
    TypeError
        If a value is neither an integer nor null.
    """
    kept = list(values)
    if not all(value is None or isinstance(value, int) for value in kept):
        raise TypeError("an id that isn't an integer")
    return pa.array(kept, pa.int64())


def flux_columns(flux: NDArray[np.float64], flux_err: NDArray[np.float64]) -> dict[str, pa.Array]:
    """The columns flux and flux_err; an error that isn't above 0 isn't known."""
    return {"flux": column(flux), "flux_err": column(np.where(flux_err > 0, flux_err, np.nan))}


def snr(flux: NDArray[np.float64], flux_err: NDArray[np.float64]) -> pa.Array:
    """The column snr, abs(flux) / flux_err, for surveys whose packets have none that can be trusted."""
    known = flux_err > 0
    return column(np.where(known, np.abs(flux) / np.where(known, flux_err, 1.0), np.nan))


def raw_points(rows: Sequence[PointRow], *, visits: bool) -> RawPoints:
    """Measurements given one row each, as arrays; `visits` says whether the rows carry visit numbers."""
    owner, mjd, flux, flux_err, band, forced, visit = zip(*rows, strict=True) if rows else ((),) * 7
    return RawPoints(
        owner=np.array(owner, dtype=np.int64),
        mjd=numbers(mjd),
        flux=numbers(flux),
        flux_err=numbers(flux_err),
        band=np.array(band, dtype=np.int64),
        forced=np.array(forced, dtype=np.bool_),
        visit=pa.array(visit, pa.int64()).to_numpy() if visits else None,
    )
