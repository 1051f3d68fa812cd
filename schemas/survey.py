"""What is a survey? The contract of the modules in `schemas.surveys`."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Record = dict[str, Any]
"""A decoded Avro record: field name to value."""

Kind = Literal["number", "id", "flag", "text", "given"]
"""What a field holds: float64; int64, never rounded; bool; utf8. ``given`` asks of a field of any type whether it is
there: true, or null."""


MOST_FIELDS = 62
"""The most fields that a survey may read from one record or item."""


@dataclass(frozen=True)
class Field:
    """A value that a survey reads from each record.

    Parameters
    ----------
    kind : what it holds; null where the packet has null.
    path : names of fields from the outside in: ``diaSource.psfFlux``. A name with ``?`` behind it may be missing from
        the schema, and what it leads to may be null: the value is null then. Of names with ``|`` between them, the
        first that the schema has counts: ``alertId|diaSourceId``.
    """

    kind: Kind
    path: str


@dataclass(frozen=True)
class Items:
    """The values that a survey reads from each item of an array of records.

    Parameters
    ----------
    path : of the array within an alert, as in `Field`.
    fields : by a name of the survey's choice; their paths start within an item.
    """

    path: str
    fields: Mapping[str, Field]


@dataclass(frozen=True)
class Values:
    """What was read, whatever read it: one array a field, all of one length.

    Parameters
    ----------
    owner : int64 array, shape (n_rows,)
        Index of the alert that each row belongs to, ascending. Of the alerts themselves each row is its own.
    arrays : by the names of the survey's fields.
    """

    owner: NDArray[np.int64]
    arrays: Mapping[str, pa.Array]

    def __getitem__(self, name: str) -> pa.Array:
        return self.arrays[name]

    def __len__(self) -> int:
        return len(self.owner)


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
        `schemas._visits.VISIT_SECONDS` then belong to one visit.
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
    version_field : the record's text field that holds the schema's version; None where the group ``version`` of
        `record_name` does, with ``_`` for the dots.
    detectors : how many detectors of the camera take part in a visit; None where alerts don't tell their visit.
    fields : what is read from each record, by a name of the survey's choice; at most `MOST_FIELDS`.
    items : what is read from the items of each record's arrays, likewise.
    columns : from the values of `fields` to columns of an AlertBatch, by name, one value a record. A column that is
        left out is null in each row. Values that aren't known are null.
    points : from the values of `fields` and of `items` to the records' measurements.

    Notes
    -----
    `columns` and `points` are called with the values of any number of records of one survey, of mixed versions. What
    they give for a record depends on that record only.
    """

    name: str
    record_name: re.Pattern[str]
    fields: Mapping[str, Field]
    items: Mapping[str, Items]
    columns: Callable[[Values], dict[str, pa.Array]]
    points: Callable[[Values, Mapping[str, Values]], RawPoints]
    version_field: str | None = None
    detectors: int | None = None

    def version(self, match: re.Match[str], record: Record) -> str:
        """The schema's version, from the match of `record_name` and a record: ``10.0``.

        Raises
        ------
        KeyError
            If the record lacks the field that holds it.
        """
        return self.version_of_name(match) if self.version_field is None else str(record[self.version_field])

    def version_of_name(self, match: re.Match[str]) -> str:
        """The version in the record's name; empty where names don't tell."""
        return match.groupdict().get("version", "").replace("_", ".")
