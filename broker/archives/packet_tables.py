"""Tables of packets: Parquet files with a column of bytes, alone, in a directory, or of a Delta table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from broker.archives import _parquet
from broker.archives._hashing import file_hash
from broker.archives.found import Found, Rules, Tally
from broker.archives.portion import Portion
from broker.archives.unreadable import Unreadable
from broker.sources.files import LARGEST_PACKET, unzipped
from broker.sources.gathered import Packet, Reject
from schemas.packets import numbering

PACKET_TABLE = "table"


@dataclass(frozen=True)
class PacketTables:
    """Rows between two numbers, none in two row groups; see `broker.archives.kinds`."""

    name: str = PACKET_TABLE

    def portions(self, found: Found, tally: Tally) -> Iterator[Portion]:
        """List a Parquet file."""
        tally.hashes.append((found.name, file_hash(found.open)))
        wrong = _wrong(_parquet.columns_of(found), found.rules)
        if wrong:
            yield from Unreadable().portions(found, tally, wrong)
        else:
            yield from _parquet.portions(PACKET_TABLE, found, _columns(found.rules), tally)

    def read(self, found: Found, portion: Portion) -> Iterator[Packet | Reject]:
        """The packets; where no column tells where they came from, the numbers of their rows do."""
        number = portion.start
        for rows in _parquet.read(found, portion.start, portion.end, _columns(found.rules)):
            payloads = rows[found.rules.column].to_pylist()
            for origin, payload in zip(_origins(found, rows, number), payloads, strict=True):
                if payload and len(payload) > LARGEST_PACKET:
                    yield origin, "read", f"{len(payload):,} bytes; expected at most {LARGEST_PACKET:,}", b""
                else:
                    yield origin, unzipped(payload or b"")
            number += len(rows)


def _columns(rules: Rules) -> Sequence[str]:
    return [rules.column] if rules.origin_column is None else [rules.column, rules.origin_column]


def _origins(found: Found, rows: pa.RecordBatch, first: int) -> Sequence[str]:
    numbered = [f"{found.origin}#{first + k}" for k in range(len(rows))]
    if found.rules.origin_column is None:
        return numbered
    told = rows[found.rules.origin_column].cast(pa.utf8()).to_pylist()
    return [numbering(origin)[0] if origin else number for origin, number in zip(told, numbered, strict=True)]


def _wrong(schema: pa.Schema, rules: Rules) -> str | None:
    """Why there are no packets in a table of these columns."""
    missing = [name for name in _columns(rules) if name not in schema.names]
    if missing:
        return f"it has no column {missing[0]!r} (its columns: {', '.join(schema.names)}); set `source.column`"
    kind = schema.field(rules.column).type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        return f"column {rules.column!r} holds {kind}; expected the packets, as binary"
    return None
