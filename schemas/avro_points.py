"""Light curves in Avro's encoding, made from columns: a point is no Python object on the way.

Source: Avro 1.11 specification, "Binary Encoding". What fastavro writes is the same, record by record.
"""

from io import BytesIO

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Curve = bytes | list[dict[str, object]]
"""A light curve as its bytes; as its points where a band's name isn't one letter."""

_POINT = np.dtype(
    [
        ("mjd", "<f8"),
        ("flux", "<f8"),
        ("flux_err", "<f8"),
        ("band_length", "u1"),
        ("band", "S1"),
        ("detected", "u1"),
    ]
)
"""`schemas.alerts.LIGHT_CURVE_POINT` with a band of one letter, as Avro writes it."""

_LONG = fastavro.parse_schema({"type": "long"})

_ONE = 2
"""The number 1 as Avro writes it."""

_END = b"\x00"
"""What ends an array; all that there is of an empty one."""


def avro_light_curves(column: pa.ChunkedArray) -> list[Curve]:
    """The light curves of a column as values of an Avro array of points.

    Parameters
    ----------
    column : lists of `schemas.alerts.LIGHT_CURVE_POINT`.
    """
    curves = column.combine_chunks()
    points = curves.flatten()
    bands = points.field("band").dictionary_encode()
    if pc.any(pc.not_equal(pc.binary_length(bands.dictionary), 1)).as_py():
        return list(column.to_pylist())
    data = _points(points, bands).tobytes()
    lengths = pc.list_value_length(curves).to_numpy()
    places = np.concatenate([[0], np.cumsum(lengths)]) * _POINT.itemsize
    heads = {length: _count(length) for length in np.unique(lengths).tolist()}
    return [
        heads[length] + data[start:end] + _END if length else _END
        for length, start, end in zip(lengths.tolist(), places[:-1].tolist(), places[1:].tolist(), strict=True)
    ]


def _points(points: pa.StructArray, bands: pa.DictionaryArray) -> NDArray[np.void]:
    made = np.empty(len(points), _POINT)
    for name in ("mjd", "flux", "flux_err", "detected"):
        made[name] = points.field(name).to_numpy(zero_copy_only=False)
    made["band_length"] = _ONE
    if len(points):
        made["band"] = np.array(bands.dictionary.to_pylist(), "S1")[bands.indices.to_numpy()]
    return made


def _count(number: int) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, _LONG, number)
    return out.getvalue()
