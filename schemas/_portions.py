"""Which packets can the machine read? Those of one schema at a time, all at once; the others are fastavro's."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas._byte_values import Stretch, values_of_bytes
from schemas._containers import MAGIC, Container
from schemas._payload_bytes import PayloadBytes
from schemas._program import program_for
from schemas._record_reader import UnreadableError
from schemas._same import Same
from schemas.registry import Registry, UnknownSchemaError, record_name
from schemas.survey import Survey, Values
from schemas.surveys import recognise
from schemas.wire_ids import HEADER_SIZE, wire_heads

_MOST_HELD_BYTES = 64 * 2**20
"""Inflated bytes of containers that wait to be read together; one container alone may have more."""

_Block = tuple[int, int, bytes]
"""The packet that it is from, its number of records, its bytes."""

_Chunk = tuple[int, PayloadBytes]
"""The number of its first packet, and its packets."""


@dataclass(frozen=True)
class Portion:
    """Alerts of one survey and one schema that were read together.

    Parameters
    ----------
    survey : whose alerts they are.
    schema_id : id in the wire format's header, None for records of containers.
    alerts, items, versions : their values and the versions of their schema.
    rows : int64 array, shape (n_alerts,), ascending
        The packet that each alert comes from.
    refused : int64 array
        Packets of which not every record was read: of those, none of the alerts count.
    """

    survey: Survey
    schema_id: int | None
    alerts: Values
    items: Mapping[str, Values]
    versions: pa.Array
    rows: NDArray[np.int64]
    refused: NDArray[np.int64]


@dataclass(frozen=True)
class _Segments:
    """Segments of one schema, and the packet that each is from."""

    stretches: Sequence[Stretch]
    rows: NDArray[np.int64]

    @property
    def n_records(self) -> NDArray[np.int64]:
        """In each segment."""
        return np.concatenate([stretch.segments[:, 2] for stretch in self.stretches])


def portions(payloads: pa.ChunkedArray, registry: Registry) -> Iterator[Portion]:
    """Yield the alerts of the packets whose schemas can be compiled. A packet may be missing from all portions.

    Parameters
    ----------
    payloads : large_binary, in any number of chunks, the packets numbered through them.
    registry : where the schemas of Confluent messages are looked up.
    """
    firsts = accumulate(map(len, payloads.chunks), initial=0)
    chunks = [(first, PayloadBytes.of(chunk)) for first, chunk in zip(firsts, payloads.chunks, strict=False)]
    yield from _from_wire(chunks, registry)
    yield from _from_containers(chunks)


def _from_wire(chunks: Sequence[_Chunk], registry: Registry) -> Iterator[Portion]:
    heads = [wire_heads(given) for _, given in chunks]
    for schema_id in sorted({schema_id for _, ids in heads for schema_id in np.unique(ids).tolist()}):
        try:
            writer = registry.by_id(schema_id)
        except (UnknownSchemaError, UnreadableError):
            continue
        found = [(chunk, rows[ids == schema_id]) for chunk, (rows, ids) in zip(chunks, heads, strict=True)]
        stretches = [_messages(given, rows) for (_, given), rows in found]
        numbers = np.concatenate([first + rows for (first, _), rows in found])
        yield from _read(writer.parsed, schema_id, _Segments(stretches, numbers))


def _messages(given: PayloadBytes, rows: NDArray[np.int64]) -> Stretch:
    """Packets that are Confluent messages: a record behind a header."""
    starts, ends = given.bounds[rows] + HEADER_SIZE, given.bounds[rows + 1]
    return Stretch(given.data, np.stack([starts, ends, np.ones_like(rows)], axis=1))


def _from_containers(chunks: Sequence[_Chunk]) -> Iterator[Portion]:
    found: defaultdict[Same, list[_Block]] = defaultdict(list)
    held = 0
    for row, payload in _containers(chunks):
        schema, blocks = _blocks(row, payload)
        if blocks:
            found[Same(schema)] += blocks
            held += sum(len(data) for _, _, data in blocks)
        if held > _MOST_HELD_BYTES:
            yield from _read_blocks(found)
            held = 0
    yield from _read_blocks(found)


def _containers(chunks: Sequence[_Chunk]) -> Iterator[tuple[int, bytes]]:
    """Yield the packets that begin as containers do, with their numbers."""
    for first, given in chunks:
        for row in given.starting_with(MAGIC, len(MAGIC)).tolist():
            yield first + row, given.data[given.bounds[row] : given.bounds[row + 1]].tobytes()


def _blocks(row: int, payload: bytes) -> tuple[Mapping[str, Any], list[_Block]]:
    """The schema and the blocks of a container; no blocks of one that isn't whole."""
    try:
        container = Container.open(payload)
        return container.schema, [(row, count, data) for count, data in container.whole_blocks()]
    except UnreadableError:
        return {}, []


def _read_blocks(found: dict[Same, list[_Block]]) -> Iterator[Portion]:
    """Yield what is in the blocks that were found, and forget them."""
    while found:
        key, blocks = found.popitem()
        (schema,) = key.things
        yield from _read(schema, None, _joined(blocks))


def _joined(blocks: Sequence[_Block]) -> _Segments:
    rows, counts, parts = zip(*blocks, strict=True)
    ends = np.cumsum([len(part) for part in parts])
    starts = np.concatenate([[0], ends[:-1]])
    places = np.stack([starts, ends, np.array(counts)], axis=1)
    return _Segments([Stretch(np.frombuffer(b"".join(parts), np.uint8), places)], np.array(rows))


def _read(schema: Mapping[str, Any], schema_id: int | None, segments: _Segments) -> Iterator[Portion]:
    """Yield a portion if the schema is that of a survey's alerts and can be compiled."""
    known = recognise(record_name(schema))
    program = known and program_for(schema, known[0])
    if known is None or program is None:
        return
    survey, match = known
    read = values_of_bytes(survey, program, segments.stretches)
    rows = np.repeat(segments.rows[read.good], segments.n_records[read.good])
    versions = pa.repeat(survey.version_of_name(match), len(rows)) if read.versions is None else read.versions
    yield Portion(survey, schema_id, read.alerts, read.items, versions, rows, segments.rows[~read.good])
