"""What a micro-batch adds to the books: counts, by Kafka partition too, and the offsets that they cover."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.books.ledger import Entry, Page, Span
from broker.books.reasons import count_kinds
from broker.books.visits import visit_counts
from broker.errors import LedgerError
from broker.harvest import Harvest
from broker.shadow.rows import COMPARED
from broker.sources.kafka import partition_names, partitions_of

SHORT_HASH = 12
"""Digits of a bundle's hash that name it in the books, as in the keys of messages."""


@dataclass(frozen=True)
class Account:
    """What was decided on a micro-batch.

    Parameters
    ----------
    harvest : as the workers gave it.
    annotations : the rows that are no duplicates, with `deliveredTo`.
    cut : alerts held back, by filter and limit.
    undeliverable : messages that are too large to be sent, by destination.
    replayed : columns of `broker.deadletter.DEADLETTER`: dead letters that these packets were; None for new packets.
    rows : int64 array
        Which rows of the harvest's annotations these are; needed where packets are from archives.
    shadow : columns of `broker.shadow.rows.COMPARED`: what a second bundle said of them.
    """

    harvest: Harvest
    annotations: pa.Table
    cut: Mapping[str, Counter[str]] = field(default_factory=dict)
    undeliverable: Counter[str] = field(default_factory=Counter)
    replayed: pa.Table | None = None
    rows: NDArray[np.int64] | None = None
    shadow: pa.Table = field(default_factory=COMPARED.empty_table)


def page_of(
    stream: str, number: int, account: Account, positions: Mapping[str, Span], taken: int | None = None
) -> Page:
    """The page of a micro-batch, checked.

    Parameters
    ----------
    stream, number : which micro-batch.
    account : what was decided on it.
    positions : how far each Kafka partition had been read before.
    taken : the time now [ms since 1970, UTC].

    Raises
    ------
    LedgerError
        If an alert or a message was lost or made up.
    """
    entry = _entry(account)
    entry.check()
    visits = visit_counts(account.harvest.outcome.annotations, account.annotations)
    if account.replayed is not None:  # their messages were counted when they came
        return Page(stream, number, entry, taken=taken, visits=visits)
    _check_messages(account.harvest)
    spans, skipped = _offsets(account.harvest.messages, positions)
    for partition, runs in skipped.items():
        entry.partitions[partition]["skipped"] = sum(run.next - run.first for run in runs)
    return Page(stream, number, entry, spans, skipped, taken, visits)


def _entry(account: Account) -> Entry:
    outcome, annotations = account.harvest.outcome, account.annotations
    entry = Entry(
        received=outcome.received,
        annotated=annotations.num_rows,
        duplicates=outcome.annotations.num_rows - annotations.num_rows,
        dead_lettered=outcome.rejects.num_rows,
        deliveries=_count(annotations["deliveredTo"].combine_chunks().flatten()),
        cut=dict(account.cut),
        filter_errors=outcome.filter_errors,
        nights=_count(annotations["night"].cast(pa.utf8())),
        surveys=_count(annotations["survey"]),
        schemas=_count(_schema_names(annotations)),
        not_classified=_count(annotations["notClassifiedReason"].drop_null()),
        reject_stages=_count(outcome.rejects["stage"]),
        reject_reasons=count_kinds(outcome.rejects["reason"]),
        undeliverable=account.undeliverable,
        partitions=_partitions(account),
        partition_nights=_partition_nights(annotations),
        inputs=_inputs(account),
        bundles=_count(_short_hash(pc.struct_field(annotations["classifier"], "bundleSha256"))),
        shadow=_shadow(account.shadow),
    )
    return entry if account.replayed is None else entry + _taken_back(account.replayed)


def _taken_back(letters: pa.Table) -> Entry:
    """Dead letters leave the dead-letter; their alerts are counted anew as what they became."""
    n = letters.num_rows
    by_partition = _count(partitions_of(letters["origin"]).drop_null())
    return Entry(
        received=-n,
        dead_lettered=-n,
        reject_stages=_negative(_count(letters["stage"])),
        replayed=_count(letters["stage"]),
        partitions={name: Counter(received=-count, deadLettered=-count) for name, count in by_partition.items()},
    )


def _negative(counts: Counter[str]) -> Counter[str]:
    return Counter({key: -count for key, count in counts.items()})


