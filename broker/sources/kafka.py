"""From Kafka messages to packets: a message is a packet, as a file is."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from schemas.packets import PACKETS

MESSAGES = pa.schema(
    [
        pa.field("topic", pa.utf8(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
    ]
)
"""What is known of each message besides its bytes: its place, Kafka's time stamp [ms since 1970, UTC], its size."""

_ORIGIN = r"^(?P<partition>[A-Za-z0-9._-]+/\d+)/\d+(?:#\d+)*$"
_PLACE = re.compile(r"(?P<topic>.+)/(?P<partition>\d+)")


def packets_of(records: pa.Table) -> pa.Table:
    """Kafka records as packets; the origin is ``topic/partition/offset``, and a message without a value is empty.

    Parameters
    ----------
    records : columns ``topic``, ``partition``, ``offset`` and ``value``.
    """
    origin = pc.binary_join_element_wise(
        records["topic"], records["partition"].cast(pa.utf8()), records["offset"].cast(pa.utf8()), "/"
    )
    return pa.table([origin, values_of(records)], schema=PACKETS)


def messages_of(records: pa.Table) -> pa.Table:
    """Kafka records as rows of `MESSAGES`.

    Parameters
    ----------
    records : columns ``topic``, ``partition``, ``offset``, ``timestamp`` [ms] and ``value``.
    """
    size = pc.binary_length(values_of(records)).cast(pa.int64())
    return pa.table([*(records[name] for name in MESSAGES.names[:-1]), size], schema=MESSAGES)


def values_of(records: pa.Table) -> pa.ChunkedArray:
    """The messages' bytes; none where a message has no value."""
    return pc.fill_null(records["value"], b"").cast(pa.large_binary())


def partitions_of(origins: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """``topic/partition`` of origins that `packets_of` made; null for any other."""
    return pc.struct_field(pc.extract_regex(origins, _ORIGIN), "partition")


def partition_names(messages: pa.Table) -> pa.ChunkedArray:
    """``topic/partition`` of rows of `MESSAGES`."""
    return pc.binary_join_element_wise(messages["topic"], messages["partition"].cast(pa.utf8()), "/")


def places(origins: pa.ChunkedArray, messages: pa.Table) -> pa.Table:
    """The message that each origin names, as a row of `MESSAGES`; nulls where it names none.

    Parameters
    ----------
    origins : of alerts; those of a container's end with ``#`` and a number each.
    messages : rows of `MESSAGES`.
    """
    names = pc.binary_join_element_wise(partition_names(messages), messages["offset"].cast(pa.utf8()), "/")
    wanted = pc.replace_substring_regex(origins, r"(#\d+)+$", "")
    return messages.take(pc.index_in(wanted, value_set=names.combine_chunks()))


def published(messages: pa.Table) -> dict[str, int]:
    """Kafka's time stamp [ms since 1970, UTC] of each message, by the origin that `packets_of` gives it."""
    places = (messages[name].to_pylist() for name in ("topic", "partition", "offset"))
    names = ("/".join(map(str, place)) for place in zip(*places, strict=True))
    return dict(zip(names, messages["timestamp"].to_pylist(), strict=True))


def split_partition(name: str) -> tuple[str, int]:
    """Topic and number of ``topic/partition``.

    Raises
    ------
    ValueError
        If it isn't one.
    """
    found = _PLACE.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} isn't topic/partition")
    return found["topic"], int(found["partition"])
