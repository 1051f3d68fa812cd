"""Files that hold one packet each: a portion is some of their names."""

from collections.abc import Iterator
from dataclasses import dataclass

from broker.archives._hashing import file_hash
from broker.archives.found import Found, Tally
from broker.archives.portion import MOST_BYTES, MOST_PACKETS, Portion
from broker.archives.unreadable import UNREADABLE
from broker.sources.files import LARGEST_PACKET, origin_of, unzipped
from broker.sources.gathered import Packet, Reject

PACKET_FILES = "packets"


@dataclass(frozen=True)
class PacketFiles:
    """Files by name; see `broker.archives.kinds`."""

    name: str = PACKET_FILES

    def portions(self, found: Found, tally: Tally) -> Iterator[Portion]:
        """A file alone; `joined` makes larger portions of many."""
        size = found.path.stat().st_size
        tally.hashes.append((found.name, file_hash(found.open)))
        if size > LARGEST_PACKET:
            reason = f"{size:,} bytes; expected at most {LARGEST_PACKET:,}"
            tally.fault(found, reason)
            yield Portion(UNREADABLE, found.name, packets=1, reason=reason)
            return
        tally.packets += 1
        yield Portion(PACKET_FILES, packets=1, size=size, names=(found.name,))

    def read(self, found: Found, portion: Portion) -> Iterator[Packet | Reject]:
        """The files' content; one that was compressed by itself is unpacked."""
        for name in portion.names:
            path = found.path / name if name else found.path
            origin = origin_of(f"{found.origin}!{name}") if name else found.origin
            yield origin, unzipped(path.read_bytes())


def joined(portions: Iterator[Portion]) -> Iterator[Portion]:
    """Files that were listed one by one, many in a portion; portions of other kinds pass as they are."""
    held: list[Portion] = []
    for portion in portions:
        if portion.kind != PACKET_FILES:
            yield portion
            continue
        if len(held) == MOST_PACKETS or sum(each.size for each in held) + portion.size > MOST_BYTES:
            yield from _join(held)
        held.append(portion)
    yield from _join(held)


def _join(held: list[Portion]) -> Iterator[Portion]:
    if held:
        names = tuple(name for each in held for name in each.names)
        yield Portion(PACKET_FILES, packets=len(names), size=sum(each.size for each in held), names=names)
    held.clear()
