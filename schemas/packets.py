"""What comes in and what is turned away: tables of raw packets, and of rejects with their reason."""

import pyarrow as pa

PACKETS = pa.schema(
    [
        pa.field("origin", pa.utf8(), nullable=False),
        pa.field("payload", pa.large_binary(), nullable=False),
    ]
)
"""Raw packets as they came. `origin` says where from: ``path``, ``archive.tar.gz!member``; decoding adds
``#3`` for the fourth record of an object container that holds several."""

REJECTS = pa.schema(
    [
        pa.field("origin", pa.utf8(), nullable=False),
        pa.field("stage", pa.utf8(), nullable=False),
        pa.field("reason", pa.utf8(), nullable=False),
        pa.field("payload", pa.large_binary(), nullable=False),
    ]
)
"""Packets that can't be annotated. `stage` is the step that gave up: ``read``, ``decode``, ``features``, ``classify``.
`reason` says what was given, what was expected and which alert. `payload` holds the raw bytes, to be replayed."""


def packets(pairs: list[tuple[str, bytes]]) -> pa.Table:
    """A packet table from pairs of origin and payload."""
    origins, payloads = zip(*pairs, strict=True) if pairs else ((), ())
    return pa.table([pa.array(origins, pa.utf8()), pa.array(payloads, pa.large_binary())], schema=PACKETS)


def rejects(rows: list[tuple[str, str, str, bytes]]) -> pa.Table:
    """A reject table from rows of origin, stage, reason and payload."""
    columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, REJECTS, strict=True)], schema=REJECTS)
