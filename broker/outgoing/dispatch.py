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


@dataclass(frozen=True)
class Dispatch:
    """Messages to send, and how many are too large to be, by destination."""

    messages: pa.Table
    undeliverable: Counter[str]


def dispatch(
    records: pa.Table,
    rows: NDArray[np.int64],
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
    known = {to.name: k for k, to in enumerate(destinations)}
    number = np.array([known[name] for name in records["destination"].to_pylist()], dtype=np.int64)
    wanted = (place >= 0) & _is_delivered(place, number, annotations["deliveredTo"], destinations)
    # A message that couldn't be encoded can't be sent either.
    sizes = pc.fill_null(pc.binary_length(records["value"]), max_bytes + 1).to_numpy()
    undeliverable = Counter(destinations[k].name for k in number[wanted & (sizes > max_bytes)])
    chosen = np.flatnonzero(wanted & (sizes <= max_bytes))
    # In the order of the annotations, so that a topic's messages are in theirs.
    chosen = chosen[np.lexsort((number[chosen], place[chosen]))]
    at, to = place[chosen], number[chosen]
    keys, stamps = keys_of(annotations), _stamps(annotations["origin"], published)
    columns = [
        pa.array([destinations[k].topic for k in to], pa.utf8()),
        keys.take(pa.array(at)),
        records["value"].take(pa.array(chosen)),
        pa.array([_headers(destinations[k], stamps[row]) for k, row in zip(to, at, strict=True)], HEADERS),
    ]
    return Dispatch(pa.table(columns, schema=OUTGOING), undeliverable)


def keys_of(annotations: pa.Table) -> pa.ChunkedArray:
    """The stable key of each alert's messages: survey, both ids, and the beginning of the bundle's hash.

    The same alert sent again has the same key; classified by another bundle it has another.
    """
    bundle = pc.utf8_slice_codeunits(pc.struct_field(annotations["classifier"], "bundleSha256"), 0, BUNDLE_DIGITS)
    return pc.binary_join_element_wise(*(annotations[name].cast(pa.utf8()) for name in KEY), bundle, "/")


def _places(rows: pa.ChunkedArray, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each record's row is among those that were kept, -1 where it isn't."""
    last = int(max(pc.max(rows).as_py() or 0, kept.max(initial=0)))
    place = np.full(last + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    places: NDArray[np.int64] = place[rows.to_numpy()]
    return places


def _is_delivered(
    place: NDArray[np.int64], number: NDArray[np.int64], delivered: pa.ChunkedArray, to: Sequence[Destination]
) -> NDArray[np.bool_]:
    """Whether a record's destination gets every alert, or its filter is among those that its alert is sent for."""
    names = {each.name: k for k, each in enumerate(to)}
    column = delivered.combine_chunks()
    owners = column.value_parent_indices().to_numpy(zero_copy_only=False).astype(np.int64)
    codes = np.array([names.get(name, -1) for name in column.flatten().to_pylist()], dtype=np.int64)
    pairs = owners * len(to) + codes
    everything = np.array([each.filter is None for each in to], dtype=np.bool_)
    return everything[number] | np.isin(place * len(to) + number, pairs[codes >= 0])


def _stamps(origins: pa.ChunkedArray, published: Mapping[str, int]) -> list[int | None]:
    return [published.get(origin.partition("#")[0]) for origin in origins.to_pylist()]


def _headers(to: Destination, published: int | None) -> list[tuple[str, bytes]]:
    made = [("content", to.content.value.encode())]
    if to.filter:
        made += [("filter", to.filter.name.encode()), ("filterVersion", to.filter.version.encode())]
    if published is not None:
        made.append(("publishedMs", str(published).encode()))
    return made
