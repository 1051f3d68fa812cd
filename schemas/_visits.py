"""The measurement that stands for each visit: one loop over a batch's measurements, owner by owner."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from schemas.alerts import BANDS

VISIT_SECONDS = 1.0
"""Where packets carry no visit number, measurements of one band this close in time belong to one visit. Exposures of
the surveys last 30 s, and one exposure's time is given to better than 0.1 s."""

kernel: Any = njit(cache=True, error_model="numpy", nogil=True)
"""As the kernels of `features` are compiled."""

_N_BANDS = len(BANDS)
_SECONDS_PER_DAY = 86400.0

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@kernel
def _by_owner(owner: Ints, n: int) -> tuple[Ints, Ints]:
    """Measurements in the order of their owners, otherwise as they were, and where those of each owner start."""
    starts = np.zeros(n + 1, np.int64)
    for k in owner:
        starts[k + 1] += 1
    starts = np.cumsum(starts)
    place, index = starts.copy(), np.empty(len(owner), np.int64)
    for row, k in enumerate(owner):
        index[place[k]] = row
        place[k] += 1
    return index, starts


@kernel
def _better(one: int, other: int, mjd: Floats, flux: Floats, flux_err: Floats, forced: Flags, usable: Flags) -> bool:
    """Whether a measurement comes before another one of its visit."""
    if usable[one] != usable[other]:
        return usable[one]
    if forced[one] != forced[other]:
        return forced[one]
    if flux_err[one] != flux_err[other]:
        return flux_err[one] < flux_err[other]
    if flux[one] != flux[other]:
        return flux[one] < flux[other]
    return mjd[one] < mjd[other]


@kernel
def _stable(index: Ints, values: NDArray[Any]) -> Ints:
    """Rows in the order of their values; those of equal value as they were."""
    return index[np.argsort(values[index], kind="mergesort")]


@kernel
def _in_time(index: Ints, mjd: Floats, flux: Floats, flux_err: Floats) -> Ints:
    """Rows of one band in the order of time; at one time, which is rare, in that of their fluxes and errors."""
    ordered = _stable(index, mjd)
    for k in range(1, len(ordered)):
        if mjd[ordered[k]] == mjd[ordered[k - 1]]:
            return _stable(_stable(_stable(index, flux_err), flux), mjd)
    return ordered


@kernel
def _choose(
    index: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    forced: Flags,
    usable: Flags,
    visit: Ints,
    by_time: bool,
    detected: Flags,
) -> Ints:
    """The best row of each visit, of one owner's rows of one band; `detected` tells there whether the visit is."""
    index = _stable(index, mjd) if by_time else _stable(index, visit)
    chosen, n, start = np.empty(len(index), np.int64), 0, 0
    for k in range(1, len(index) + 1):
        if k < len(index):
            row, before = index[k], index[k - 1]
            apart = (
                (mjd[row] - mjd[before]) * _SECONDS_PER_DAY > VISIT_SECONDS if by_time else visit[row] != visit[before]
            )
            if not apart:
                continue
        best, seen = index[start], False
        for row in index[start:k]:
            seen |= not forced[row]
            if _better(row, best, mjd, flux, flux_err, forced, usable):
                best = row
        if usable[best]:
            chosen[n], detected[best] = best, seen
            n += 1
        start = k
    return _in_time(chosen[:n], mjd, flux, flux_err)


@kernel
def one_per_visit(
    n: int,
    owner: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    band: Ints,
    forced: Flags,
    usable: Flags,
    visit: Ints,
    by_time: bool,
) -> tuple[Ints, Flags, Ints]:
    """Choose the measurement that stands for each visit of each owner's band.

    A usable measurement comes before an unusable one, forced photometry before a source, then the smaller error; the
    rest only makes the choice independent of the order in the packet. A visit without a usable one has none.

    Parameters
    ----------
    n : number of owners.
    owner, mjd, flux, flux_err, band, forced, visit : as in `schemas.survey.RawPoints`, times and bands known.
    usable : bool array
        Whether flux and error can be used.
    by_time : whether visits are told by their times, not by `visit`.

    Returns
    -------
    best : int64 array
        The chosen rows by owner, ascending in time; at one time by band, flux and error.
    detected : bool array
        Whether the visit has a difference-image source, for each of them.
    offsets : int64 array, shape (n + 1,)
        Where each owner's begin.
    """
    index, starts = _by_owner(owner, n)
    best, detected, offsets, used = np.empty(len(owner), np.int64), np.zeros(len(owner), np.bool_), starts.copy(), 0
    for k in range(n):
        offsets[k] = used
        own = index[starts[k] : starts[k + 1]]
        for b in range(_N_BANDS):
            chosen = _choose(own[band[own] == b], mjd, flux, flux_err, forced, usable, visit, by_time, detected)
            best[used : used + len(chosen)] = chosen
            used += len(chosen)
        best[offsets[k] : used] = _stable(best[offsets[k] : used], mjd)
    offsets[n] = used
    best = best[:used]
    return best, detected[best], offsets
