"""Which schema ids does a batch of packets have? Those in the headers of its Confluent messages."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

HEADER_SIZE = 5
"""Bytes: a zero, then the id, big-endian."""


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


def _ids(payloads: pa.Array) -> NDArray[np.uint32]:
    """The id of each payload that has one, read from the array's buffers."""
    _, offsets, data = payloads.buffers()
    bounds = np.frombuffer(offsets, np.int64)[payloads.offset : payloads.offset + len(payloads) + 1]
    long_enough = (np.diff(bounds) >= HEADER_SIZE) & np.asarray(payloads.is_valid())
    starts = bounds[:-1][long_enough]
    if not len(starts):
        return np.empty(0, np.uint32)
    bytes_ = np.frombuffer(data, np.uint8)
    starts = starts[bytes_[starts] == 0]
    headers = bytes_[starts[:, np.newaxis] + np.arange(1, HEADER_SIZE)]
    ids: NDArray[np.uint32] = headers.view(">u4").ravel().astype(np.uint32)
    return ids
