"""Counts of values by size, added to a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Histogram:
    """Values counted so far; it never changes, so that it can be told while another is made.

    Parameters
    ----------
    bounds : upper bounds of the buckets, ascending; a value that equals one is in its bucket.
    counts : of each bucket, and last of what is above all bounds.
    total : the sum of the values.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float = 0.0

    @classmethod
    def of(cls, bounds: Sequence[float]) -> "Histogram":
        """An empty one."""
        return cls(tuple(bounds), (0,) * (len(bounds) + 1))

    def with_values(self, values: NDArray[Any] | Sequence[float]) -> "Histogram":
        """The same with more values; what is no finite number is left out."""
        given = np.asarray(values, dtype=np.float64)
        given = given[np.isfinite(given)]
        new = np.bincount(np.searchsorted(self.bounds, given, side="left"), minlength=len(self.counts))
        counts = tuple(int(old + more) for old, more in zip(self.counts, new, strict=True))
        return replace(self, counts=counts, total=self.total + float(given.sum()))

    def cumulative(self) -> list[tuple[str, int]]:
        """Each bound as Prometheus writes it, and how many values are not above it."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return list(zip(names, np.cumsum(self.counts).tolist(), strict=True))
