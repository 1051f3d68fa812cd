"""The members of a tar archive as a stream of bytes gives them; whatever is wrong with one ends it."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from tarfile import (  # type: ignore[attr-defined]  # typeshed lacks the header errors
    EmptyHeaderError,
    InvalidHeaderError,
    ReadError,
    TruncatedHeaderError,
)
from typing import IO, Any, Protocol, Self, cast

READ_AT_ONCE = 2**20

LARGEST_EXTENSION = 2**20
"""Bytes of a header that goes before a member with a long name; tarfile reads it into memory, whatever its size."""

DAMAGE = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError)
"""What reading a damaged archive raises."""

_EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


class _Info(tarfile.TarInfo):
    """A member of an archive in which nothing may be wrong; tarfile takes a broken header for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        made = super().frombuf(buf, encoding, errors)
        if made.size < 0:
            raise ReadError(f"a member says that it has {made.size} bytes")
        if made.type in _EXTENSIONS and made.size > LARGEST_EXTENSION:
            raise ReadError(f"a name or header of {made.size:,} bytes; expected at most {LARGEST_EXTENSION:,}")
        return made

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except EmptyHeaderError:
            raise ReadError("it ends without an end-of-archive mark") from None
        except (TruncatedHeaderError, InvalidHeaderError) as error:
            raise ReadError(f"{error} at byte {tarfile.offset:,}") from None


class Readable(Protocol):
    """What an archive is read from, forward only."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        ...


@dataclass(frozen=True)
class Piecewise:
    """A file that gives what comes before damage, which a read for so many bytes would lose."""

    file: IO[bytes]

    def read(self, size: int, /) -> bytes:
        """What a single step of unpacking gives."""
        return cast("bytes", cast("Any", self.file).read1(size))


@dataclass(frozen=True)
class Member:
    """A member of an archive.

    Parameters
    ----------
    start, end : the first byte of its header, and the byte behind its content.
    info : what its header says.
    archive : the archive.
    """

    start: int
    end: int
    info: tarfile.TarInfo
    archive: tarfile.TarFile

    @property
    def is_file(self) -> bool:
        """Whether it is an ordinary file, all of whose bytes are there."""
        return self.info.isreg() and not self.info.issparse()

    @property
    def climbs_out(self) -> str | None:
        """What is wrong where its name leads out of where the archive would be unpacked; else None."""
        if not (self.info.name.startswith("/") or ".." in self.info.name.split("/")):
            return None
        return f"its name climbs out of the archive: {self.info.name!r}; expected one below it"

    def content(self) -> bytes:
        """Its bytes; to be asked for before the next member is."""
        file = self.archive.extractfile(self.info)
        return file.read() if file else b""


def members(content: Readable, *, skip: bool) -> Iterator[Member]:
    """Yield the members, in order.

    Parameters
    ----------
    content : of the archive, unpacked.
    skip : yield a member only after its content was passed over, so that it is known to be there.

    Raises
    ------
    tarfile.TarError
        Where the archive is damaged, also where it ends without its mark.
    """
    with tarfile.open(fileobj=cast("IO[bytes]", content), mode="r|", bufsize=READ_AT_ONCE, tarinfo=_Info) as archive:
        while (info := archive.next()) is not None:
            size = 0 if info.islnk() or info.issym() else info.size
            if skip and not info.issparse():
                _pass_over(archive, info.offset_data + size)
            yield Member(info.offset, info.offset_data + size, info, archive)
            cast("Any", archive).members = []  # it would keep all of them


def _pass_over(archive: tarfile.TarFile, to: int) -> None:
    stream = cast("Any", archive.fileobj)  # of tarfile's own, which reads forward
    stream.seek(max(to, stream.tell()))
    if stream.tell() < to:
        raise ReadError("unexpected end of data")
