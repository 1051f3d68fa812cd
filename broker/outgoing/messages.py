"""Annotations as messages for Kafka, encoded before it is decided which of them are sent.

So the workers encode, side by side, and the driver, which knows the duplicates and the limits, only picks.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from broker.harvest import RECORDS
from broker.outgoing.destinations import Content, Destination
from schemas.delivery import annotation_records, delivery_records
from schemas.desc import BROKER_MESSAGE_PACKETS, broker_message, classification_record

LOG = logging.getLogger(__name__)

Row = tuple[int, bytes | None]
"""The row of the annotations, and its message; None where it can't be encoded."""

Write = Callable[[Mapping[str, Any]], bytes | None]

_CANT_BE_ENCODED = (ValueError, TypeError, ArithmeticError, LookupError)
"""What the encoders raise on a value that doesn't fit, such as an infinite number in JSON."""


@dataclass(frozen=True)
class Sources:
    """What messages need to know of the packets beside their annotations.

    Parameters
    ----------
    payloads : bytes by origin.
    published : time stamps by origin [ms since 1970, UTC]; none for packets of files.
    read : when the packets were read [ms since 1970, UTC].
    """

    payloads: Mapping[str, bytes]
    published: Mapping[str, int]
    read: int


def encode(annotations: pa.Table, destinations: Sequence[Destination], sources: Sources) -> pa.Table:
    """Every message that any destination might get of these annotations, as a table of `RECORDS`.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`, filters matched.
    destinations : the run's.
    sources : the packets.
    """
    tables = [_table(d.name, list(_ENCODERS[d.content](annotations, d, sources))) for d in destinations]
    return pa.concat_tables([RECORDS.empty_table(), *tables])


def framed(schema_id: int, body: bytes) -> bytes:
    """A message in Confluent's wire format."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body


def _table(name: str, rows: Sequence[Row]) -> pa.Table:
    columns = ([row for row, _ in rows], [name] * len(rows), [value for _, value in rows])
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)], schema=RECORDS)


def _deliveries(annotations: pa.Table, to: Destination, _sources: Sources) -> Iterator[Row]:
    if to.filter is None:
        return
    rows = _matched(annotations, to.filter.name)
    records = delivery_records(annotations.take(rows), to.filter.stamp, to.filter.columns)
    yield from zip(rows.to_pylist(), map(_writer(to), records), strict=True)


def _matched(annotations: pa.Table, name: str) -> pa.Array:
    column = annotations["matchedFilters"].combine_chunks()
    return column.value_parent_indices().filter(pc.equal(column.flatten(), name))


def _annotations(annotations: pa.Table, to: Destination, _sources: Sources) -> Iterator[Row]:
    yield from enumerate(map(_writer(to), annotation_records(annotations)))


_DESC_COLUMNS = ["alertId", "diaSourceId", "broker", "classifier", "classifications"]


def _desc_classifications(annotations: pa.Table, to: Destination, sources: Sources) -> Iterator[Row]:
    write = _writer(to)
    origins = annotations["origin"].to_pylist()
    for row, annotation in enumerate(annotations.select(_DESC_COLUMNS).to_pylist()):
        published = sources.published.get(_packet(origins[row]), sources.read)
        yield row, write(classification_record(annotation, published, sources.read))


def _desc_messages(annotations: pa.Table, to: Destination, sources: Sources) -> Iterator[Row]:
    ids = annotations["schemaId"].fill_null(-1).to_numpy()
    rows = np.flatnonzero(ids == BROKER_MESSAGE_PACKETS)
    wanted = annotations.take(pa.array(rows))
    for row, origin, annotation in zip(
        rows.tolist(), wanted["origin"].to_pylist(), wanted.select(_DESC_COLUMNS).to_pylist(), strict=True
    ):
        yield row, framed(to.schema_id or 0, broker_message(sources.payloads[origin], annotation))


def _packet(origin: str) -> str:
    """The origin of the packet that holds an alert; see `schemas.packets.PACKETS`."""
    return origin.partition("#")[0]


def _writer(to: Destination) -> Write:
    """What encodes a destination's records; one that can't be encoded harms no other."""
    encode_one = _json if to.avro is None else partial(_avro, to.parsed, to.schema_id or 0)

    def write(record: Mapping[str, Any]) -> bytes | None:
        try:
            return encode_one(record)
        except _CANT_BE_ENCODED as error:
            LOG.warning("a message for %s can't be encoded: %s: %s", to.topic, type(error).__name__, error)
            return None

    return write


def _avro(schema: dict[str, Any], schema_id: int, record: Mapping[str, Any]) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, schema, record)
    return framed(schema_id, body.getvalue())


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, allow_nan=False).encode()


_ENCODERS: Mapping[Content, Callable[[pa.Table, Destination, Sources], Iterator[Row]]] = {
    Content.DELIVERY: _deliveries,
    Content.ANNOTATION: _annotations,
    Content.DESC_CLASSIFICATION: _desc_classifications,
    Content.DESC_MESSAGE: _desc_messages,
}
