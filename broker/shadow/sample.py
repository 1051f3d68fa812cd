"""Which alerts does a shadow classify? A share of them that follows from their ids, in any batch and any run."""

from functools import cache
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Integers = NDArray[np.uint64]


def chosen(alerts: pa.Table, fraction: float) -> NDArray[np.int64]:
    """The rows that belong to the share, ascending; a larger share holds all rows of a smaller one.

    Parameters
    ----------
    alerts : columns ``survey``, ``alertId`` and ``diaSourceId``.
    fraction : the share, above 0 up to 1.
    """
    if fraction >= 1:
        return np.arange(alerts.num_rows)
    return np.flatnonzero(_mixed_ids(alerts) < np.uint64(fraction * 2.0**64))


def _mixed_ids(alerts: pa.Table) -> Integers:
    """A number for each alert, spread evenly over all of 64 bits whatever the ids count."""
    alert, source = (np.asarray(alerts[name], dtype=np.int64).view(np.uint64) for name in ("alertId", "diaSourceId"))
    names = pc.unique(alerts["survey"])
    seeds = np.array([_seed(name) for name in names.to_pylist()], dtype=np.uint64)
    survey = seeds[np.asarray(pc.index_in(alerts["survey"], value_set=names), dtype=np.int64)]
    return _mixed(_mixed(_mixed(survey) ^ alert) ^ source)


def _mixed(values: Integers) -> Integers:
    """The finalizer of SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195, fig. 16)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(values ^ (values >> np.uint64(31)), dtype=np.uint64)


@cache
def _seed(survey: str) -> int:
    return int.from_bytes(blake2b(survey.encode(), digest_size=8).digest(), "little")
