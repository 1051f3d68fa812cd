"""Deliveries as messages: an alert is encoded once for all filters that ask for the same columns.

In a message the filter that sends it comes last, in JSON and in Avro, so what stands before it can be shared.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from broker.filters.definition import Filter
from broker.harvest import Record
from broker.outgoing._encoding import Encode, encodable, fields_encoder, framed
from broker.outgoing.alike import Alike, alike
from broker.outgoing.destinations import Destination
from schemas.delivery import annotation_records, avro_records


def deliveries(annotations: pa.Table, destinations: Sequence[Destination]) -> Iterator[Record]:
    """The messages of every filter's alerts.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`, filters matched.
    destinations : those that a filter sends to.
    """
    to = {each.name: each for each in destinations}
    in_avro = {each.name for each in destinations if each.avro is not None}
    for group in alike(annotations, "matchedFilters", [each.filter for each in destinations if each.filter]):
        names = [wanted.name for wanted, _ in group.rows]
        for form in (in_avro.intersection(names), set(names) - in_avro):
            if form:
                yield from _of_form(group, to, form)


def _of_form(group: Alike, to: Mapping[str, Destination], names: Collection[str]) -> Iterator[Record]:
    """The messages of filters that ask for the same columns in the same form."""
    first = to[next(iter(names))]
    records, encode = (annotation_records, json_body) if first.avro is None else (avro_records, _body_of(first.avro))
    for wanted, rows, bodies in group.encoded(records, lambda record: encodable(encode, record, first.topic), names):
        before, after = _frame(to[wanted.name], wanted)
        for row, body in zip(rows.tolist(), bodies, strict=True):
            yield row, wanted.name, None if body is None else before + body + after


def _frame(to: Destination, wanted: Filter) -> tuple[bytes, bytes]:
    """What stands before and after the body."""
    if to.avro is None:
        return b"", json_end(wanted)
    _, sign = _parts_of(to.avro)
    return framed(to.schema_id or 0, b""), sign({"filter": wanted.stamp})


def _body_of(avro: str) -> Encode:
    return _parts_of(avro)[0]


@lru_cache(maxsize=256)
def _parts_of(avro: str) -> tuple[Encode, Encode]:
    """`avro_parts` of a schema as JSON text: many filters share one, and each call of the pure function asks for it."""
    return avro_parts(json.loads(avro)["fields"])


def json_body(record: Mapping[str, Any]) -> bytes:
    """An object that isn't closed yet."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)[:-1].encode()


def json_end(wanted: Filter) -> bytes:
    """What closes it: the filter that sends it."""
    return f', "filter": {json.dumps(wanted.stamp, ensure_ascii=False)}}}'.encode()


def avro_parts(fields: Sequence[Mapping[str, Any]]) -> tuple[Encode, Encode]:
    """What encodes a delivery's fields but the last, and what encodes the last: the filter that sends it.

    The first takes records that `schemas.delivery.avro_records` made, and those of `annotation_records`.
    """
    *shared, last = fields
    return fields_encoder(shared), fields_encoder([last])
