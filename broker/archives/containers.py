"""Object containers with many records: portions are ranges of blocks, and each block becomes a small container."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from broker.archives._hashing import file_hash
from broker.archives.found import Found, Tally
from broker.archives.packet_files import PACKET_FILES
from broker.archives.portion import MOST_BYTES, MOST_PACKETS, Portion
from broker.archives.unreadable import UNREADABLE
from broker.sources.files import LARGEST_PACKET
from broker.sources.gathered import Packet, Reject
from schemas.container_files import SYNC_SIZE, UnreadableError, blocks, head_size
from schemas.packets import part_origin

CONTAINER = "container"


@dataclass(frozen=True)
class Containers:
    """Blocks between two bytes; see `broker.archives.kinds`.

    A block is decoded by itself, so what is broken in one takes nothing from another, however portions are cut.
    """

    name: str = CONTAINER

    def portions(self, found: Found, tally: Tally) -> Iterator[Portion]:
        """List a container; one that holds a single record, or whose header is broken, is a packet like any other."""
        tally.hashes.append((found.name, file_hash(found.open)))
        size = found.path.stat().st_size
        made, fault, records = _walk(found, size)
        if records <= 1 and size <= LARGEST_PACKET:
            tally.packets += 1
            yield Portion(PACKET_FILES, packets=1, size=size, names=(found.name,))
            return
        tally.packets += records
        yield from made
        if fault:
            reason = f"a damaged container: {records} records could be found, then: {fault}"
            tally.fault(found, reason, records)
            yield Portion(UNREADABLE, found.name, packets=1, reason=reason)

    def read(self, found: Found, portion: Portion) -> Iterator[Packet | Reject]:
        """A container of one block each, with the header of the whole."""
        with found.path.open("rb") as file:
            size = head_size(file)
            file.seek(0)
            head, number = file.read(size), portion.first
            for block in blocks(file, portion.start, portion.end, head[-SYNC_SIZE:]):
                if block.end - block.start > LARGEST_PACKET:
                    reason = f"{block.end - block.start:,} bytes; expected at most {LARGEST_PACKET:,}"
                    yield f"{found.origin}#{number}", "read", reason, b""
                elif block.count:
                    file.seek(block.start)
                    yield part_origin(found.origin, number), head + file.read(block.end - block.start)
                number += block.count


def _walk(found: Found, size: int) -> tuple[list[Portion], str | None, int]:
    """The portions, what is wrong behind them, and the number of records."""
    made: list[Portion] = []
    open_ = Portion(CONTAINER, found.name)
    try:
        with found.path.open("rb") as file:
            start = head_size(file)
            file.seek(start - SYNC_SIZE)
            for block in blocks(file, start, size, file.read(SYNC_SIZE)):
                whole = open_.packets and (
                    open_.packets + block.count > MOST_PACKETS or block.end - open_.start > MOST_BYTES
                )
                if whole:
                    made.append(open_)
                if whole or not open_.end:
                    open_ = Portion(CONTAINER, found.name, block.start, first=open_.first + open_.packets)
                open_ = replace(open_, end=block.end, packets=open_.packets + block.count, size=block.end - open_.start)
    except UnreadableError as error:
        fault: str | None = str(error)
    else:
        fault = None
    made += [open_] if open_.packets else []
    return made, fault, open_.first + open_.packets
