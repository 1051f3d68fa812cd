"""What can't be read at all: a portion that holds just the reason, and becomes one dead letter."""

from collections.abc import Iterator
from dataclasses import dataclass

from broker.archives.found import Found, Tally
from broker.archives.portion import Portion
from broker.sources.files import origin_of
from broker.sources.gathered import Packet, Reject

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Unreadable:
    """Rejects without bytes, which stay where they are; see `broker.archives.kinds`."""

    name: str = UNREADABLE

    def portions(self, found: Found, tally: Tally, reason: str = "can't be read") -> Iterator[Portion]:
        """One portion that says why."""
        tally.fault(found, reason)
        yield Portion(UNREADABLE, found.name, packets=1, reason=reason)

    def read(self, found: Found, portion: Portion) -> Iterator[Packet | Reject]:
        """The reject."""
        origin = origin_of(f"{found.origin}!{portion.member}") if portion.member else found.origin
        yield origin, "read", portion.reason, b""
