"""Annotations as messages for Kafka, encoded before it is decided which of them are sent.

So the workers encode, side by side, and the driver, which knows the duplicates and the limits, only picks.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from broker.harvest import RECORDS, Record
from broker.outgoing._encoding import Encode, avro_encoder, encodable, fields_encoder, framed
from broker.outgoing.deliveries import deliveries
from broker.outgoing.destinations import Content, Destination
from schemas.delivery import avro_records
from schemas.desc import BROKER_MESSAGE_PACKETS, broker_message, classification_record


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
    to_subscribers = deliveries(annotations, [to for to in destinations if to.filter])
    to_all = (_ENCODERS[to.content](annotations, to, sources) for to in destinations if not to.filter)
    columns = zip(*chain(to_subscribers, *to_all), strict=True)
    made = [pa.array(values, field.type) for values, field in zip(columns, RECORDS, strict=False)]
    return pa.table(made, schema=RECORDS) if made else RECORDS.empty_table()


def _annotations(annotations: pa.Table, to: Destination, _sources: Sources) -> Iterator[Record]:
    encode = _annotation_encoder(to.avro or "{}")
    for row, record in enumerate(avro_records(annotations)):
        yield row, to.name, _framed(to, encodable(encode, record, to.topic))


@lru_cache(maxsize=4)
def _annotation_encoder(avro: str) -> Encode:
    return fields_encoder(json.loads(avro)["fields"])


_DESC_COLUMNS = ["alertId", "diaSourceId", "broker", "classifier", "classifications"]


def _desc_classifications(annotations: pa.Table, to: Destination, sources: Sources) -> Iterator[Record]:
    origins = annotations["origin"].to_pylist()
    for row, annotation in enumerate(annotations.select(_DESC_COLUMNS).to_pylist()):
        published = sources.published.get(_packet(origins[row]), sources.read)
        yield row, to.name, _avro(to, classification_record(annotation, published, sources.read))


def _desc_messages(annotations: pa.Table, to: Destination, sources: Sources) -> Iterator[Record]:
    ids = annotations["schemaId"].fill_null(-1).to_numpy()
    rows = np.flatnonzero(ids == BROKER_MESSAGE_PACKETS)
    wanted = annotations.take(pa.array(rows))
    for row, origin, annotation in zip(
        rows.tolist(), wanted["origin"].to_pylist(), wanted.select(_DESC_COLUMNS).to_pylist(), strict=True
    ):
        payload = sources.payloads.get(origin)  # none where an alert of an annotation table is scored again
        yield row, to.name, payload and framed(to.schema_id or 0, broker_message(payload, annotation))


def _packet(origin: str) -> str:
    """The origin of the packet that holds an alert; see `schemas.packets.PACKETS`."""
    return origin.partition("#")[0]


def _avro(to: Destination, record: Mapping[str, Any]) -> bytes | None:
    return _framed(to, encodable(avro_encoder(to.parsed), record, to.topic))


def _framed(to: Destination, body: bytes | None) -> bytes | None:
    return None if body is None else framed(to.schema_id or 0, body)


_ENCODERS: Mapping[Content, Callable[[pa.Table, Destination, Sources], Iterator[Record]]] = {
    Content.ANNOTATION: _annotations,
    Content.DESC_CLASSIFICATION: _desc_classifications,
    Content.DESC_MESSAGE: _desc_messages,
}
"""What goes out of every alert; what filters send is in `broker.outgoing.deliveries`."""
