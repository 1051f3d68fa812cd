"""Percentiles and medians for whole batches, by partial sorting (FIND, Hoare 1961, Commun. ACM 4, 321)."""

from features._jit import Floats, Ints, kernel


@kernel
def percentiles(offsets: Ints, values: Floats, shares: Floats, out: Floats) -> None:
    """Of each object's values, interpolated linearly, for ascending `shares`; `out` has shape (n_objects, n_shares)."""
    for k in range(len(offsets) - 1):
        if offsets[k] < offsets[k + 1]:
            own, begin = values[offsets[k] : offsets[k + 1]].copy(), 0
            for s in range(len(shares)):
                place = shares[s] * (len(own) - 1)
                below = int(place)
                _settle(own, below, begin)
                out[k, s] = own[below] + (place - below) * (_next(own, below) - own[below])
                begin = below


@kernel
def median_deviations(edges: Ints, values: Floats, out: Floats) -> None:
    """Median absolute deviation from the median, of the values between each two edges."""
    for k in range(len(edges) - 1):
        if edges[k] < edges[k + 1]:
            own = values[edges[k] : edges[k + 1]].copy()
            middle = _median(own)
            for i in range(len(own)):
                own[i] = abs(own[i] - middle)
            out[k] = _median(own)


@kernel
def _median(values: Floats) -> float:
    middle = (len(values) - 1) // 2
    _settle(values, middle, 0)
    return float(values[middle] if len(values) % 2 else (values[middle] + _next(values, middle)) * 0.5)


@kernel
def _next(values: Floats, place: int) -> float:
    """The value that sorting would put behind a settled place, or the last."""
    least = values[-1] if place + 1 < len(values) else values[place]
    for i in range(place + 1, len(values)):
        least = min(least, values[i])
    return float(least)


@kernel
def _settle(values: Floats, place: int, begin: int) -> None:
    """Put what sorting would put at `place` there, smaller values before it, larger ones behind; `begin` is settled."""
    end = len(values) - 1
    while begin < end:
        pivot = _middle_of(values[begin], values[(begin + end) // 2], values[end])
        smaller = _split(values, begin, end + 1, pivot, False)
        equal = _split(values, smaller, end + 1, pivot, True)
        if place < smaller:
            end = smaller - 1
        elif place < equal or equal == begin:  # the latter is no number, which has no order
            break
        else:
            begin = equal


@kernel
def _middle_of(a: float, b: float, c: float) -> float:
    return max(min(a, b), min(max(a, b), c))


@kernel
def _split(values: Floats, begin: int, end: int, pivot: float, also_equal: bool) -> int:
    """Move what is below the pivot to the front, without branches that nothing can predict; return where it ends."""
    for i in range(begin, end):
        value = values[i]
        values[i] = values[begin]
        values[begin] = value
        begin += (value <= pivot) if also_equal else (value < pivot)
    return begin
