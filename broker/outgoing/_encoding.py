"""What the encoders of messages share."""

import logging
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any

import fastavro

from schemas.delivery import LIGHT_CURVE

LOG = logging.getLogger(__name__)

Encode = Callable[[Mapping[str, Any]], bytes]

_CANT_BE_ENCODED = (ValueError, TypeError, ArithmeticError, LookupError)
"""What the encoders raise on a value that doesn't fit, such as an infinite number in JSON."""


def encodable(encode: Encode, record: Mapping[str, Any], topic: str) -> bytes | None:
    """The encoded record; None where it can't be encoded, which harms no other."""
    try:
        return encode(record)
    except _CANT_BE_ENCODED as error:
        LOG.warning("a message for %s can't be encoded: %s: %s", topic, type(error).__name__, error)
        return None


def avro_encoder(parsed: Mapping[str, Any]) -> Encode:
    """What encodes records of a schema that fastavro has parsed."""

    def encode(record: Mapping[str, Any]) -> bytes:
        out = BytesIO()
        fastavro.schemaless_writer(out, parsed, record)
        return out.getvalue()

    return encode


def fields_encoder(fields: Sequence[Mapping[str, Any]]) -> Encode:
    """What encodes these fields of a record; a light curve may be given as its bytes."""
    runs = [list(run) for _, run in groupby(fields, lambda field: field["name"] == LIGHT_CURVE)]
    parts = [_curve_encoder(run) if run[0]["name"] == LIGHT_CURVE else _run_encoder(run) for run in runs]
    return lambda record: b"".join(part(record) for part in parts)


def _run_encoder(fields: Sequence[Mapping[str, Any]]) -> Encode:
    return avro_encoder(fastavro.parse_schema({"type": "record", "name": "part", "fields": list(fields)}))


def _curve_encoder(field: Sequence[Mapping[str, Any]]) -> Encode:
    of_points = _run_encoder(field)

    def encode(record: Mapping[str, Any]) -> bytes:
        curve = record[LIGHT_CURVE]
        return curve if isinstance(curve, bytes) else of_points(record)

    return encode


def framed(schema_id: int, body: bytes) -> bytes:
    """A message in Confluent's wire format."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body
