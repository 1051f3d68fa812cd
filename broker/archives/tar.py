"""Tar archives, plain or compressed with gzip: listed in one pass over a stream, read from any place."""

import gzip
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import IO, cast

from broker.archives._streams import Bounded, EndlessError, Hashed
from broker.archives._unpacking import is_gzip, unpacked, write_index
from broker.archives.found import Found, Tally
from broker.archives.portion import MOST_BYTES, MOST_PACKETS, Portion
from broker.archives.unreadable import UNREADABLE
from broker.sources.files import LARGEST_PACKET, origin_of, unzipped
from broker.sources.gathered import Packet, Reject
from broker.sources.tar_members import DAMAGE, READ_AT_ONCE, Member, members

TAR = "tar"

MOST_INFLATION = 100
"""Alerts are packed to a half, or to a tenth where they aren't packed by themselves; gzip's limit is a thousandth."""

ALWAYS_ALLOWED = 256 * 2**20
"""Bytes that any archive may unpack to, however small it is."""

_BLOCK = 512


class _Cut:
    """Members as they come become portions."""

    def __init__(self, file: str) -> None:
        self._file, self._start, self._end, self._packets = file, 0, 0, 0

    def add(self, member: Member) -> Iterator[Portion]:
        """Take a member in; a portion that it would make too large is done before."""
        if self._packets == MOST_PACKETS or member.end - self._start > MOST_BYTES:
            yield from self.done()
        if not self._packets:
            self._start = member.start
        self._end, self._packets = member.end, self._packets + 1

    def done(self) -> Iterator[Portion]:
        """What there is so far."""
        if self._packets:
            size = self._end - self._start
            yield Portion(TAR, self._file, self._start, self._end, packets=self._packets, size=size)
        self._packets = 0


@dataclass(frozen=True)
class TarArchives:
    """Members between two bytes of the unpacked content; see `broker.archives.kinds`."""

    name: str = TAR

    def portions(self, found: Found, tally: Tally) -> Iterator[Portion]:
        """List an archive; one that is damaged yields what comes before the damage, and then what is wrong."""
        last = None
        with found.path.open("rb") as file:
            raw = Hashed(file)
            for portion in _list(found, raw, tally):
                last = portion if portion.kind == TAR else last
                yield portion
            tally.hashes.append((found.name, raw.finish()))
        if last and last.start and is_gzip(found.path):
            write_index(found, last.end)

    def read(self, found: Found, portion: Portion) -> Iterator[Packet | Reject]:
        """The members of a portion; one whose name climbs out of the archive is rejected, bytes and all."""
        data = unpacked(found, portion.start, portion.end)
        for member in members(BytesIO(data + bytes(-len(data) % _BLOCK + 2 * _BLOCK)), skip=False):
            if not member.is_file or member.info.size > LARGEST_PACKET:
                continue
            origin = origin_of(f"{found.origin}!{member.info.name}")
            if member.climbs_out:
                yield origin, "read", member.climbs_out, member.content()
            else:
                yield origin, unzipped(member.content())


def _list(found: Found, raw: Hashed, tally: Tally) -> Iterator[Portion]:
    cut, before = _Cut(found.name), tally.packets
    content = _bounded(found, raw)
    try:
        for member in members(content, skip=True):
            yield from _take(found, member, cut, tally)
        while content.read(READ_AT_ONCE):  # to the end, where gzip keeps its checksum
            pass
        yield from cut.done()
    except (*DAMAGE, OSError, EndlessError) as error:
        yield from cut.done()
        read = tally.packets - before
        reason = f"a damaged tar archive: {read} members could be read, then: {error}"
        tally.fault(found, reason, read, content.read_bytes)
        yield Portion(UNREADABLE, found.name, packets=1, reason=reason)


def _bounded(found: Found, raw: Hashed) -> Bounded:
    """The unpacked content, as far as it may go."""
    if not is_gzip(found.path):
        return Bounded(raw.read, 2**63)
    most = max(ALWAYS_ALLOWED, MOST_INFLATION * found.path.stat().st_size)
    content = gzip.GzipFile(fileobj=cast("IO[bytes]", raw))
    # A read for so many bytes loses those that came before the damage; read1 gives them first.
    return Bounded(content.read1, min(most, found.rules.most_unpacked))


def _take(found: Found, member: Member, cut: _Cut, tally: Tally) -> Iterator[Portion]:
    if not member.is_file:
        tally.skipped[_what(member.info)] += 1
    elif member.info.size > LARGEST_PACKET:
        yield from cut.done()
        reason = f"{member.info.size:,} bytes; expected at most {LARGEST_PACKET:,}"
        yield Portion(UNREADABLE, found.name, packets=1, member=member.info.name, reason=reason)
    else:
        tally.packets += 1
        tally.unsafe += bool(member.climbs_out)
        yield from cut.add(member)


def _what(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "directories"
    return "links" if info.issym() or info.islnk() else "other than files"
