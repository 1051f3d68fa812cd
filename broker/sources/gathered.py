"""Packets, and what could not be read, as they wait to be worth a call of the pure function."""

from dataclasses import dataclass, field

import pyarrow as pa

from broker.sources.enough import enough
from schemas.packets import packets, rejects

Packet = tuple[str, bytes]
Reject = tuple[str, str, str, bytes]


@dataclass
class Gathered:
    """What waits, and its bytes."""

    found: list[Packet] = field(default_factory=list)
    failed: list[Reject] = field(default_factory=list)
    size: int = 0

    def add(self, item: Packet | Reject) -> None:
        """Take one in."""
        if len(item) == 2:  # noqa: PLR2004  # a packet is a pair, a reject is a row of four
            self.found.append(item)
        else:
            self.failed.append(item)
        self.size += len(item[-1])

    def __len__(self) -> int:
        return len(self.found) + len(self.failed)

    @property
    def is_enough(self) -> bool:
        """Whether it is worth a call."""
        return enough(len(self), self.size)

    def take(self) -> tuple[pa.Table, pa.Table]:
        """All of it as tables of `schemas.packets`, given away: no packet is in memory twice while its call runs."""
        made = packets(self.found), rejects(self.failed)
        self.found, self.failed, self.size = [], [], 0
        return made