def _partitions(account: Account) -> dict[str, Counter[str]]:
    outcome, messages = account.harvest.outcome, _new_messages(account)
    came = _count(partitions_of(outcome.annotations["origin"]).drop_null())
    annotated = _count(partitions_of(account.annotations["origin"]).drop_null())
    dead = _count(partitions_of(outcome.rejects["origin"]).drop_null())
    sizes = pa.table({"partition": partition_names(messages), "size": messages["size"]})
    read = {
        row["partition"]: row
        for row in sizes.group_by("partition").aggregate([("size", "count"), ("size", "sum")]).to_pylist()
    }
    return {
        name: Counter(
            messages=read[name]["size_count"] if name in read else 0,
            bytes=read[name]["size_sum"] if name in read else 0,
            received=came[name] + dead[name],
            annotated=annotated[name],
            duplicates=came[name] - annotated[name],
            deadLettered=dead[name],
        )
        for name in sorted({*came, *dead, *read})
    }


def _inputs(account: Account) -> dict[str, Counter[str]]:
    found = account.harvest.inputs
    rows = np.arange(account.annotations.num_rows) if account.rows is None else account.rows
    ends = np.cumsum(found["annotations"].to_numpy())
    annotated = np.bincount(np.searchsorted(ends, rows, side="right"), minlength=len(ends))[: len(ends)]
    made: dict[str, Counter[str]] = {}
    for row, kept in zip(found.to_pylist(), annotated.tolist(), strict=True):
        came, dead = row["annotations"], row["rejects"]
        made.setdefault(row["input"], Counter()).update(
            portions=row["portions"],
            received=came + dead,
            annotated=kept,
            duplicates=came - kept,
            deadLettered=dead,
        )
    return made


def _short_hash(sha256: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_slice_codeunits(sha256, 0, SHORT_HASH)


def _shadow(compared: pa.Table) -> dict[str, Counter[str]]:
    """By bundle of the shadow: alerts that it classified, those of them with the same class, and its failures."""
    made: dict[str, Counter[str]] = {}
    bundles = _short_hash(compared["shadowBundleSha256"])
    for name in pc.unique(bundles).to_pylist():
        rows = compared.filter(pc.equal(bundles, name))
        known = rows.filter(pc.is_null(rows["failure"]))
        same = pc.sum(pc.equal(known["classId"], known["shadowClassId"])).as_py() or 0
        made[name] = Counter(alerts=known.num_rows, same=same, failures=rows.num_rows - known.num_rows)
    return made


def _new_messages(account: Account) -> pa.Table:
    """The messages, but none of those whose packets are replayed."""
    messages = account.harvest.messages
    return messages if account.replayed is None else messages.schema.empty_table()


def _partition_nights(annotations: pa.Table) -> dict[str, Counter[str]]:
    pairs = pa.table({"partition": partitions_of(annotations["origin"]), "night": annotations["night"]})
    made: dict[str, Counter[str]] = {}
    for row in pairs.group_by(["partition", "night"]).aggregate([([], "count_all")]).to_pylist():
        if row["partition"] is not None:
            made.setdefault(row["partition"], Counter())[str(row["night"])] = row["count_all"]
    return made


def _check_messages(harvest: Harvest) -> None:
    """Every message must have become something: an annotation, or a dead letter."""
    messages = harvest.messages
    if not messages.num_rows:
        return
    names = pc.binary_join_element_wise(partition_names(messages), messages["offset"].cast(pa.utf8()), "/")
    tables = (harvest.outcome.annotations, harvest.outcome.rejects)
    origins = pa.chunked_array([chunk for table in tables for chunk in table["origin"].chunks], pa.utf8())
    packets = pc.replace_substring_regex(origins, r"(#\d+)+$", "")
    lost = names.filter(pc.invert(pc.is_in(names, value_set=packets.combine_chunks())))
    if len(lost):
        raise LedgerError(
            f"nothing became of {len(lost)} messages, {lost[0]} (topic/partition/offset) the first of them"
        )


def _offsets(messages: pa.Table, positions: Mapping[str, Span]) -> tuple[dict[str, Span], dict[str, Sequence[Span]]]:
    """The span of offsets of each partition that was read, and the runs within it that held no message."""
    names, offsets = partition_names(messages).to_numpy(), messages["offset"].to_numpy()
    spans: dict[str, Span] = {}
    skipped: dict[str, Sequence[Span]] = {}
    for name in sorted(set(names)):
        read = np.sort(offsets[names == name])
        start = positions[name].next if name in positions else int(read[0])
        spans[name] = Span(start, int(read[-1]) + 1)
        runs = _runs_between(read, start)
        if runs:
            skipped[name] = runs
    return spans, skipped


def _runs_between(read: NDArray[np.int64], start: int) -> list[Span]:
    before = np.concatenate([[start - 1], read[:-1]])
    gaps = np.flatnonzero(read > before + 1)
    return [Span(int(before[k]) + 1, int(read[k])) for k in gaps]


def _schema_names(annotations: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(annotations["survey"], annotations["schemaVersion"], " ")


def _count(values: pa.Array | pa.ChunkedArray) -> Counter[str]:
    return Counter({row["values"]: row["counts"] for row in pc.value_counts(values).to_pylist()})
