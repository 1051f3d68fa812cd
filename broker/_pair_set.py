"""A growing set of pairs of 64-bit integers: 16 bytes a pair, and a question costs the logarithm of its size.

It is log-structured: sorted runs, each more than twice as long as the next. A new run is merged with those that it has
grown up to, so that a pair is moved some log2(n) times in its life, and there are as many runs at most.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Distinct pairs, ascending by `major`, then by `minor`.

    Parameters
    ----------
    major, minor : int64 arrays, shape (n,).
    """

    major: Integers
    minor: Integers

    def __len__(self) -> int:
        return len(self.major)

    def __getitem__(self, rows: Rows) -> "Pairs":
        return Pairs(self.major[rows], self.minor[rows])

    def count_below(self, other: "Pairs") -> Integers:
        """How many of these pairs are less than each of the others, shape (len(other),)."""
        low = np.searchsorted(self.major, other.major)
        high = low.copy()
        tied = np.flatnonzero(_at(self.major, low) == other.major) if len(self) else np.empty(0, dtype=np.int64)
        high[tied] = np.searchsorted(self.major, other.major[tied], side="right")
        # Those of one major are searched by minor: one may have millions.
        while len(undecided := np.flatnonzero(low < high)):
            middle = (low[undecided] + high[undecided]) // 2
            less = self.minor[middle] < other.minor[undecided]
            low[undecided[less]] = middle[less] + 1
            high[undecided[~less]] = middle[~less]
        return low

    def holds(self, other: "Pairs") -> Rows:
        """Which of the others are among these, shape (len(other),)."""
        if not len(self):
            return np.zeros(len(other), dtype=np.bool_)
        place = self.count_below(other)
        same = (_at(self.major, place) == other.major) & (_at(self.minor, place) == other.minor)
        return np.asarray(same & (place < len(self)))

    def merged(self, other: "Pairs") -> "Pairs":
        """Both together; they have none in common."""
        mine = np.ones(len(self) + len(other), dtype=np.bool_)
        mine[self.count_below(other) + np.arange(len(other))] = False
        return Pairs(_woven(mine, self.major, other.major), _woven(mine, self.minor, other.minor))


def distinct(major: Integers, minor: Integers) -> tuple[Pairs, Integers]:
    """The distinct pairs of two columns, and the first row of each, shape (n_distinct,)."""
    order = np.lexsort((minor, major))
    major, minor = major[order], minor[order]
    first = np.ones(len(order), dtype=np.bool_)
    first[1:] = (major[1:] != major[:-1]) | (minor[1:] != minor[:-1])
    return Pairs(major[first], minor[first]), order[first]


class PairSet:
    """A set of pairs that only grows."""

    def __init__(self) -> None:
        self._runs: list[Pairs] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def holds(self, pairs: Pairs) -> Rows:
        """Which of the pairs are in it, shape (len(pairs),)."""
        found = np.zeros(len(pairs), dtype=np.bool_)
        for run in self._runs:
            found |= run.holds(pairs)
        return found

    def insert(self, pairs: Pairs) -> None:
        """Add pairs of which it holds none."""
        if not len(pairs):
            return
        while self._runs and len(self._runs[-1]) <= 2 * len(pairs):
            pairs = self._runs.pop().merged(pairs)
        self._runs.append(pairs)


def _at(values: Integers, place: Integers) -> Integers:
    return values[np.minimum(place, len(values) - 1)]


def _woven(mine: Rows, values: Integers, others: Integers) -> Integers:
    woven = np.empty(len(mine), dtype=np.int64)
    woven[mine], woven[~mine] = values, others
    return woven
