"""What is an AlertBatch? The columns that every survey's packets become, and the checks they pass."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BANDS = ("u", "g", "r", "i", "z", "y")

LIGHT_CURVE_POINT = pa.struct(
    [
        pa.field("mjd", pa.float64(), nullable=False),
        pa.field("flux", pa.float64(), nullable=False),
        pa.field("flux_err", pa.float64(), nullable=False),
        pa.field("band", pa.utf8(), nullable=False),
        pa.field("detected", pa.bool_(), nullable=False),
    ]
)

FLAGS = (
    "is_dipole",
    "is_negative",
    "flag_psf_flux",
    "flag_centroid",
    "flag_shape",
    "flag_pixels",
    "flag_bad",
    "flag_cosmic_ray",
    "flag_edge",
    "flag_interpolated",
    "flag_saturated",
    "flag_suspect",
    "flag_streak",
    "flag_injected",
)
"""Quality flags: null where the survey or the schema version has none."""

SCHEMA = pa.schema(
    [
        pa.field("survey", pa.utf8(), nullable=False),
        pa.field("schema_id", pa.int32()),
        pa.field("schema_version", pa.utf8(), nullable=False),
        pa.field("alert_id", pa.int64(), nullable=False),
        pa.field("source_id", pa.int64(), nullable=False),
        pa.field("object_id", pa.utf8()),
        pa.field("visit", pa.int64()),
        pa.field("detector", pa.int32()),
        pa.field("mjd", pa.float64(), nullable=False),
        pa.field("ra", pa.float64(), nullable=False),
        pa.field("dec", pa.float64(), nullable=False),
        pa.field("band", pa.utf8()),
        pa.field("flux", pa.float64()),
        pa.field("flux_err", pa.float64()),
        pa.field("snr", pa.float64()),
        pa.field("host_photoz", pa.float64()),
        pa.field("host_photoz_err", pa.float64()),
        pa.field("milky_way_ebv", pa.float64()),
        pa.field("is_solar_system", pa.bool_(), nullable=False),
        pa.field("reliability", pa.float64()),
        pa.field("extendedness", pa.float64()),
        *(pa.field(flag, pa.bool_()) for flag in FLAGS),
        pa.field("n_dropped_points", pa.int32(), nullable=False),
        pa.field("light_curve", pa.list_(pa.field("element", LIGHT_CURVE_POINT, nullable=False)), nullable=False),
    ]
)
"""Units, time scale and the origin of each column: docs/schemas.md."""


class AlertBatchError(ValueError):
    """A table that isn't an AlertBatch; says which column breaks which rule."""


@dataclass(frozen=True)
class LightCurves:
    """The light curves of a batch as flat arrays: object ``k`` owns points ``offsets[k]:offsets[k + 1]``.

    Parameters
    ----------
    offsets : int64 array, shape (n_objects + 1,)
    mjd : float64 array, shape (n_points,)
        MJD TAI [d], ascending within an object.
    flux, flux_err : float64 array, shape (n_points,)
        Difference flux [nJy] (AB zero point 31.4) and its standard error; finite, error above 0.
    band : uint8 array, shape (n_points,)
        Index into `BANDS`.
    detected : bool array, shape (n_points,)
    """

    offsets: NDArray[np.int64]
    mjd: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    band: NDArray[np.uint8]
    detected: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Number of points of each object, shape (n_objects,)."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """Index of the object that each point belongs to, shape (n_points,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def first_detection(self) -> NDArray[np.float64]:
        """MJD TAI [d] of each object's first detection, NaN where nothing was detected, shape (n_objects,)."""
        first, some = np.full(len(self), np.nan), self.n_detections > 0
        first[some] = self.mjd[self._detections[self._starts[:-1][some]]]
        return first

    @cached_property
    def n_detections(self) -> NDArray[np.int64]:
        """Number of detections of each object, shape (n_objects,)."""
        return np.diff(self._starts)

    @cached_property
    def _detections(self) -> NDArray[np.int64]:
        """Index of each detection among the points."""
        return np.flatnonzero(self.detected)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Where each object's detections begin among all detections, shape (n_objects + 1,)."""
        return np.searchsorted(self._detections, self.offsets)


@dataclass(frozen=True)
class AlertBatch:
    """Decoded alerts, one row each, in the columns of `SCHEMA`.

    Raises
    ------
    AlertBatchError
        If the table's schema isn't `SCHEMA`, or a column that must be known holds a null.
    """

    table: pa.Table

    def __post_init__(self) -> None:
        if not self.table.schema.equals(SCHEMA):
            raise AlertBatchError(f"expected the columns\n{SCHEMA}\ngot\n{self.table.schema}")
        for field in SCHEMA:
            if not field.nullable and self.table[field.name].null_count:
                raise AlertBatchError(f"column {field.name!r} must not hold nulls")

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> "AlertBatch":
        """Build a batch from mappings of column name to value; a nullable column that a row lacks is null."""
        return cls(pa.Table.from_pylist([dict(row) for row in rows], schema=SCHEMA))

    @classmethod
    def concat(cls, batches: Iterable["AlertBatch"]) -> "AlertBatch":
        """Join batches, rows in the order given."""
        tables = [batch.table for batch in batches]
        return cls(pa.concat_tables(tables).combine_chunks() if tables else SCHEMA.empty_table())

    def to_rows(self) -> list[dict[str, Any]]:
        """The batch as plain dictionaries, for people and tests; not for the hot path."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def take(self, indices: NDArray[np.int64]) -> "AlertBatch":
        """The rows at `indices`, in that order."""
        return AlertBatch(self.table.take(pa.array(indices)))

    def column(self, name: str) -> NDArray[np.float64]:
        """A numeric column as float64, NaN where null, shape (n_alerts,); never for ids."""
        return np.asarray(pc.fill_null(self.table[name].cast(pa.float64()), np.nan), dtype=np.float64)

    @cached_property
    def light_curves(self) -> LightCurves:
        """The light curves as flat arrays."""
        column = self.table["light_curve"].combine_chunks()
        points = column.flatten()
        offsets = np.concatenate([[0], np.cumsum(np.asarray(pc.list_value_length(column), dtype=np.int64))])
        band = pc.index_in(points.field("band"), value_set=pa.array(BANDS))
        if band.null_count:
            raise AlertBatchError(f"a light-curve band outside {BANDS}")
        return LightCurves(
            offsets=offsets,
            mjd=np.asarray(points.field("mjd")),
            flux=np.asarray(points.field("flux")),
            flux_err=np.asarray(points.field("flux_err")),
            band=np.asarray(band, dtype=np.uint8),
            detected=np.asarray(points.field("detected").to_numpy(zero_copy_only=False)),
        )


def light_curve_array(curves: LightCurves) -> pa.ListArray:
    """Flat arrays as the `light_curve` column; the inverse of `AlertBatch.light_curves`."""
    bands = pa.DictionaryArray.from_arrays(pa.array(curves.band, pa.int8()), pa.array(BANDS)).cast(pa.utf8())
    points = pa.StructArray.from_arrays(
        [pa.array(curves.mjd), pa.array(curves.flux), pa.array(curves.flux_err), bands, pa.array(curves.detected)],
        fields=list(LIGHT_CURVE_POINT),
    )
    return pa.ListArray.from_arrays(pa.array(curves.offsets, pa.int32()), points, type=SCHEMA.field("light_curve").type)
