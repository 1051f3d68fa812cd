"""From measurements to light curves: sort by time, one row per visit, drop and count what can't be used."""

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import LightCurves
from schemas.survey import RawPoints

VISIT_SECONDS = 1.0
"""Where packets carry no visit number, measurements of one band this close in time belong to one visit. Exposures of
the surveys last 30 s, and one exposure's time is given to better than 0.1 s."""

MJD_RANGE = (0.0, 200000.0)
"""No measurement is from outside 1858 to 2406; packets can hold any number."""

FLUX_RANGE = (1e-30, 1e30)
"""No flux other than 0 and no error is smaller or larger [nJy]: the Sun has 1e23. Within it, the squares and ratios
that features take stay finite."""

_SECONDS_PER_DAY = 86400.0


def _visits_by_time(points: RawPoints) -> NDArray[np.int64]:
    """Number the visits where the packets don't: a new one after each gap in time, of one owner's band."""
    order = np.lexsort((points.mjd, points.band, points.owner))
    owner, band, mjd = points.owner[order], points.band[order], points.mjd[order]
    apart = np.diff(mjd) * _SECONDS_PER_DAY > VISIT_SECONDS
    new = np.concatenate([[True], apart | (np.diff(owner) != 0) | (np.diff(band) != 0)])[: len(order)]
    visit = np.empty(len(order), dtype=np.int64)
    visit[order] = np.cumsum(new)
    return visit


def _select(points: RawPoints, rows: NDArray[np.bool_]) -> RawPoints:
    visit = None if points.visit is None else points.visit[rows]
    # Adding 0 turns -0.0 into 0.0, so that equal measurements are equal bit for bit.
    flux = points.flux[rows] + 0.0
    kept = points.owner[rows], points.mjd[rows], flux, points.flux_err[rows], points.band[rows], points.forced[rows]
    return RawPoints(*kept, visit)


def _starts(*keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where a new combination of keys begins, in arrays sorted by them."""
    changed = np.any([np.diff(key) != 0 for key in keys], axis=0)
    return np.flatnonzero(np.concatenate([[True], changed])[: len(keys[0])])


def _one_per_visit(points: RawPoints, usable: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The measurement that stands for each visit, and whether the visit has a difference-image source.

    A usable measurement comes before an unusable one, forced photometry before a source, then the smaller error; the
    rest only makes the choice independent of the order in the packet.
    """
    visit = _visits_by_time(points) if points.visit is None else points.visit
    rank = (points.mjd, points.flux, points.flux_err, ~points.forced, ~usable)
    order = np.lexsort((*rank, visit, points.band, points.owner))
    starts = _starts(points.owner[order], points.band[order], visit[order])
    detected = np.logical_or.reduceat(~points.forced[order], starts)
    best = order[starts]
    return best[usable[best]], detected[usable[best]]


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
    points, usable = _select(points, placed), usable[placed]
    if not usable.any():
        return _empty(n), n_dropped
    best, detected = _one_per_visit(points, usable)
    order = np.lexsort(
        (points.flux_err[best], points.flux[best], points.band[best], points.mjd[best], points.owner[best])
    )
    best, detected = best[order], detected[order]
    curves = LightCurves(
        offsets=np.searchsorted(points.owner[best], np.arange(n + 1)).astype(np.int64),
        mjd=points.mjd[best],
        flux=points.flux[best],
        flux_err=points.flux_err[best],
        band=points.band[best].astype(np.uint8),
        detected=detected,
    )
    return curves, n_dropped


def _in_flux_range(size: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((size >= FLUX_RANGE[0]) & (size <= FLUX_RANGE[1]))


def _empty(n: int) -> LightCurves:
    none = np.empty(0)
    return LightCurves(np.zeros(n + 1, np.int64), none, none, none, none.astype(np.uint8), none.astype(np.bool_))
