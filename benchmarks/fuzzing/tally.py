"""The figures of a run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

from benchmarks.fuzzing.watch import Failure
from benchmarks.fuzzing.worker import Done

GROWTH_BYTES = 128 * 2**20
"""The most that a process may grow between its warm-up and its end."""

_WARM_UP = 100
_WINDOW = 20


@dataclass
class Tally:
    """Adds up batches."""

    packets: int = 0
    received: int = 0
    annotated: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    slowest: Done = field(default_factory=lambda: Done(0, 0))
    failures: list[Failure] = field(default_factory=list)
    _memory: dict[int, list[int]] = field(default_factory=dict)

    def add(self, lane: int, told: Done | Failure) -> None:
        """Take in what became of a batch; after a failure, another process goes on in the same lane."""
        if isinstance(told, Failure):
            self.failures.append(told)
            self._memory.pop(lane, None)
            return
        self.packets += told.packets
        self.received += told.received
        self.annotated += told.annotated
        self.rejects += told.rejects
        self.slowest = max(self.slowest, told, key=lambda done: done.seconds)
        self.failures += [Failure(told.number, what) for what in told.failures]
        self._memory.setdefault(lane, []).append(told.memory)

    def growth(self) -> dict[int, int]:
        """By how much the process of each lane has grown since its warm-up [bytes]; medians, for one batch says little.

        The warm-up is the first 100 batches, or half of them where there are fewer than 200.
        """
        grown = {}
        for lane, memory in sorted(self._memory.items()):
            warm = memory[min(_WARM_UP, len(memory) // 2) :]
            grown[lane] = round(median(warm[-_WINDOW:]) - median(warm[:_WINDOW]))
        return grown

    def close(self) -> None:
        """Growth beyond the limit is a failure."""
        for lane, grown in self.growth().items():
            if grown > GROWTH_BYTES:
                self.failures.append(Failure(None, f"process {lane} grew by {grown / 2**20:.0f} MiB"))

    def lines(self, seconds: float) -> Iterator[str]:
        """The figures, one a line."""
        yield f"packets {self.packets}"
        yield f"alerts {self.received}"
        yield f"annotated {self.annotated}"
        for stage, count in sorted(self.rejects.items()):
            yield f"rejected by {stage} {count}"
        yield f"packets per second {self.packets / seconds:.0f}"
        yield f"slowest batch {self.slowest.number}, {self.slowest.seconds:.2f} s"
        for lane, grown in self.growth().items():
            last = self._memory[lane][-1]
            yield f"memory of process {lane} grew by {grown / 2**20:.0f} MiB, to {last / 2**20:.0f} MiB"
