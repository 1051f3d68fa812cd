"""What the encoders of messages share."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

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


def framed(schema_id: int, body: bytes) -> bytes:
    """A message in Confluent's wire format."""
    return b"\x00" + schema_id.to_bytes(4, "big") + body
