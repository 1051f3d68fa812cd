"""The points of a batch band by band: what runs within a band then runs over neighbours in memory."""

from dataclasses import dataclass

import numpy as np

from features._jit import N_BANDS, Bands, Floats, Ints, flat, frozen, kernel
from schemas.alerts import LightCurves


@dataclass(frozen=True)
class ByBand:
    """Points of a batch, object by object, band by band, in their order of time.

    Parameters
    ----------
    edges : int64 array, shape (n_objects * 6 + 1,)
        Band ``b`` of object ``k`` owns points ``edges[6 * k + b]:edges[6 * k + b + 1]``.
    place : int64 array, shape (n_points,)
        Where each point of the light curves lies here.
    mjd, flux, flux_err : float64 array, shape (n_points,)
    """

    edges: Ints
    place: Ints
    mjd: Floats
    flux: Floats
    flux_err: Floats


def by_band(curves: LightCurves) -> ByBand:
    """Sort the points of every light curve by band."""
    offsets, mjd, flux, flux_err, band, _ = flat(curves)
    edges = np.zeros(len(curves) * N_BANDS + 1, dtype=np.int64)
    place = np.empty(len(mjd), dtype=np.int64)
    points = np.empty((3, len(mjd)))
    _sort(offsets, band, edges, place)
    _move(mjd, flux, flux_err, place, points)
    return ByBand(frozen(edges), frozen(place), *(frozen(row) for row in points))


@kernel
def _sort(offsets: Ints, band: Bands, edges: Ints, place: Ints) -> None:
    """By counting, which keeps the order within a band."""
    following = np.empty(N_BANDS, np.int64)
    for k in range(len(offsets) - 1):
        following[:] = 0
        for i in range(offsets[k], offsets[k + 1]):
            following[band[i]] += 1
        begin = offsets[k]
        for b in range(N_BANDS):
            count, following[b] = following[b], begin
            begin += count
            edges[k * N_BANDS + b + 1] = begin
        for i in range(offsets[k], offsets[k + 1]):
            place[i] = following[band[i]]
            following[band[i]] += 1


@kernel
def _move(mjd: Floats, flux: Floats, flux_err: Floats, place: Ints, points: Floats) -> None:
    for i in range(len(place)):
        points[0, place[i]], points[1, place[i]], points[2, place[i]] = mjd[i], flux[i], flux_err[i]
