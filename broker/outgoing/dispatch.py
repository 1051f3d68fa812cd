"""Which of the encoded messages go out, to which topic, under which key."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.outgoing.destinations import Destination
from broker.outgoing.outbox import HEADERS, OUTGOING

KEY = ("survey", "alertId", "diaSourceId")
BUNDLE_DIGITS = 12

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Dispatch:
    """Messages to send, and how many are too large to be, by destination."""

    messages: pa.Table
    undeliverable: Counter[str]


def dispatch(
    records: pa.Table,
    rows: Integers,
    annotations: pa.Table,
    published: Mapping[str, int],
    destinations: Sequence[Destination],
    max_bytes: int,
) -> Dispatch:
    """Pick the messages of alerts that are sent.

    Parameters
    ----------
    records : columns of `broker.harvest.RECORDS`; `row` counts in the micro-batch as the workers gave it.
    rows : which of those rows the annotations are.
    annotations : annotation columns with `deliveredTo`, duplicates removed.
    published : Kafka's time stamps by origin [ms since 1970, UTC]; they go along, so that the delay can be told.
    destinations : the run's.
    max_bytes : the most that a message may have.
    """
    place = _places(records["row"], rows)
    names = pa.array([to.name for to in destinations], pa.utf8())
    number = pc.index_in(records["destination"], names).cast(pa.int64()).to_numpy()
    wanted = (place >= 0) & _is_delivered(place, number, annotations["deliveredTo"], names, destinations)
    # A message that couldn't be encoded can't be sent either.
    sizes = pc.fill_null(pc.binary_length(records["value"]), max_bytes + 1).to_numpy()
    undeliverable = Counter(destinations[k].name for k in number[wanted & (sizes > max_bytes)])
    chosen = np.flatnonzero(wanted & (sizes <= max_bytes))
    # In the order of the annotations, so that a topic's messages are in theirs.
    chosen = chosen[np.lexsort((number[chosen], place[chosen]))]
    at, to = place[chosen], number[chosen]
    columns = [
        pa.array([each.topic for each in destinations], pa.utf8()).take(pa.array(to)),
        keys_of(annotations).take(pa.array(at)),
        records["value"].take(pa.array(chosen)),
        _headers(to, at, destinations, _stamps(annotations["origin"], published)),
    ]
    return Dispatch(pa.table(columns, schema=OUTGOING), undeliverable)


def keys_of(annotations: pa.Table) -> pa.ChunkedArray:
    """The stable key of each alert's messages: survey, both ids, and the beginning of the bundle's hash.

    The same alert sent again has the same key; classified by another bundle it has another.
    """
    bundle = pc.utf8_slice_codeunits(pc.struct_field(annotations["classifier"], "bundleSha256"), 0, BUNDLE_DIGITS)
    return pc.binary_join_element_wise(*(annotations[name].cast(pa.utf8()) for name in KEY), bundle, "/")


def _places(rows: pa.ChunkedArray, kept: Integers) -> Integers:
    """Where each record's row is among those that were kept, -1 where it isn't."""
    last = int(max(pc.max(rows).as_py() or 0, kept.max(initial=0)))
    place = np.full(last + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    places: Integers = place[rows.to_numpy()]
    return places


def _is_delivered(
    place: Integers, number: Integers, delivered: pa.ChunkedArray, names: pa.Array, to: Sequence[Destination]
) -> NDArray[np.bool_]:
    """Whether a record's destination gets every alert, or its filter is among those that its alert is sent for."""
    column = delivered.combine_chunks()
    owners = column.value_parent_indices().to_numpy(zero_copy_only=False).astype(np.int64)
    codes = pc.fill_null(pc.index_in(column.flatten(), names), -1).to_numpy()
    pairs = owners * len(to) + codes
    everything = np.array([each.filter is None for each in to], dtype=np.bool_)
    return everything[number] | np.isin(place * len(to) + number, pairs[codes >= 0])


def _stamps(origins: pa.ChunkedArray, published: Mapping[str, int]) -> pa.Array:
    """When the packet of each alert was published; null where that isn't known."""
    return pa.array([published.get(origin.partition("#")[0]) for origin in origins.to_pylist()], pa.int64())


def _headers(to: Integers, at: Integers, destinations: Sequence[Destination], stamps: pa.Array) -> pa.MapArray:
    """The headers of each message: those of its destination, then when its packet was published, where that is known.

    Parameters
    ----------
    to, at : of each message, the number of its destination and the row of its alert.
    stamps : of the alerts.
    """
    fixed = pa.array([_fixed_headers(each) for each in destinations], HEADERS)
    starts = fixed.offsets.to_numpy()
    stamped = stamps.is_valid().to_numpy(zero_copy_only=False)[at]
    counts = np.diff(starts)[to] + stamped
    ends = np.cumsum(counts)
    entries = np.arange(counts.sum()) + np.repeat(starts[to] - (ends - counts), counts)
    # What would be the entry behind those of its destination is the stamp.
    entries[ends[stamped] - 1] = len(fixed.keys) + at[stamped]
    keys = pa.concat_arrays([fixed.keys, pa.repeat("publishedMs", len(stamps))])
    items = pa.concat_arrays([fixed.items, stamps.cast(pa.utf8()).cast(pa.binary())])
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    return pa.MapArray.from_arrays(offsets, keys.take(pa.array(entries)), items.take(pa.array(entries)), HEADERS)


def _fixed_headers(to: Destination) -> list[tuple[str, bytes]]:
    made = [("content", to.content.value.encode())]
    if to.filter:
        made += [("filter", to.filter.name.encode()), ("filterVersion", to.filter.version.encode())]
    return made
