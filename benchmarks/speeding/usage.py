"""What the processes of a run take: processor time and memory, by what they are, as Linux tells."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import command_of, descendants

KINDS = ("driver", "java", "workers", "kafka")
"""The driver's Python process, Spark's Java process, Spark's Python workers, and the Kafka broker beside them."""

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TIMES, _RESIDENT = slice(11, 15), 21
"""Places in /proc/PID/stat after the name: utime, stime, cutime, cstime, and rss."""


@dataclass(frozen=True)
class Usage:
    """What the processes below this one have taken.

    Parameters
    ----------
    at : seconds since 1970.
    cpu : processor seconds so far, by kind; those of processes that have ended are with the one that started them.
    memory : resident bytes now, by kind; pages that two processes share count twice.
    """

    at: float
    cpu: Counter[str]
    memory: Counter[str]

    @property
    def run_memory(self) -> int:
        """Bytes of the run, the Kafka broker left out."""
        return sum(size for kind, size in self.memory.items() if kind != "kafka")

    @classmethod
    def now(cls) -> "Usage":
        """Look at every process that this one has started, and at those that they have."""
        cpu: Counter[str] = Counter()
        memory: Counter[str] = Counter()
        for pid in descendants(os.getpid()):
            kind = _kind(command_of(pid))
            if kind:
                seconds, size = _taken(pid)
                cpu[kind] += seconds  # type: ignore[assignment]  # typeshed's counters count in whole numbers
                memory[kind] += size
        return cls(time.time(), cpu, memory)


def _kind(command: list[str]) -> str | None:
    """Which of `KINDS` a process is; None for what is no part of a run."""
    line = " ".join(command)
    if "kafka.Kafka" in command:
        return "kafka"
    if "org.apache.spark.deploy.SparkSubmit" in command:
        return "java"
    if " -m pyspark." in line:
        return "workers"
    is_run = "run" in command and any(Path(word).name == "boreal" for word in command)
    return "driver" if is_run or "benchmarks.speeding.counting" in command else None


def _taken(pid: int) -> tuple[float, int]:
    try:
        # The name stands in parentheses and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0
    return sum(map(int, fields[_TIMES])) / _TICK, int(fields[_RESIDENT]) * _PAGE
