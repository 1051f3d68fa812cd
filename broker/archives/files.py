"""Which files does an input consist of? Itself, those of a directory, or those that count of a table."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from broker.books.ledger import Ledger
from broker.errors import WrongInputError
from broker.object_store import is_address, plain
from broker.run_directory import PART, RunDirectory

if TYPE_CHECKING:
    from deltalake import DeltaTable

State = tuple[str, int, int]
"""A file's name, bytes, and time of its last change [ns]."""


def file_names(path: Path) -> list[str]:
    """The files relative to the input, in the order in which they are read; one empty name for a file itself.

    Files and folders whose names begin with a dot are left alone, and links to folders aren't followed.

    Raises
    ------
    WrongInputError
        If it is a Delta table that can't be read.
    OSError
        If a folder can't be read.
    """
    if not path.is_dir():
        return [""]
    if (path / "_delta_log").is_dir():
        return _delta_files(path)
    run = RunDirectory(path)
    if run.ledger.exists():
        inner = run.annotations
        return [f"{inner.name}/{name}" for name in file_names(inner)] if inner.is_dir() else []
    names = sorted(_walk(path))
    above = RunDirectory(path.parent)
    return _committed(above, names) if above.annotations == path and above.ledger.exists() else names


def state_of(where: str | Path) -> list[State]:
    """Each file's state: what tells without reading whether an input is still the same.

    Raises
    ------
    WrongInputError, OSError
        As `file_names`.
    """
    if is_address(where):
        return _objects(str(where))
    path = Path(where)
    found = ((name, (path / name if name else path).stat()) for name in file_names(path))
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]


def _walk(path: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        yield from (str(each.relative_to(path)) for each in paths if each.is_file())


def _raise(error: OSError) -> None:
    raise error


def _committed(run: RunDirectory, names: list[str]) -> list[str]:
    """Without the parts of micro-batches that died; the ledger hasn't got those."""
    last = Ledger.read(run.ledger).last_batch
    parts = ((name, PART.fullmatch(Path(name).name)) for name in names)
    return [name for name, part in parts if not part or int(part["batch"]) <= last.get(part["stream"], -1)]


def _delta_files(path: Path) -> list[str]:
    return sorted(os.path.relpath(uri.removeprefix("file://"), path) for uri in _delta_table(path).file_uris())


def _objects(address: str) -> list[State]:
    """The files of a Delta table in an object store, as the table's log tells them."""
    told = pa.table(_delta_table(address).get_add_actions(flatten=True))
    changed = told["modification_time"].cast(pa.timestamp("ns")).cast(pa.int64())
    columns = (told["path"], told["size_bytes"], changed)
    return sorted(zip(*(column.to_pylist() for column in columns), strict=True))


def _delta_table(where: str | Path) -> "DeltaTable":
    from deltalake import DeltaTable  # takes a while to load
    from deltalake.exceptions import TableNotFoundError

    try:
        table = DeltaTable(where)
        features = table.protocol().reader_features or ()
    except TableNotFoundError:
        raise WrongInputError(f"there is no Delta table at {where}; give the address of one") from None
    except Exception as error:  # delta-rs raises errors of its own, of the system, and plain ones
        raise WrongInputError(f"the Delta table {where} can't be read: {plain(error)}") from error
    if "deletionVectors" in features:
        raise WrongInputError(f"the Delta table {where} has deletion vectors, which aren't read; rewrite it without")
    return table
