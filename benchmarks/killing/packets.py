"""What flows: real packets under new ids, some corrupt, some repeated, in shuffled order."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from broker.replay_packets import Originals, packets_to_send, read_packets
from broker.sources.gathered import Packet
from schemas.registry import BundledRegistry

CORRUPT = 0.01
REPEATED = 0.02
NEIGHBOURS = 500
"""Packets are shuffled among so many that would follow each other, so that repeats come soon and late."""

LARGE = 200_000
EVERY_LARGE = 50
"""A packet of more than `LARGE` bytes takes fifty times as long to decode as another, so one in fifty is large."""

_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda payload, draw: payload[: draw.randrange(5, max(6, len(payload) // 2))],
    lambda _payload, draw: draw.randbytes(draw.randrange(1, 2000)).replace(b"\x00", b"\x01").replace(b"Obj", b"obj"),
    lambda _payload, _draw: b"",
    lambda payload, draw: b"\x00\x00\x01" + draw.randbytes(2) + payload[5:],
)
"""Ways to break a packet so that it can't be read: cut, noise, empty, an unknown schema's id."""


@dataclass(frozen=True)
class Flow:
    """Packets to send, and what must become of them.

    Parameters
    ----------
    packets : how many are sent.
    corrupt, repeated : how many of them can't be read, and came before.
    """

    packets: int
    corrupt: int
    repeated: int

    @property
    def alerts(self) -> int:
        """Alerts that must be in the table."""
        return self.packets - self.corrupt - self.repeated

    @classmethod
    def of(cls, packets: int) -> "Flow":
        """So many packets, the usual parts of them corrupt and repeated."""
        return cls(packets, round(packets * CORRUPT), round(packets * REPEATED))

    def payloads(self, directory: Path, seed: int, first: int = 0) -> Iterator[bytes]:
        """The packets, a few in memory at a time; the same seed, and number of the first id, give the same ones."""
        draw = random.Random(seed)  # noqa: S311  # to repeat a run, not to keep a secret
        whole = (payload for _, payload in _endless(directory, first))
        left = Counter(whole=self.alerts, corrupt=self.corrupt, repeated=self.repeated)
        sent: list[bytes] = []
        window: list[bytes] = []
        for kind in _shuffled(left, draw):
            if kind == "whole" or not sent:
                sent = [*sent[-NEIGHBOURS:], next(whole)]
                window.append(sent[-1])
            elif kind == "repeated":
                window.append(draw.choice(sent))
            else:
                window.append(draw.choice(_DAMAGES)(draw.choice(sent), draw))
            if len(window) == NEIGHBOURS:
                draw.shuffle(window)
                yield from window
                window.clear()
        draw.shuffle(window)
        yield from window


def _endless(directory: Path, first: int) -> Iterator[Packet]:
    """Small packets again and again under new ids, a large one now and then."""
    originals = Originals.of(read_packets([directory]), BundledRegistry())
    renumbered = [(origin, template) for origin, template in originals.templates if template.ids]
    small = [each for each in renumbered if sum(map(len, each[1].pieces)) <= LARGE]
    large = [each for each in renumbered if sum(map(len, each[1].pieces)) > LARGE]
    mix = small * max(1, EVERY_LARGE * len(large) // max(1, len(small))) + large
    return packets_to_send(mix, first, repeat=True)


def _shuffled(left: Counter[str], draw: random.Random) -> Iterator[str]:
    """Kinds in random order, each as often as it is to come; the first is whole."""
    kinds = [kind for kind, count in left.items() for _ in range(count)]
    draw.shuffle(kinds)
    first = kinds.index("whole")
    kinds[0], kinds[first] = kinds[first], kinds[0]
    yield from islice(kinds, None)
