"""Runs a compiled program over records' bytes: the only code that moves through a packet without fastavro.

A program (`schemas._program`) is a table of operations. It writes the wanted values of each record into one array of
64-bit cells, a row for each record and for each item of a wanted array. A row is a cell whose bits tell which of its
values are known, then one cell a value. Whatever the bytes are, the machine reads none outside of a record's bounds and
stops: every operation checks that its bytes are there, every pass through a loop takes a byte at least, and what it
isn't sure to read as fastavro does, it refuses.

Source of the encoding: Avro 1.11 specification, "Binary Encoding".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas._jit import inlined, kernel

# Operations that move on.
SKIP, SKIP_PAIRS, SKIP_ENUM = range(3)
# Operations that store a value.
READ_FLOAT, READ_DOUBLE, READ_VARINT, READ_FLAG, READ_TEXT, MARK = range(3, 9)
# Operations that choose what comes next.
END, REFUSE, JUMP, UNION, BLOCK, NEXT, ROW = range(9, 16)

VARINT, BYTES, TEXT = -1, -2, -3
"""Shapes of values that say themselves how long they are; 0 or more is the shape of values of so many bytes."""

_FIRST_READ, _FIRST_FLOW = READ_FLOAT, END

GOOD, REFUSED, FULL = 0, -1, -2
"""What becomes of a segment: read to its very end; not; there wasn't room to store it."""

_LONGEST_VARINT = 10
_BEYOND_ASCII = 0x80
_SECOND = 2
"""The number 1, as of a union's second branch, in Avro's zigzag."""

TEXT_BITS = 20
TEXT_MASK = (1 << TEXT_BITS) - 1
"""A text's cell holds its position and, in these bits, its length."""

_CELLS_AT_FIRST, _ROWS_AT_FIRST = 1 << 16, 1 << 13
_ROWS, _CELLS, _RECORDS = range(3)
"""Places in the numbers of what is stored."""

MOST_TABLES = 8
MOST_NESTED = 8
"""The most tables of a program, and arrays or maps within each other."""

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


class Store(NamedTuple):
    """What is stored, with room for more.

    Parameters
    ----------
    cells : int64 array
        The values: floats and doubles as their bits, flags as 0 or 1, texts as position and length.
    rows : int64 array, shape (any, 3)
        Table, number of the record among those stored, and first cell of each row.
    used : int64 array, shape (3,)
        How many rows, cells and records there are.
    """

    cells: Ints
    rows: Ints
    used: Ints

    @classmethod
    def empty(cls) -> "Store":
        """Where a first run stores."""
        cells, rows = np.empty(_CELLS_AT_FIRST, np.int64), np.empty((_ROWS_AT_FIRST, 3), np.int64)
        return cls(cells, rows, np.zeros(3, np.int64))

    def filled(self) -> tuple[Ints, Ints]:
        """Cells and rows without the room for more."""
        return self.cells[: self.used[_CELLS]], self.rows[: self.used[_ROWS]]


