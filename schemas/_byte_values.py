"""From the bytes of many records to the values that a survey reads, without a Python object for any of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import _machine as machine
from schemas._program import VERSION, Column, Program
from schemas.survey import Field, Survey, Values


@dataclass(frozen=True)
class BytesRead:
    """What a program read.

    Parameters
    ----------
    good : bool array, shape (n_segments,)
        Whether a segment's bytes are records from first to last. Nothing is stored of another one.
    alerts, items : as `schemas._record_values.values_of_records` gives them, for the records of good segments.
    versions : the text of the survey's `version_field`; None where it has none.
    """

    good: NDArray[np.bool_]
    alerts: Values
    items: dict[str, Values]
    versions: pa.Array | None


@dataclass(frozen=True)
class Stretch:
    """Bytes, and where there are records in them.

    Parameters
    ----------
    data : uint8 array
    segments : int64 array, shape (n_segments, 3)
        Where each segment starts and ends in `data`, and how many records it holds.
    """

    data: NDArray[np.uint8]
    segments: NDArray[np.int64]


def values_of_bytes(survey: Survey, program: Program, stretches: Sequence[Stretch]) -> BytesRead:
    """Read a survey's fields from records' bytes, as `values_of_records` does from records.

    Parameters
    ----------
    survey, program : whose records, and the program for their schema.
    stretches : the bytes; what is read doesn't depend on how segments are spread over them.
    """
    code, targets, store = _read_only(program.code), _read_only(program.targets), machine.Store.empty()
    outcomes, ends = [], []
    for stretch in stretches:
        status, store = machine.run(_read_only(stretch.data), stretch.segments, code, targets, store)
        outcomes.append(status)
        ends.append(len(store.filled()[1]))
    stored = _Stored(*store.filled(), [stretch.data for stretch in stretches], ends)
    version = {} if survey.version_field is None else {VERSION: Field("text", survey.version_field)}
    alerts = stored.values(0, {**survey.fields, **version}, program.tables[0])
    named = enumerate(survey.items.items(), start=1)
    items = {name: stored.values(table, each.fields, program.tables[table]) for table, (name, each) in named}
    return BytesRead(np.concatenate(outcomes) == machine.GOOD, alerts, items, alerts.arrays.get(VERSION))


def _read_only(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """A contiguous view of one kind, so that the machine is compiled once."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class _Stored:
    """What the machine stored (`schemas._machine.Store`), of which bytes, and at which row it was done with each."""

    cells: NDArray[np.int64]
    rows: NDArray[np.int64]
    data: Sequence[NDArray[np.uint8]]
    ends: Sequence[int]

    def values(self, table: int, fields: Mapping[str, Field], columns: Mapping[str, Column]) -> Values:
        """The values of a table's rows."""
        numbers = np.flatnonzero(self.rows[:, 0] == table)
        owner, at = self.rows[numbers, 1], self.rows[numbers, 2]
        parts = [0, *np.searchsorted(numbers, self.ends).tolist()]
        arrays = {name: self._array(field, columns[name], at, parts) for name, field in fields.items()}
        return Values(owner, arrays)

    def _array(self, field: Field, column: Column, at: NDArray[np.int64], parts: Sequence[int]) -> pa.Array:
        if column.operation is None:
            return pa.nulls(len(at), _TYPES[field.kind])
        known = (self.cells[at] >> column.cell & 1).astype(np.bool_)
        words = self.cells[at + (1 + column.cell)]
        if column.operation == machine.READ_TEXT:
            return self._texts(words, known, parts)
        return _with_nulls(_numbers(words, column.operation), known)

    def _texts(self, words: NDArray[np.int64], known: NDArray[np.bool_], parts: Sequence[int]) -> pa.Array:
        """Texts from the cells that hold their positions and lengths; the parts are of one `data` each."""
        starts, lengths = words >> machine.TEXT_BITS, words & machine.TEXT_MASK
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        bytes_ = [
            _gathered(data, starts[first:end], lengths[first:end])
            for data, (first, end) in zip(self.data, pairwise(parts), strict=True)
        ]
        valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
        buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(np.concatenate(bytes_))]
        return pa.Array.from_buffers(pa.large_utf8(), len(words), buffers).cast(pa.utf8())


_TYPES = {"number": pa.float64(), "id": pa.int64(), "flag": pa.bool_(), "text": pa.utf8(), "given": pa.bool_()}


def _numbers(words: NDArray[np.int64], operation: int) -> NDArray[np.generic]:
    """The values in the cells of one column."""
    if operation == machine.READ_FLOAT:
        with np.errstate(invalid="ignore"):  # any bits may be there, a signalling NaN too
            return words.astype(np.uint32).view(np.float32).astype(np.float64)
    if operation == machine.READ_DOUBLE:
        return words.view(np.float64)
    return words if operation == machine.READ_VARINT else words.astype(np.bool_)


def _with_nulls(values: NDArray[np.generic], known: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=None if known.all() else ~known, from_pandas=False)


def _gathered(data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Pieces of the bytes, one behind the other."""
    ends = np.cumsum(lengths)
    gathered: NDArray[np.uint8] = data[np.repeat(starts - ends + lengths, lengths) + np.arange(lengths.sum())]
    return gathered
