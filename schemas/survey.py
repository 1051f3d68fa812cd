"""What is a survey? The contract of the modules in `schemas.surveys`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Record = dict[str, Any]
"""A decoded Avro record: field name to value."""


@dataclass(frozen=True)
class RawPoints:
    """Measurements as the packets of a batch give them, before visits are merged; every array has shape (n_points,).

    Parameters
    ----------
    owner : int64 array
        Index of the packet that each measurement comes from.
    mjd : float64 array
        MJD TAI [d], NaN where not known.
    flux, flux_err : float64 array
        Difference flux [nJy] and its standard error, NaN where not known.
    band : int64 array
        Index into `schemas.alerts.BANDS`, -1 for any other band.
    forced : bool array
        True for forced photometry, False for a difference-image source.
    visit : int64 array or None
        The survey's visit number. None where there is none: measurements of one band within
        `schemas._light_curves.VISIT_SECONDS` then belong to one visit.
    """

    owner: NDArray[np.int64]
    mjd: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    band: NDArray[np.int64]
    forced: NDArray[np.bool_]
    visit: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Survey:
    """A module's constant `SURVEY`: how the packets of one survey become columns.

    Parameters
    ----------
    name : as in the column `survey` and the folder of bundled schemas: ``lsst``.
    record_name : matches the full Avro name of this survey's alert records and nothing else.
    version : from the match of `record_name` and a record to the schema's version: ``10.0``.
    columns : from records to columns of an AlertBatch, by name, one value a record. A column that is left out is
        null in each row. Values that aren't known are null.
    points : from records to their measurements.

    Notes
    -----
    `columns` and `points` are called with any number of records of one survey, of mixed versions. What they give for
    a record depends on that record only. On a record that lacks a needed field they raise KeyError, on one with a value
    of another kind than the schema's any of ValueError, TypeError, AttributeError.
    """

    name: str
    record_name: re.Pattern[str]
    version: Callable[[re.Match[str], Record], str]
    columns: Callable[[Sequence[Record]], dict[str, pa.Array]]
    points: Callable[[Sequence[Record]], RawPoints]
