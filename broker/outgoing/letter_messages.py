"""Dead letters as messages for Kafka: the packet as it came, and in the headers why it was turned away."""

import pyarrow as pa

from broker.outgoing.outbox import HEADERS, OUTGOING

_STAMPS = (
    "id",
    "origin",
    "stage",
    "reason",
    "topic",
    "partition",
    "offset",
    "timestamp",
    "brokerVersion",
    "bundleSha256",
)


def letter_messages(letters: pa.Table, topic: str, max_bytes: int) -> pa.Table:
    """Rows of `broker.deadletter.DEADLETTER` as rows of `broker.outgoing.outbox.OUTGOING`.

    A packet larger than `max_bytes` goes without its bytes, and says so in the header ``payloadBytes``; the dead-letter
    table has them.
    """
    rows = letters.to_pylist()
    columns = [
        [topic] * len(rows),
        [row["origin"] for row in rows],
        [row["payload"] if len(row["payload"]) <= max_bytes else b"" for row in rows],
        [_headers(row) for row in rows],
    ]
    kinds = (pa.utf8(), pa.utf8(), pa.large_binary(), HEADERS)
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, kinds, strict=True)], schema=OUTGOING)


def _headers(row: dict[str, object]) -> list[tuple[str, bytes]]:
    stamps = [(name, str(row[name]).encode()) for name in _STAMPS if row[name] is not None]
    return [*stamps, ("payloadBytes", str(len(row["payload"])).encode())]  # type: ignore[arg-type]  # bytes
