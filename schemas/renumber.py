"""The same packet with other ids: so a few packets stand for as many alerts as a trial needs.

An id is replaced by another that takes as many bytes, wherever it stands in the packet; all other bytes stay.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import zip_longest
from typing import Any

import fastavro

from schemas._containers import MAGIC, Container
from schemas._framing import Alert, unwrap
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import Registry

SHORTEST_ID = 5
"""Bytes. A shorter id has so few values that two trials would meet in them."""

_BITS = 7
_LONG = 63


class IdsStayError(ValueError):
    """A packet whose ids can't be replaced; the message says why."""


@dataclass(frozen=True)
class Template:
    """A packet that is open where its ids stand.

    Parameters
    ----------
    pieces : the bytes between the ids, one piece more than `ids`.
    ids : which id stands behind each piece, counted from 0.
    sizes : bytes that each id takes.
    """

    pieces: tuple[bytes, ...]
    ids: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()

    @classmethod
    def of(cls, payload: bytes, registry: Registry) -> "Template":
        """Open a packet: a Confluent message, or an object container, which is kept uncompressed.

        An id is that of an alert or of its source, of `SHORTEST_ID` bytes at least. The object's id stays, unless it is
        the same number, as that of an object seen for the first time is.

        Raises
        ------
        IdsStayError
            If the packet can't be decoded, an alert in it has only short ids, or the bytes of an id stand for something
            else, too.
        """
        decoded = decode(packets([("", payload)]), registry)
        if decoded.rejects.num_rows:
            raise IdsStayError(f"it can't be decoded: {decoded.rejects['reason'][0].as_py()}")
        varints = {_varint(number): number for number in _replaceable(decoded)}
        anyone = b"|".join(map(re.escape, varints))
        pieces = re.split(b"(" + anyone + b")", _uncompressed(payload))
        if Counter(varints[found] for found in pieces[1::2]) != _occurrences(payload, registry, set(varints.values())):
            raise IdsStayError("the bytes of an id stand for something else, too")
        order = {varint: k for k, varint in enumerate(varints)}
        return cls(tuple(pieces[::2]), tuple(order[found] for found in pieces[1::2]), tuple(map(len, varints)))

    def numbered(self, first: int) -> bytes:
        """The packet with new ids.

        Parameters
        ----------
        first : the ids are made from the numbers `first`, `first` + 1, ... of which it takes as many as it has `sizes`;
            ids of other numbers are others, until the ids of their size are used up.
        """
        new = [_varint(new_id(first + k, size)) for k, size in enumerate(self.sizes)]
        between = (new[k] for k in self.ids)
        return b"".join(part for pair in zip_longest(self.pieces, between, fillvalue=b"") for part in pair)


def new_id(number: int, size: int) -> int:
    """The id of this number among those that take so many bytes, two to ten, as an Avro long.

    Source: Avro 1.11 specification, "Binary encoding": seven bits a byte, of twice the number.
    """
    low, high = 1 << (_BITS * (size - 1) - 1), min(1 << (_BITS * size - 1), 1 << _LONG)
    return low + number % (high - low)


def _varint(number: int) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    return out.getvalue()


def _replaceable(decoded: Decoded) -> list[int]:
    """The ids that are long enough, in the packet's order."""
    table = decoded.alerts.table
    pairs = list(zip(table["alert_id"].to_pylist(), table["source_id"].to_pylist(), strict=True))
    long_enough = {number: None for pair in pairs for number in pair if len(_varint(number)) >= SHORTEST_ID}
    short = [pair for pair in pairs if not long_enough.keys() & set(pair)]
    if short:
        alert, source = short[0]
        raise IdsStayError(f"the ids {alert} and {source} take fewer than {SHORTEST_ID} bytes")
    return list(long_enough)


def _occurrences(payload: bytes, registry: Registry, ids: set[int]) -> Counter[int]:
    """How often each id stands in the packet's records.

    The bytes of an id end with the only one below 128, so they never overlap one another: where they are found as often
    as the id stands in the records, each place is one of an id.
    """
    records = [entry.record for entry in unwrap("", payload, registry) if isinstance(entry, Alert)]
    return Counter(number for number in _integers(records) if number in ids)


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _integers(inner)


def _uncompressed(payload: bytes) -> bytes:
    """An object container whose records can be seen in its bytes; a Confluent message is one already."""
    if not payload.startswith(MAGIC):
        return payload
    container = Container.open(payload)
    if container.codec == "null":
        return payload
    return _joined(container.alone(part) for _, part in container.records())


def _joined(containers: Iterable[bytes]) -> bytes:
    """One container with the blocks of several that have the same header."""
    first, *others = containers
    body = Container.open(first).body
    return first + b"".join(other[body:] for other in others)
