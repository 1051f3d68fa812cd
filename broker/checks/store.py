"""The object store of the annotation table: whether it can be read and written, and keeps two writers apart."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pa_fs

from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.object_store import BRIEFLY, files_at, plain

LIMIT_SECONDS = 30

COLUMNS = pa.schema([("a", pa.int64())])
WRITERS = 8
"""As many as write at once: where none is kept from overwriting another, fewer commits are left."""


def store(subject: Subject) -> Outcome:
    """A small table of its own is made beside the annotations, written by several at once, and deleted."""
    address, options = str(subject.config.table.path), {**subject.config.table.options, **BRIEFLY}
    name = f"_boreal-doctor-{uuid4().hex[:8]}"
    try:
        commits = _commits(f"{address}/{name}", options)
    except Exception as error:  # noqa: BLE001  # delta-rs raises errors of its own, of the system, and plain ones
        found, _, remedy = plain(error).rpartition("; ")
        return failed(f"{address} can't be written: {found or remedy}", remedy if found else "")
    left = _left_after_deleting(address, options, name)
    if commits != WRITERS:
        return failed(
            f"{address} lets two writers overwrite each other: it doesn't know conditional writes (If-None-Match)",
            "take a newer version of the store, or another one; a table there could lose alerts",
        )
    if left:
        return warning(f"{address} can be written, and nothing deleted ({left})", f"remove {address}/{name} by hand")
    return ok(f"{address} can be read and written, and keeps two writers apart")


def _commits(location: str, options: dict[str, str]) -> int:
    """How many commits a table has of those that were all made at once."""
    from deltalake import CommitProperties, DeltaTable, Transaction

    DeltaTable.create(location, COLUMNS, storage_options=options)
    start = Barrier(WRITERS)

    def write(number: int) -> None:
        table = DeltaTable(location, storage_options=options)
        commit = CommitProperties(app_transactions=[Transaction(f"writer-{number}", 0)])
        start.wait(LIMIT_SECONDS)
        table.create_write_transaction([], mode="append", schema=table.schema(), commit_properties=commit)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    return DeltaTable(location, storage_options=options).version()


def _left_after_deleting(address: str, options: dict[str, str], name: str) -> str:
    """Why something is left; empty where nothing is."""
    try:
        _delete(address, options, name)
    except Exception as error:  # noqa: BLE001  # as above
        return plain(error)
    return ""


def _delete(address: str, options: dict[str, str], name: str) -> None:
    files = files_at(address, options)
    for each in files.get_file_info(pa_fs.FileSelector(name, allow_not_found=True, recursive=True)):
        if each.is_file:
            files.delete_file(each.path)
