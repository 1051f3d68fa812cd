"""A table sorted that doesn't fit the memory: sorted runs on the disk, merged stretch by stretch."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Choice = Callable[[pa.RecordBatch], NDArray[np.bool_]]

HELD_BYTES = 256 * 2**20
"""A run is as large in memory, and so is a piece of what is merged."""

BATCH_BYTES = 2**20
"""What a run is read by; while merging, one batch a run is in memory."""


class Sorter:
    """Takes rows in any order, gives them back by ascending key.

    Parameters
    ----------
    folder : for the runs; made, and removed by `remove`.
    by : columns to sort by; the first holds the key, int64 without nulls.
    held_bytes : see `HELD_BYTES`.
    """

    def __init__(self, folder: Path, by: Sequence[str], held_bytes: int = HELD_BYTES) -> None:
        folder.mkdir(parents=True)
        self._folder, self._by, self._held_bytes = folder, list(by), held_bytes
        self._held: list[pa.Table] = []
        self._size = 0
        self._files: list[Path] = []

    def add(self, rows: pa.Table) -> None:
        """Take more rows, of the same columns as those before."""
        self._held.append(rows)
        self._size += rows.nbytes
        if self._size >= self._held_bytes:
            self._write_run()

    def stretches(self, spans: Sequence[tuple[int, int]], only: Choice | None = None) -> Iterator[Iterator[pa.Table]]:
        """The rows of each span of keys: the first key, and the first behind the span; ascending, none overlap.

        A span's rows come in pieces of `held_bytes` or little more, each of them sorted; mostly in one. Pieces that
        aren't taken before the next span is asked for are lost.

        Parameters
        ----------
        spans : of keys.
        only : says which rows are wanted, shape (n_rows,); all if None.
        """
        if self._held:
            self._write_run()
        runs = [_Run(path, self._by[0]) for path in self._files]
        for low, high in spans:
            yield self._pieces(batch for run in runs for batch in run.take(low, high, only))

    def remove(self) -> None:
        """Remove the runs; nothing can be read after that."""
        shutil.rmtree(self._folder)

    def _pieces(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
        found: list[pa.RecordBatch] = []
        size = 0
        for batch in batches:
            found.append(batch)
            size += batch.nbytes
            if size >= self._held_bytes:
                yield self._sorted(pa.Table.from_batches(found))
                found, size = [], 0
        if found:
            yield self._sorted(pa.Table.from_batches(found))

    def _sorted(self, rows: pa.Table) -> pa.Table:
        return rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in self._by]))

    def _write_run(self) -> None:
        rows = self._sorted(pa.concat_tables(self._held))
        path = self._folder / f"{len(self._files):06}.arrow"
        at_once = max(1, rows.num_rows * BATCH_BYTES // max(rows.nbytes, 1))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema, options=options) as writer:
            writer.write_table(rows, max_chunksize=at_once)
        self._files.append(path)
        self._held, self._size = [], 0


class _Run:
    """A sorted run, read from its beginning to its end once."""

    def __init__(self, path: Path, key: str) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._next, self._key = 0, key
        self._batch: pa.RecordBatch | None = None

    def take(self, low: int, high: int, only: Choice | None) -> Iterator[pa.RecordBatch]:
        """The wanted rows with keys from `low` up to, but without, `high`; those before them are passed over."""
        while (batch := self._current()) is not None:
            start, end = np.searchsorted(np.asarray(batch[self._key]), (low, high))
            self._batch = batch.slice(end) if end < batch.num_rows else None
            found = batch.slice(start, end - start)
            if only is not None:
                found = found.filter(pa.array(only(found)))
            if found.num_rows:
                yield found
            if self._batch is not None:
                return

    def _current(self) -> pa.RecordBatch | None:
        if self._batch is None and self._next < self._reader.num_record_batches:
            self._batch = self._reader.get_batch(self._next)
            self._next += 1
        return self._batch
