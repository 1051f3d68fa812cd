"""The dead-letter: what could not be annotated, whole, so that it can be looked at and replayed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from broker.run_directory import RunDirectory
from broker.sources.kafka import places
from schemas.packets import REJECTS

DEADLETTER = pa.schema(
    [
        pa.field("id", pa.utf8(), nullable=False),
        *REJECTS,
        pa.field("topic", pa.utf8()),
        pa.field("partition", pa.int32()),
        pa.field("offset", pa.int64()),
        pa.field("timestamp", pa.int64()),
        pa.field("brokerVersion", pa.utf8(), nullable=False),
        pa.field("featuresSha256", pa.utf8(), nullable=False),
        pa.field("bundleSha256", pa.utf8(), nullable=False),
    ]
)
"""Rejects with their identity, their place and time stamp [ms since 1970, UTC] in Kafka (null for files), and the
versions that turned them away."""

REPLAYED = pa.schema([pa.field("id", pa.utf8(), nullable=False)])
"""Dead letters that were replayed and became annotations, duplicates, or other dead letters."""

REPLAY_STREAM = "dead1e77"
"""The identity of the stream whose micro-batches are replays; any other is a checkpoint's."""


@dataclass(frozen=True)
class Versions:
    """What turned a packet away."""

    broker: str
    features: str
    bundle: str


def letters(rejects: pa.Table, messages: pa.Table, stem: str, versions: Versions) -> pa.Table:
    """Rejects of a micro-batch as rows of `DEADLETTER`.

    Parameters
    ----------
    rejects : columns of `schemas.packets.REJECTS`.
    messages : columns of `broker.sources.kafka.MESSAGES`: those that the rejects came in, and any others.
    stem : the micro-batch's name; with the row it makes the id.
    versions : of the code and the model.
    """
    n = rejects.num_rows
    place = places(rejects["origin"], messages)
    columns = {
        "id": [f"{stem.removeprefix('part-')}-{k}" for k in range(n)],
        **{name: rejects[name] for name in REJECTS.names},
        **{name: place[name] for name in ("topic", "partition", "offset", "timestamp")},
        "brokerVersion": [versions.broker] * n,
        "featuresSha256": [versions.features] * n,
        "bundleSha256": [versions.bundle] * n,
    }
    return pa.table([_as(columns[field.name], field.type) for field in DEADLETTER], schema=DEADLETTER)


def _as(values: pa.Array | pa.ChunkedArray | Sequence[str], kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)


def waiting(run: RunDirectory, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The dead letters that were not replayed, a file at a time.

    Parameters
    ----------
    run : the run's directory.
    columns : of `DEADLETTER`; all if None.
    """
    replayed = replayed_ids(run)
    wanted = list(DEADLETTER.names if columns is None else columns)
    for file in _files(run.deadletter):
        table = ds.dataset(file, schema=DEADLETTER).to_table(columns=[*dict.fromkeys(["id", *wanted])])
        yield table.filter(pc.invert(pc.is_in(table["id"], value_set=replayed))).select(wanted)


def replayed_ids(run: RunDirectory) -> pa.Array:
    """The ids of the dead letters that were replayed."""
    files = _files(run.replayed)
    return ds.dataset(files, schema=REPLAYED).to_table()["id"].combine_chunks() if files else pa.array([], pa.utf8())


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))