@inlined
def _varint(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """An int or long and the position behind it; as everywhere here, REFUSED for a position that isn't there."""
    word, shift = np.uint64(0), np.uint64(0)
    for k in range(_LONGEST_VARINT):
        if pos >= end:
            return 0, REFUSED
        byte = np.uint64(data[pos])
        pos += 1
        if k == _LONGEST_VARINT - 1 and byte > np.uint64(1):
            return 0, REFUSED  # more than 64 bits
        word |= (byte & np.uint64(0x7F)) << shift
        shift += np.uint64(7)
        if byte < np.uint64(0x80):
            return int(np.int64(word >> np.uint64(1)) ^ -np.int64(word & np.uint64(1))), pos
    return 0, REFUSED


@kernel
def _sized(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """Where bytes or a text that start with their length begin and end."""
    size, pos = _varint(data, pos, end)
    if pos < 0 or size < 0 or size > end - pos:
        return 0, REFUSED
    return pos, pos + size


@kernel
def _plain_text(data: Bytes, start: int, end: int) -> bool:
    """Whether a text is ASCII; what else is UTF-8 is for fastavro to say."""
    for k in range(start, end):  # noqa: SIM110 - numba has no `all` of a generator
        if data[k] >= _BEYOND_ASCII:
            return False
    return True


@inlined
def _behind(shape: int, data: Bytes, pos: int, end: int) -> int:
    """The position behind a value of a shape."""
    if shape >= 0:
        return pos + shape if shape <= end - pos else REFUSED
    if shape == VARINT:
        return _varint(data, pos, end)[1]
    start, stop = _sized(data, pos, end)
    return stop if shape == BYTES or _plain_text(data, start, stop) else REFUSED


@inlined
def _behind_pairs(shapes: Ints, first: int, count: int, data: Bytes, pos: int, end: int) -> int:
    """The position behind values that are each of one of two shapes, as a byte in front of each says."""
    for k in range(first, first + 2 * count, 2):
        if pos < 0 or pos >= end:
            return REFUSED
        branch, shape, second = data[pos], shapes[k], shapes[k + 1]
        if branch != 0:
            shape = second
            if branch != _SECOND:
                return REFUSED
        pos = pos + 1 + shape if 0 <= shape < end - pos else _behind(shape, data, pos + 1, end)
    return pos


@inlined
def _skip(op: int, a: int, b: int, targets: Ints, data: Bytes, pos: int, end: int) -> int:
    """The position behind values that aren't wanted."""
    if op == SKIP:
        return _behind(a, data, pos, end)
    if op == SKIP_PAIRS:
        return _behind_pairs(targets, a, b, data, pos, end)
    symbol, pos = _varint(data, pos, end)  # SKIP_ENUM
    return pos if 0 <= symbol < a else REFUSED


@inlined
def _known(null: int, data: Bytes, pos: int, end: int) -> tuple[bool, int]:
    """Whether a value is there that may be null, as its branch of two says, and where it begins."""
    if pos >= end or data[pos] & ~_SECOND:
        return False, REFUSED
    return data[pos] >> 1 != null, pos + 1


@kernel
def _word(data: Bytes, start: int, end: int) -> int:
    """Up to eight bytes as a number, the lowest first."""
    word = np.uint64(0)
    for k in range(end - start):
        word |= np.uint64(data[start + k]) << np.uint64(8 * k)
    return int(np.int64(word))


@inlined
def _read(op: int, data: Bytes, pos: int, end: int, cells: Ints, cell: int) -> int:
    """Store a value in a cell; the position behind it."""
    if op in (READ_FLOAT, READ_DOUBLE):
        behind = _behind(4 if op == READ_FLOAT else 8, data, pos, end)
        cells[cell] = 0 if behind < 0 else _word(data, pos, behind)
    elif op == READ_VARINT:
        cells[cell], behind = _varint(data, pos, end)
    elif op == READ_FLAG:
        behind = _behind(1, data, pos, end)
        cells[cell] = behind >= 0 and data[pos] != 0
    elif op == READ_TEXT:
        start, behind = _sized(data, pos, end)
        cells[cell] = (start << TEXT_BITS) | (behind - start)
        if behind - start > TEXT_MASK or not _plain_text(data, start, behind):
            behind = REFUSED
    else:  # MARK
        behind = pos
        cells[cell] = 1
    return behind


@kernel
def _block(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """The number of items in the block of an array or a map, and where they begin."""
    count, pos = _varint(data, pos, end)
    if pos >= 0 and count < 0:
        count = -count
        _, pos = _varint(data, pos, end)  # the block's size in bytes, which fastavro doesn't look at either
    # Each item takes a byte at least.
    return (count, pos) if pos >= 0 and 0 <= count <= end - pos else (0, REFUSED)


@kernel
def _row(table: int, width: int, cells: Ints, rows: Ints, used: Ints, at: Ints) -> bool:
    """Begin a row: its table, the record that it belongs to and where its cells are. False if there is no room."""
    n_rows, n_cells = used[_ROWS], used[_CELLS]
    if n_rows >= len(rows) or n_cells + width > len(cells):
        return False
    at[table] = n_cells
    cells[n_cells : n_cells + width] = 0
    rows[n_rows, 0] = table
    rows[n_rows, 1] = used[_RECORDS]
    rows[n_rows, 2] = n_cells
    used[_ROWS], used[_CELLS] = n_rows + 1, n_cells + width
    return True


@inlined
def _record(data: Bytes, pos: int, end: int, code: Ints, targets: Ints, cells: Ints, rows: Ints, used: Ints) -> int:  # noqa: C901, PLR0912 - a branch an operation
    """Read a record: the position behind it, REFUSED or FULL."""
    at = np.zeros(MOST_TABLES, np.int64)
    left = np.zeros(MOST_NESTED, np.int64)
    pc = 0
    while pos >= 0:
        op, a, b, null = code[pc, 0], code[pc, 1], code[pc, 2], code[pc, 3]
        pc += 1
        if op < _FIRST_READ:
            pos = _skip(op, a, b, targets, data, pos, end)
        elif op < _FIRST_FLOW:
            known, pos = (True, pos) if null < 0 else _known(null, data, pos, end)
            if known:
                pos = _read(op, data, pos, end, cells, at[a] + 1 + b)
                cells[at[a]] |= 1 << b
        elif op == UNION:
            branch, pos = _varint(data, pos, end)
            if pos < 0 or branch < 0 or branch >= b:
                return REFUSED
            pc = targets[a + branch]
        elif op == JUMP:
            pc = a
        elif op == NEXT:
            left[b] -= 1
            pc = a if left[b] > 0 else a - 1
        elif op == BLOCK:
            left[b], pos = _block(data, pos, end)
            if left[b] == 0:
                pc = a
        elif op == ROW:
            if not _row(a, b, cells, rows, used, at):
                return FULL
        else:
            return pos if op == END else REFUSED
    return REFUSED


@kernel
def _segment(data: Bytes, bounds: Ints, code: Ints, targets: Ints, cells: Ints, rows: Ints, used: Ints) -> int:
    """Read records that stand one behind the other: their number, in bytes from a start to an end, all of them."""
    pos, end, count = bounds[0], bounds[1], bounds[2]
    for _ in range(count):
        pos = _record(data, pos, end, code, targets, cells, rows, used)
        if pos < 0:
            return pos
        used[_RECORDS] += 1
    return GOOD if pos == end else REFUSED


@kernel
def _roomier(store: Store) -> Store:
    """The same, with twice the room."""
    cells, rows = np.empty(2 * len(store.cells), np.int64), np.empty((2 * len(store.rows), 3), np.int64)
    cells[: len(store.cells)], rows[: len(store.rows)] = store.cells, store.rows
    return Store(cells, rows, store.used)


@kernel
def run(data: Bytes, segments: Ints, code: Ints, targets: Ints, store: Store) -> tuple[NDArray[np.int8], Store]:
    """Run a program.

    Parameters
    ----------
    data : the bytes of all segments; a text's position is one in them.
    segments : int64 array, shape (n_segments, 3)
        Where each segment starts and ends in `data`, and how many records it holds.
    code, targets : of a `schemas._program.Program`.
    store : what earlier runs of the program stored; not to be used again.

    Returns
    -------
    status : int8 array, shape (n_segments,)
        GOOD or REFUSED. Of a segment that is refused nothing is stored.
    store : with what this run stored behind the rest.
    """
    status = np.empty(len(segments), np.int8)
    number = 0
    while number < len(segments):
        before = store.used.copy()
        start, end = segments[number, 0], segments[number, 1]
        outcome = REFUSED
        if 0 <= start <= end <= len(data):
            outcome = _segment(data, segments[number], code, targets, store.cells, store.rows, store.used)
        if outcome != GOOD:
            store.used[:] = before
        if outcome == FULL:
            store = _roomier(store)
        else:
            status[number] = outcome
            number += 1
    return status, store
