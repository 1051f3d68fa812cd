"""The cells of a MOC file: FITS (MOC 1.1 and 2.0, space only) or JSON, as the IVOA recommendation MOC 2.0 has them.

The file is a stranger's. It is read whole, if it isn't too large, and nothing in it makes more room than its own size.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker._healpix import DEEPEST

MAX_BYTES = 4 * 1024 * 1024
SKY = 12 * 4**DEEPEST

_KINDS: dict[str, np.dtype[Any]] = {"I": np.dtype(">i2"), "J": np.dtype(">i4"), "K": np.dtype(">i8")}
"""Whole numbers, by their letter in FITS."""

Ranges = NDArray[np.uint64]
"""First and last (exclusive) cell at `DEEPEST`, shape (n, 2); ascending, and no two touch."""


def read_ranges(path: Path) -> Ranges:
    """The cells that a file covers.

    Raises
    ------
    ValueError
        If it can't be read as a MOC, or covers nothing.
    """
    if not path.is_file():
        raise ValueError(f"no such file: {path}" if not path.exists() else f"{path} isn't a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} has more than {MAX_BYTES:,} bytes")
    kind, read = ("JSON", _from_json) if path.suffix.lower() == ".json" else ("FITS", _from_fits)
    try:
        ranges = read(content)
    except Exception as error:  # noqa: BLE001 - what is no MOC fails in many ways
        raise ValueError(f"{path} isn't a MOC in {kind} format: {_first_line(error)}") from None
    if not len(ranges):
        raise ValueError(f"{path} covers nothing")
    return _joined(ranges)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _from_json(content: bytes) -> Ranges:
    """``{"3": [0, 1], "29": [...]}``: cells by order."""
    told: Any = json.loads(content)
    if not isinstance(told, dict):
        raise TypeError("it isn't a mapping of orders to lists of cells")
    found = [_of_cells(int(order), np.array(cells, dtype=object)) for order, cells in told.items()]
    return np.concatenate(found) if found else np.zeros((0, 2), np.uint64)


def _of_cells(order: int, cells: NDArray[np.object_]) -> Ranges:
    if not 0 <= order <= DEEPEST:
        raise ValueError(f"there is no order {order}")
    wrong = [cell for cell in cells.ravel() if type(cell) is not int or not 0 <= cell < 12 * 4**order]
    if wrong or cells.ndim != 1:
        raise ValueError(f"order {order} has no such cell: {str(wrong[0] if wrong else cells)[:40]}")
    shift = np.uint64(2 * (DEEPEST - order))
    first = cells.astype(np.uint64)
    return np.stack([first << shift, (first + np.uint64(1)) << shift], axis=-1)


def _from_fits(content: bytes) -> Ranges:
    import warnings

    from astropy.io import fits

    if not content.startswith(b"SIMPLE"):  # astropy would unpack what is compressed, however large it becomes
        raise ValueError("it doesn't begin as one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about headers that aren't quite as they should be
        with fits.open(BytesIO(content), memmap=False, lazy_load_hdus=True) as file:
            table = next((part for part in file if isinstance(part, fits.BinTableHDU)), None)
            if table is None:
                raise ValueError("it has no table")
            header, start = table.header, table.fileinfo()["datLoc"]
    kind, rows = _kind(header), header["NAXIS2"]
    if not 0 <= rows * kind.itemsize <= len(content) - start:
        raise ValueError(f"its table has {rows * kind.itemsize:,} bytes, of which {len(content) - start:,} are there")
    return _from_column(np.frombuffer(content, kind, rows, start), header.get("ORDERING", "NUNIQ").strip())


def _kind(header: Any) -> np.dtype[Any]:
    """The type of the table's only column.

    Raises
    ------
    ValueError
        If the table isn't one of cells.
    """
    form = header["TFORM1"].strip()
    kind = _KINDS.get(form.removeprefix("1"))
    if kind is None or header["TFIELDS"] != 1 or header["NAXIS1"] != kind.itemsize:
        raise ValueError(f"its table isn't one column of whole numbers, but {form[:20]!r}")
    if "TSCAL1" in header or "TZERO1" in header:
        raise ValueError("its numbers are scaled")
    if header.get("MOCDIM", "SPACE").strip() != "SPACE":
        raise ValueError("it isn't one of space alone")
    return kind


def _from_column(values: NDArray[Any], ordering: str) -> Ranges:
    if (values < 0).any():
        raise ValueError("it has a negative cell")
    cells = values.astype(np.uint64)
    if ordering == "NUNIQ":
        return _from_uniq(cells)
    if ordering != "RANGE":
        raise ValueError(f"its cells are in the ordering {ordering[:20]!r}, not RANGE or NUNIQ")
    ranges = cells[: len(cells) // 2 * 2].reshape(-1, 2)
    if len(cells) % 2 or (ranges[:, 0] >= ranges[:, 1]).any() or (ranges > SKY).any():
        raise ValueError("it has a range that isn't one")
    return ranges


def _from_uniq(numbers: Ranges) -> Ranges:
    """A number tells order and cell: 4 * 4^order + cell."""
    found = np.zeros((len(numbers), 2), np.uint64)
    for order in range(DEEPEST + 1):
        first = 4 * 4**order
        here = (numbers >= first) & (numbers < 4 * first)
        found[here] = _of_cells(order, (numbers[here] - np.uint64(first)).astype(object))
    if (found[:, 1] == 0).any():
        raise ValueError("it has a number of no cell")
    return found


def _joined(ranges: Ranges) -> Ranges:
    """In order, overlaps and neighbours made one."""
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    starts = np.concatenate([[True], ranges[1:, 0] > reach[:-1]])
    ends = np.concatenate([starts[1:], [True]])
    return np.stack([ranges[starts, 0], reach[ends]], axis=-1)
