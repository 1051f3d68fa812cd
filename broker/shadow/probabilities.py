"""Probabilities of classes: as lists of a table, as an array, and how far two answers lie apart."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.shadow.rows import PROBABILITIES
from classifiers.taxonomy import TAXONOMY

Floats = NDArray[np.float64]

IDS = np.sort(np.array([node.id for node in TAXONOMY], dtype=np.int32))
"""The classIds of the columns of arrays of probabilities: all, so that no sum depends on which a bundle has."""


def without_names(classifications: pa.ChunkedArray) -> pa.ListArray:
    """The annotation column `classifications` as lists of `PROBABILITIES`."""
    lists = classifications.combine_chunks()
    entries = lists.flatten()
    pairs = [entries.field("classId"), entries.field("probability")]
    ends = np.cumsum(np.asarray(pc.list_value_length(lists), dtype=np.int64))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    made = pa.StructArray.from_arrays(pairs, fields=list(PROBABILITIES.value_type))
    return pa.ListArray.from_arrays(offsets, made, type=PROBABILITIES)


def by_class(lists: pa.ChunkedArray | pa.ListArray) -> Floats:
    """The probability of every class of the taxonomy, 0 where a list lacks it, shape (n, len(IDS)).

    NotClassified is a class of its own there; a null row has NaN.
    """
    whole = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    entries, lengths = whole.flatten(), np.asarray(pc.fill_null(pc.list_value_length(whole), 0))
    made = np.zeros((len(whole), len(IDS)))
    rows = np.repeat(np.arange(len(whole)), lengths)
    made[rows, np.searchsorted(IDS, np.asarray(entries.field("classId")))] = np.asarray(entries.field("probability"))
    made[np.asarray(whole.is_null())] = np.nan
    return made


def distances(one: Floats, other: Floats) -> Floats:
    """Half the sum of the differences of all probabilities: the total variation distance, 0 to 1, shape (n,)."""
    return np.asarray(np.minimum(0.5 * np.abs(one - other).sum(axis=1), 1.0))
