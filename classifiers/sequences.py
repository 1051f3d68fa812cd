"""Light curves as the recurrent member reads them: a row of numbers per point, and a few per object.

The network and its training read the same functions. Everything here is element by element, so that an object's
numbers never depend on the objects beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import beginning
from features._jit import frozen, kernel
from features.family import FeatureInput
from schemas.alerts import BANDS, LightCurves

MAX_POINTS = 64
"""The longest sequence; `thin` says which points of a longer light curve are read."""

WAVELENGTHS = np.array([367.1, 482.7, 622.3, 754.6, 869.1, 971.2])
"""Effective wavelengths of ugrizy [nm] (LSST Science Book, arXiv:0912.0201, and the LSST throughputs 1.9)."""

POINT_INPUTS = (
    "asinh_flux",
    "asinh_snr",
    "flux_over_peak",
    "log_flux_err",
    "log_days_since_last",
    "log_days_since_first_detection",
    "detected",
    *(f"band_{band}" for band in BANDS),
    "log_rest_days_since_last",
    "log_rest_days_since_first_detection",
    "log_rest_wavelength",
)
"""The numbers of a point; the last three are 0 where the host's photo-z isn't known."""

OBJECT_INPUTS = ("photoz_known", "log_1_plus_z", "photoz_err", "ebv_known", "ebv", "log_points", "log_detections")
"""The numbers of an object; 0 where not known, and a number that says whether it is known."""


@dataclass(frozen=True)
class Sequences:
    """Network inputs of n objects.

    Parameters
    ----------
    points : float32 array, shape (n_points, len(POINT_INPUTS))
        Object ``k`` owns rows ``offsets[k]:offsets[k + 1]``.
    offsets : int64 array, shape (n + 1,)
    objects : float32 array, shape (n, len(OBJECT_INPUTS))
    """

    points: NDArray[np.float32]
    offsets: NDArray[np.int64]
    objects: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of points of each object, shape (n,)."""
        return np.diff(self.offsets)

    def block(self, rows: NDArray[np.int64], n_steps: int, n_rows: int) -> tuple[NDArray[np.float32], ...]:
        """Some objects as one zero-padded block of fixed shape.

        Parameters
        ----------
        rows : int64 array, shape (k,), k at most `n_rows`
            Objects with at most `n_steps` points.

        Returns
        -------
        points : shape (n_steps, n_rows, len(POINT_INPUTS))
        mask : shape (n_steps, n_rows, 1), 1 where there is a point
        last : shape (n_steps, n_rows, 1), 1 at the last point
        objects : shape (n_rows, len(OBJECT_INPUTS))
        """
        lengths = self.lengths[rows]
        points = np.zeros((n_steps, n_rows, self.points.shape[1]), np.float32)
        mask, last = np.zeros((2, n_steps, n_rows, 1), np.float32)
        objects = np.zeros((n_rows, self.objects.shape[1]), np.float32)
        column = np.repeat(np.arange(len(rows)), lengths)
        step = np.arange(len(column)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        points[step, column] = self.points[self.offsets[rows][column] + step]
        mask[step, column] = 1
        last[lengths - 1, np.arange(len(rows))] = 1
        objects[: len(rows)] = self.objects[rows]
        return points, mask, last, objects


def sequences(given: FeatureInput) -> Sequences:
    """The network's inputs of every object.

    Raises
    ------
    ValueError
        If an object has no points.
    """
    if not given.curves.lengths.all():
        raise ValueError("an object without points has no sequence; leave such objects out")
    curves = thin(given.curves, MAX_POINTS)
    return Sequences(_point_inputs(curves, given.host_photoz), curves.offsets, _object_inputs(given))


def thin(curves: LightCurves, most: int) -> LightCurves:
    """Light curves with at most `most` points each.

    Detections come first: all of them are kept and the other points are thinned evenly, by their rank in time, to
    fill the rest. Detections themselves are thinned in the same way where there are more than `most`. The last
    point of each kind is always among those kept.
    """
    return _at(curves, *kept_points(curves, most))


def kept_points(curves: LightCurves, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which points `thin` keeps, shape (n_kept,), and how many of each light curve, shape (n,)."""
    kept, counts = np.empty(len(curves.mjd), np.int64), np.empty(len(curves), np.int64)
    n_kept = _thin(frozen(curves.offsets), frozen(curves.detected), most, kept, counts)
    return kept[:n_kept], counts


@kernel
def _thin(
    offsets: NDArray[np.int64],
    detected: NDArray[np.bool_],
    most: int,
    kept: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> int:
    """Fill in which points are kept and how many of each object; the number of all.

    Of `size` points of a kind, `share` are kept: those where the sum of the shares so far passes a multiple of `size`.
    """
    n_kept = 0
    for k in range(len(counts)):
        before, begin, end = n_kept, offsets[k], offsets[k + 1]
        n_detected = int(np.sum(detected[begin:end]))
        size = (int(end - begin) - n_detected, n_detected)
        share_detected = min(n_detected, most)
        share = (min(size[0], most - share_detected), share_detected)
        passed = [0, 0]
        for point in range(begin, end):
            kind = int(detected[point])
            passed[kind] += share[kind]
            if passed[kind] >= size[kind]:
                passed[kind] -= size[kind]
                kept[n_kept] = point
                n_kept += 1
        counts[k] = n_kept - before
    return n_kept


def select(curves: LightCurves, keep: NDArray[np.bool_]) -> LightCurves:
    """The light curves with only the points where `keep`, shape (n_points,), is true."""
    return _at(curves, np.flatnonzero(keep), np.bincount(curves.owner[keep], minlength=len(curves)))


def _at(curves: LightCurves, points: NDArray[np.int64], counts: NDArray[np.int64]) -> LightCurves:
    return LightCurves(
        np.concatenate([[0], np.cumsum(counts)]),
        curves.mjd[points],
        curves.flux[points],
        curves.flux_err[points],
        curves.band[points],
        curves.detected[points],
    )


def _point_inputs(curves: LightCurves, photoz: NDArray[np.float64]) -> NDArray[np.float32]:
    owner = curves.owner
    known = ~np.isnan(photoz)[owner]
    stretch = np.where(known, 1 + np.maximum(photoz, 0)[owner], 1.0)
    since_last = np.diff(curves.mjd, prepend=curves.mjd[:1])
    since_last[curves.offsets[:-1]] = 0
    since_first = curves.mjd - beginning(curves)[owner]
    columns = (
        np.arcsinh(curves.flux / 100) / 3,
        np.arcsinh(curves.flux / curves.flux_err) / 3,
        np.clip(curves.flux / _peak(curves)[owner], -2, 2),
        np.log10(curves.flux_err / 100),
        _log_days(since_last),
        _log_days(since_first),
        curves.detected,
        *(curves.band == k for k in range(len(BANDS))),
        np.where(known, _log_days(since_last / stretch), 0),
        np.where(known, _log_days(since_first / stretch), 0),
        np.where(known, np.log(WAVELENGTHS[curves.band] / stretch / 500), 0),
    )
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _log_days(days: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.copysign(np.log1p(np.abs(days)), days) / 3)


def _peak(curves: LightCurves) -> NDArray[np.float64]:
    """The largest absolute flux among each object's detections, among all its points where there are none."""
    size = np.abs(curves.flux)
    of_detected, of_all = np.zeros((2, len(curves)))
    np.maximum.at(of_detected, curves.owner[curves.detected], size[curves.detected])
    np.maximum.at(of_all, curves.owner, size)
    peak = np.where(of_detected > 0, of_detected, of_all)
    return np.where(peak > 0, peak, 1.0)


def _object_inputs(given: FeatureInput) -> NDArray[np.float32]:
    has_z, has_ebv = ~np.isnan(given.host_photoz), ~np.isnan(given.milky_way_ebv)
    curves = given.curves
    columns = (
        has_z,
        np.where(has_z, np.log1p(np.maximum(given.host_photoz, 0)), 0) * 2,
        np.nan_to_num(np.clip(given.host_photoz_err, 0, 1)) * 2,
        has_ebv,
        np.nan_to_num(np.log1p(np.maximum(given.milky_way_ebv, 0) * 10)),
        np.log1p(curves.lengths) / 5,
        np.log1p(curves.n_detections) / 5,
    )
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)
