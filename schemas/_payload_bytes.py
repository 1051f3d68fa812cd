"""The bytes of a chunk of packets as one array, as Arrow holds them."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class PayloadBytes:
    """Packet k is ``data[bounds[k]:bounds[k + 1]]``.

    Parameters
    ----------
    data : uint8 array, read-only.
    bounds : int64 array, shape (n_packets + 1,)
    """

    data: NDArray[np.uint8]
    bounds: NDArray[np.int64]

    @classmethod
    def of(cls, payloads: pa.LargeBinaryArray) -> "PayloadBytes":
        """The bytes of an array without copying them."""
        _, offsets, data = payloads.buffers()
        if not len(payloads):
            return cls(np.empty(0, np.uint8), np.zeros(1, np.int64))
        bounds = np.frombuffer(offsets, np.int64)[payloads.offset : payloads.offset + len(payloads) + 1]
        return cls(np.frombuffer(data if data is not None else b"", np.uint8), bounds)

    def starting_with(self, head: bytes, at_least: int) -> NDArray[np.int64]:
        """The packets of at least so many bytes that start with some bytes."""
        rows = np.flatnonzero(np.diff(self.bounds) >= max(at_least, len(head)))
        found = self.data[self.bounds[rows, np.newaxis] + np.arange(len(head))]
        starting: NDArray[np.int64] = rows[(found == np.frombuffer(head, np.uint8)).all(axis=1)]
        return starting
