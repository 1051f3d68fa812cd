"""From measurements to light curves: sort by time, one row per visit, drop and count what can't be used."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas._visits import SOURCE, UNUSABLE, one_per_visit
from schemas.alerts import LightCurves
from schemas.survey import RawPoints

MJD_RANGE = (0.0, 200000.0)
"""No measurement is from outside 1858 to 2406; packets can hold any number."""

FLUX_RANGE = (1e-30, 1e30)
"""No flux other than 0 and no error is smaller or larger [nJy]: the Sun has 1e23. Within it, the squares and ratios
that features take stay finite."""


def merge(points: RawPoints, n: int) -> tuple[LightCurves, NDArray[np.int32]]:
    """Merge measurements into light curves.

    A measurement can be used if its time is within `MJD_RANGE`, its flux is 0 or its size within `FLUX_RANGE`, its
    error within `FLUX_RANGE`, and its band is one of ugrizy. Each visit of each band gives one point: the forced
    photometry if it can be used, otherwise the difference-image source; the point is `detected` if the visit has a
    difference-image source at all.

    Parameters
    ----------
    points : RawPoints
    n : number of packets.

    Returns
    -------
    curves : LightCurves
        Of n objects, ascending in time.
    n_dropped : int32 array, shape (n,)
        Number of measurements of each packet that can't be used.
    """
    placed = (points.mjd >= MJD_RANGE[0]) & (points.mjd <= MJD_RANGE[1]) & (points.band >= 0)
    usable = placed & ((points.flux == 0) | _in_flux_range(np.abs(points.flux))) & _in_flux_range(points.flux_err)
    n_dropped = np.bincount(points.owner[~usable], minlength=n).astype(np.int32)
    rank = np.int8(SOURCE) * ~points.forced + np.int8(UNUSABLE) * ~usable
    by_time, visit = points.visit is None, points.owner if points.visit is None else points.visit
    measured = (points.owner, points.mjd, points.flux, points.flux_err, points.band, placed, rank, visit)
    best, detected, offsets = one_per_visit(n, *map(_plain, measured), by_time)
    curves = LightCurves(
        offsets=offsets,
        mjd=points.mjd[best],
        flux=points.flux[best] + 0.0,  # turns -0.0 into 0.0, so that equal measurements are equal bit for bit
        flux_err=points.flux_err[best],
        band=points.band[best].astype(np.uint8),
        detected=detected,
    )
    return curves, n_dropped


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous read-only view: numba would compile the kernel again for any other kind of array."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _in_flux_range(size: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((size >= FLUX_RANGE[0]) & (size <= FLUX_RANGE[1]))
