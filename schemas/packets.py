"""What comes in and what is turned away: tables of raw packets, and of rejects with their reason."""

import re

import pyarrow as pa

_LONGEST_REASON = 2000
"""Characters."""

PACKETS = pa.schema(
    [
        pa.field("origin", pa.utf8(), nullable=False),
        pa.field("payload", pa.large_binary(), nullable=False),
    ]
)
"""Raw packets as they came. `origin` says where from: ``path``, ``archive.tar.gz!member``; decoding adds
``#3`` for the fourth record of an object container that holds several. A part of a larger container, with the same
header, says where in it its records stand (`part_origin`)."""

_PART = re.compile(r"(?P<container>.*)#(?P<first>\d+)\+", re.DOTALL)

STAGES = ("read", "schema", "decode", "features", "classify")
"""The steps that may give up on a packet."""

REJECTS = pa.schema(
    [
        pa.field("origin", pa.utf8(), nullable=False),
        pa.field("stage", pa.utf8(), nullable=False),
        pa.field("reason", pa.utf8(), nullable=False),
        pa.field("payload", pa.large_binary(), nullable=False),
    ]
)
"""Packets that can't be annotated. `stage` is the one of `STAGES` that gave up, `reason` says what was given, what was
expected and which alert. `payload` holds the raw bytes, to be replayed."""


def part_origin(container: str, first: int) -> str:
    """The origin of a part of a container: its first record has this number in the whole."""
    return f"{container}#{first}+"


def numbering(origin: str) -> tuple[str, int | None]:
    """The container that a packet is a part of, and the number of its first record; for any other its origin, None."""
    part = _PART.fullmatch(origin) if origin.endswith("+") else None
    return (part["container"], int(part["first"])) if part else (origin, None)


def packets(pairs: list[tuple[str, bytes]]) -> pa.Table:
    """A packet table from pairs of origin and payload."""
    origins, payloads = zip(*pairs, strict=True) if pairs else ((), ())
    return pa.table([pa.array(origins, pa.utf8()), pa.array(payloads, pa.large_binary())], schema=PACKETS)


def rejects(rows: list[tuple[str, str, str, bytes]]) -> pa.Table:
    """A reject table from rows of origin, stage, reason and payload; a reason beyond a page is cut."""
    told = [(origin, stage, _readable(reason), payload) for origin, stage, reason, payload in rows]
    columns = zip(*told, strict=True) if told else ((), (), (), ())
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, REJECTS, strict=True)], schema=REJECTS)


def _readable(reason: str) -> str:
    """A reason may quote what a packet holds: text of any length, and half characters that no column takes."""
    whole = reason.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= _LONGEST_REASON else f"{whole[:_LONGEST_REASON]}..."
