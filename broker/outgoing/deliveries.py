"""Deliveries as messages: an alert is encoded once for all filters that ask for the same columns.

In a message the filter that sends it comes last, in JSON and in Avro, so what stands before it can be shared.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.harvest import Record
from broker.outgoing._encoding import Encode, encodable, framed
from broker.outgoing.destinations import Destination
from schemas.delivery import annotation_records, delivery_columns


def deliveries(annotations: pa.Table, destinations: Sequence[Destination]) -> Iterator[Record]:
    """The messages of every filter's alerts.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`, filters matched.
    destinations : those that a filter sends to.
    """
    matched = rows_by_filter(annotations)
    alike: dict[tuple[tuple[str, ...], bool], list[Destination]] = {}
    for to in destinations:
        if to.filter and to.filter.name in matched:
            alike.setdefault((tuple(to.filter.columns), to.avro is None), []).append(to)
    for group in alike.values():
        yield from _of_group(annotations, group, [matched[to.name] for to in group])


def rows_by_filter(annotations: pa.Table) -> dict[str, NDArray[np.int64]]:
    """The rows that each filter matched, in their order; filters that matched none aren't there."""
    column = annotations["matchedFilters"].combine_chunks()
    names = column.flatten().dictionary_encode()
    owners, codes = column.value_parent_indices().to_numpy(), names.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names.dictionary)))
    rows = np.split(owners[order].astype(np.int64), ends[:-1])
    return dict(zip(names.dictionary.to_pylist(), rows, strict=True)) if len(codes) else {}


def _of_group(
    annotations: pa.Table, group: Sequence[Destination], matched: Sequence[NDArray[np.int64]]
) -> Iterator[Record]:
    """The messages of filters that ask for the same columns in the same form."""
    rows = np.unique(np.concatenate(matched))
    wanted = delivery_columns(group[0].filter.columns if group[0].filter else ())
    records = annotation_records(annotations.select(wanted).take(pa.array(rows)))
    encode = _json if group[0].avro is None else _avro(_fields(group[0])[:-1])
    bodies = dict(zip(rows.tolist(), (encodable(encode, record, group[0].topic) for record in records), strict=True))
    for to, own in zip(group, matched, strict=True):
        before, after = _frame(to)
        for row in own.tolist():
            body = bodies[row]
            yield row, to.name, None if body is None else before + body + after


def _frame(to: Destination) -> tuple[bytes, bytes]:
    """What stands before and after the body."""
    stamp = to.filter.stamp if to.filter else {}
    if to.avro is None:
        return b"", f', "filter": {json.dumps(stamp, ensure_ascii=False)}}}'.encode()
    return framed(to.schema_id or 0, b""), _avro(_fields(to)[-1:])({"filter": stamp})


def _fields(to: Destination) -> list[Any]:
    return list(json.loads(to.avro or "{}")["fields"])


def _json(record: Mapping[str, Any]) -> bytes:
    """An object that isn't closed yet."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)[:-1].encode()


def _avro(fields: list[Any]) -> Encode:
    schema = fastavro.parse_schema({"type": "record", "name": "part", "fields": fields})

    def encode(record: Mapping[str, Any]) -> bytes:
        out = BytesIO()
        fastavro.schemaless_writer(out, schema, record)
        return out.getvalue()

    return encode
