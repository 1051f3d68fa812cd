"""Which schema ids does a batch of packets have? Those in the headers of its Confluent messages."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas._payload_bytes import PayloadBytes

HEADER_SIZE = 5
"""Bytes: a zero, then the id, big-endian."""

WIRE_MAGIC = b"\0"


def schema_ids(payloads: pa.Array | pa.ChunkedArray) -> set[int]:
    """The distinct ids in the headers of Confluent messages.

    Parameters
    ----------
    payloads : binary or large_binary
        Packets of any framing. Object containers, payloads shorter than a header, and nulls have no id.
    """
    chunks = payloads.chunks if isinstance(payloads, pa.ChunkedArray) else [payloads]
    found = [_ids(chunk.cast(pa.large_binary())) for chunk in chunks if len(chunk)]
    return set(np.unique(np.concatenate(found)).tolist()) if found else set()


def wire_heads(payloads: PayloadBytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which packets are Confluent messages, and their ids."""
    rows = payloads.starting_with(WIRE_MAGIC, HEADER_SIZE)
    headers = payloads.data[payloads.bounds[rows, np.newaxis] + np.arange(1, HEADER_SIZE)]
    return rows, headers.view(">u4").ravel().astype(np.int64)


def _ids(payloads: pa.Array) -> NDArray[np.int64]:
    """The id of each payload that has one."""
    known = payloads.drop_null() if payloads.null_count else payloads
    return wire_heads(PayloadBytes.of(known))[1]
