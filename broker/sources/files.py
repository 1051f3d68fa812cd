"""From files to packets: a file is a packet, an object container, or a tar archive of such files."""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from broker.sources.gathered import Gathered, Packet, Reject
from broker.sources.tar_members import DAMAGE, READ_AT_ONCE, Member, Piecewise, members

LARGEST_PACKET = 256 * 1024 * 1024
"""Bytes: a file or member that is larger is turned away unread. LSST packets have a few MB at most."""

TAR_MAGIC = slice(257, 262)


def read_files(directory: Path, names: Iterable[str]) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The packets in these files, a chunk at a time, and rejects of what can't be read.

    An archive is read as a stream. One that breaks off yields the members before the break, and one reject without
    bytes for the rest: the archive itself keeps them.

    Parameters
    ----------
    directory, names : files, told relative to the directory.

    Yields
    ------
    packets, rejects : tables of `schemas.packets`, enough packets for a call at a time.
    """
    waiting = Gathered()
    for item in _items(directory, names):
        waiting.add(item)
        if waiting.is_enough:
            yield waiting.take()
    if waiting:
        yield waiting.take()


def origin_of(name: str) -> str:
    """A name as text: file systems and archives allow bytes in names that aren't UTF-8, columns of text don't."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _items(directory: Path, names: Iterable[str]) -> Iterator[Packet | Reject]:
    for name in names:
        path = directory / name
        try:
            if is_tar(path):
                yield from _members(path, name)
            else:
                yield _file(path, name)
        except OSError as error:
            yield origin_of(name), "read", f"can't be read: {error.strerror or error}", b""


def is_tar(path: Path) -> bool:
    """Whether the file begins a tar archive, plain or compressed with gzip.

    Raises
    ------
    OSError
        If it can't be read.
    """
    try:
        with _open(path) as file:
            return file.read(512)[TAR_MAGIC] == b"ustar"
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return False


def _open(path: Path) -> IO[bytes]:
    """The content, decompressed where it is gzip; tarfile's own decompression takes a cut file for a whole one."""
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path)) if compressed else path.open("rb")


def _file(path: Path, name: str) -> Packet | Reject:
    size = path.stat().st_size
    if size > LARGEST_PACKET:
        return _too_large(origin_of(name), size)
    return origin_of(name), unzipped(path.read_bytes())


def _too_large(origin: str, size: int) -> Reject:
    return origin, "read", f"{size:,} bytes; expected at most {LARGEST_PACKET:,}", b""


def _members(path: Path, name: str) -> Iterator[Packet | Reject]:
    read = 0
    try:
        with _open(path) as file:
            content = Piecewise(file)
            for member in members(content, skip=False):
                if member.is_file:
                    yield _member(member, origin_of(f"{name}!{member.info.name}"))
                    read += 1
            while content.read(READ_AT_ONCE):  # to the end, where gzip keeps its checksum
                pass
    except DAMAGE as error:
        yield origin_of(name), "read", f"a damaged tar archive: {read} members could be read, then: {error}", b""


def _member(member: Member, origin: str) -> Packet | Reject:
    if member.info.size > LARGEST_PACKET:
        return _too_large(origin, member.info.size)
    if member.climbs_out:
        return origin, "read", member.climbs_out, member.content()
    return origin, unzipped(member.content())


def unzipped(payload: bytes) -> bytes:
    """A packet that was compressed with gzip by itself, as ELAsTiCC's are; whatever isn't one, as it is."""
    if not payload.startswith(b"\x1f\x8b"):
        return payload
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(payload)).read(LARGEST_PACKET + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return payload
    return payload if len(content) > LARGEST_PACKET else content
