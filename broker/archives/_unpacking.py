"""Any part of an archive's content, compressed with gzip or not: an index says from where gzip can be unpacked."""

import gzip
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from broker.archives._writing import written_alone
from broker.archives.found import Found
from broker.sources.tar_members import READ_AT_ONCE

SEEK_SPACING = 4 * 2**20
"""Unpacked bytes between two places from which gzip can be read; 32 KiB are kept for each, so 0.8 % of the archive."""


def is_gzip(path: Path) -> bool:
    """Whether the file begins as gzip does."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def write_index(found: Found, end: int) -> None:
    """Keep what it takes to begin to unpack anywhere, up to the byte behind the last that will be read."""
    from indexed_gzip import IndexedGzipFile, ZranError

    with IndexedGzipFile(str(found.path), spacing=SEEK_SPACING, drop_handles=False, skip_crc_check=True) as content:
        with suppress(ZranError):  # it looks further ahead, where the archive may be damaged
            content.seek(end - 1)
        with written_alone(found.index) as path:
            content.export_index(str(path))


def unpacked(found: Found, start: int, end: int) -> bytes:
    """The bytes between two places; fewer only where there aren't as many."""
    if not is_gzip(found.path):
        with found.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    if found.index.exists():
        data = _by_index(found, start, end)
        if len(data) == end - start:
            return data
    with gzip.GzipFile(found.path) as unpacking:
        unpacking.seek(start)
        parts = iter(lambda: unpacking.read1(max(0, end - unpacking.tell())), b"")
        return b"".join(parts)


def _by_index(found: Found, start: int, end: int) -> bytes:
    """Nothing where the index isn't good enough: just before damage."""
    from indexed_gzip import ZranError

    try:
        return bytes(_indexed(found.path, found.index).pread(end - start, start))
    except ZranError:
        return b""


@lru_cache(maxsize=2)
def _indexed(path: Path, index: Path) -> Any:
    """The archive, opened with its index; that takes a while, and a worker reads many portions of it."""
    from indexed_gzip import IndexedGzipFile

    return IndexedGzipFile(
        str(path), index_file=str(index), drop_handles=False, skip_crc_check=True, buffer_size=READ_AT_ONCE
    )
