"""The measurement that stands for each visit: one loop over a batch's measurements, owner by owner."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas._jit import inlined, kernel
from schemas.alerts import BANDS

VISIT_SECONDS = 1.0
"""Where packets carry no visit number, measurements of one band this close in time belong to one visit. Exposures of
the surveys last 30 s, and one exposure's time is given to better than 0.1 s."""

SOURCE, UNUSABLE = 1, 2
"""What makes up a measurement's rank within its visit, the lowest of which comes first: bits of a number."""

_N_BANDS = len(BANDS)
_SECONDS_PER_DAY = 86400.0

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ranks = NDArray[np.int8]


@kernel
def _by_band(n: int, owner: Ints, band: Ints, placed: Flags) -> tuple[Ints, Ints]:
    """Placed measurements by owner and band, otherwise as they were, and where each owner's of each band start."""
    starts = np.zeros(n * _N_BANDS + 1, np.int64)
    for row in range(len(owner)):
        starts[owner[row] * _N_BANDS + band[row] + 1] += placed[row]
    starts = np.cumsum(starts)
    place, index = starts.copy(), np.empty(starts[-1], np.int64)
    for row in range(len(owner)):
        if placed[row]:
            group = owner[row] * _N_BANDS + band[row]
            index[place[group]] = row
            place[group] += 1
    return index, starts


@inlined
def _better(one: int, other: int, mjd: Floats, flux: Floats, flux_err: Floats, rank: Ranks) -> bool:
    """Whether a measurement comes before another one of its visit."""
    if rank[one] != rank[other]:
        return rank[one] < rank[other]
    if flux_err[one] != flux_err[other]:
        return flux_err[one] < flux_err[other]
    if flux[one] != flux[other]:
        return flux[one] < flux[other]
    return mjd[one] < mjd[other]


@kernel
def _ascent(index: Ints, start: int, values: NDArray[Any]) -> int:
    """Where the stretch of ascending values ends that begins at `start`."""
    end = start + 1
    while end < len(index) and values[index[end - 1]] <= values[index[end]]:
        end += 1
    return end


@kernel
def _merged(index: Ints, start: int, middle: int, end: int, values: NDArray[Any], into: Ints) -> None:
    """Merge two neighbouring stretches; of equal values those of the first one come first."""
    one, other = start, middle
    for k in range(start, end):
        if other >= end or (one < middle and values[index[one]] <= values[index[other]]):
            into[k] = index[one]
            one += 1
        else:
            into[k] = index[other]
            other += 1


@kernel
def _order(index: Ints, values: NDArray[Any], spare: Ints) -> None:
    """Put rows in the order of their values, those of equal value as they were, by merging stretches that ascend.

    There are few: packets list the earlier sources, and the forced photometry, in the order of time.
    """
    while _ascent(index, 0, values) < len(index):
        start = 0
        while start < len(index):
            middle = _ascent(index, start, values)
            end = _ascent(index, middle, values) if middle < len(index) else middle
            _merged(index, start, middle, end, values, spare)
            start = end
        index[:] = spare[: len(index)]


@kernel
def _order_in_time(index: Ints, mjd: Floats, flux: Floats, flux_err: Floats, spare: Ints) -> None:
    """Put rows of one band in the order of time; at one time, which is rare, in that of their fluxes and errors."""
    _order(index, mjd, spare)
    for k in range(1, len(index)):
        if mjd[index[k]] == mjd[index[k - 1]]:
            _order(index, flux_err, spare)
            _order(index, flux, spare)
            _order(index, mjd, spare)
            return


@inlined
def _apart(one: int, other: int, mjd: Floats, visit: Ints, by_time: bool) -> bool:
    """Whether a row and the next one are of different visits."""
    if by_time:
        return (mjd[other] - mjd[one]) * _SECONDS_PER_DAY > VISIT_SECONDS
    return visit[one] != visit[other]


@kernel
def _choose(
    index: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    rank: Ranks,
    visit: Ints,
    by_time: bool,
    chosen: Ints,
    detected: Flags,
) -> int:
    """Choose the best row of each visit of rows in the order of visits; how many.

    `chosen` takes the rows, and `detected` whether a chosen row's visit is.
    """
    n, best = 0, index[0]
    seen = rank[best]
    for k in range(1, len(index)):
        row = index[k]
        if _apart(index[k - 1], row, mjd, visit, by_time):
            chosen[n], detected[best] = best, seen & SOURCE != 0
            n += rank[best] < UNUSABLE  # or else the place is written again
            best, seen = row, rank[row]
        else:
            seen |= rank[row]
            if _better(row, best, mjd, flux, flux_err, rank):
                best = row
    chosen[n], detected[best] = best, seen & SOURCE != 0
    return n + (rank[best] < UNUSABLE)


@kernel
def one_per_visit(
    n: int,
    owner: Ints,
    mjd: Floats,
    flux: Floats,
    flux_err: Floats,
    band: Ints,
    placed: Flags,
    rank: Ranks,
    visit: Ints,
    by_time: bool,
) -> tuple[Ints, Flags, Ints]:
    """Choose the measurement that stands for each visit of each owner's band.

    A usable measurement comes before an unusable one, forced photometry before a source, then the smaller error; the
    rest only makes the choice independent of the order in the packet. A visit without a usable one has none.

    Parameters
    ----------
    n : number of owners.
    owner, mjd, flux, flux_err, band, visit : as in `schemas.survey.RawPoints`.
    placed : bool array
        Whether time and band are known; other rows are passed over.
    rank : int8 array
        `SOURCE` for what isn't forced photometry, and `UNUSABLE` for what can't be used, added up.
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
    index, starts = _by_band(n, owner, band, placed)
    best, spare, detected = np.empty_like(index), np.empty_like(index), np.zeros(len(owner), np.bool_)
    offsets, used = np.zeros(n + 1, np.int64), 0
    for k in range(n):
        for group in range(k * _N_BANDS, (k + 1) * _N_BANDS):
            own = index[starts[group] : starts[group + 1]]
            if not len(own):
                continue
            if by_time:
                _order(own, mjd, spare)
            else:
                _order(own, visit, spare)
            count = _choose(own, mjd, flux, flux_err, rank, visit, by_time, best[used:], detected)
            _order_in_time(best[used : used + count], mjd, flux, flux_err, spare)
            used += count
        _order(best[offsets[k] : used], mjd, spare)
        offsets[k + 1] = used
    best = best[:used]
    return best, detected[best], offsets
