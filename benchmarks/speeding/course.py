"""The course of a run: when each micro-batch was in its books, and what the processes took meanwhile."""

import json
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import started
from benchmarks.speeding.usage import KINDS, Usage
from broker.errors import RunFailedError

LOOK_SECONDS = 0.05
SAMPLE_SECONDS = 0.5
TAIL = 2000
"""Characters of a log."""

ONE_THREAD = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Commit:
    """A micro-batch that the books have.

    Parameters
    ----------
    at : when its line was written, seconds since 1970.
    alerts : in the books from then on.
    usage : of the processes then.
    """

    at: float
    alerts: int
    usage: Usage


@dataclass(frozen=True)
class Course:
    """What was seen of a run.

    The first micro-batch isn't counted: with it the workers start, load the models and compile.

    Parameters
    ----------
    commits : at least two.
    samples : of the processes, while it ran.
    """

    commits: Sequence[Commit]
    samples: Sequence[Usage]

    @property
    def alerts(self) -> int:
        """In all micro-batches but the first."""
        return self.commits[-1].alerts - self.commits[0].alerts

    @property
    def seconds(self) -> float:
        """From the end of the first micro-batch to that of the last."""
        return self.commits[-1].at - self.commits[0].at

    @property
    def rate(self) -> float:
        """Alerts per second."""
        return self.alerts / self.seconds

    @property
    def cpu(self) -> dict[str, float]:
        """Processor milliseconds an alert, by kind of process."""
        first, last = self.commits[0].usage.cpu, self.commits[-1].usage.cpu
        return {kind: (last[kind] - first[kind]) / self.alerts * 1000 for kind in KINDS}

    @property
    def peak(self) -> int:
        """The most bytes that the run's processes had at once, the Kafka broker left out."""
        return max(sample.run_memory for sample in self.samples)

    @property
    def growth(self) -> float:
        """The most memory in the second half of the counted time over the most in its first half."""
        first, last = self.commits[0], self.commits[-1]
        middle = first.at + self.seconds / 2
        early = [first.usage, *(s for s in self.samples if first.at <= s.at <= middle)]
        late = [last.usage, *(s for s in self.samples if middle < s.at <= last.at)]
        return max(s.run_memory for s in late) / max(s.run_memory for s in early)


def watch(command: Sequence[str], journal: Path, log: Path) -> Course:
    """Start a run and watch it to its end.

    Parameters
    ----------
    command : starts it.
    journal : gets a line of JSON a micro-batch, whose ``received`` is its number of alerts.
    log : gets what it prints.

    Raises
    ------
    RunFailedError
        If it fails, or does less than two micro-batches.
    """
    seen = _Seen(journal)
    with started(command, log, signal.SIGTERM, _environment()) as process:
        while process.poll() is None:
            seen.look()
            time.sleep(LOOK_SECONDS)
    if process.returncode:
        raise RunFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{log.read_text()[-TAIL:]}")
    if len({commit.alerts for commit in seen.commits}) < 2:  # noqa: PLR2004  # a pair has a time between
        raise RunFailedError(f"{' '.join(command)} did one micro-batch alone; give it more packets")
    return Course(seen.commits, seen.samples)


@dataclass
class _Seen:
    """What was seen so far."""

    journal: Path
    commits: list[Commit] = field(default_factory=list)
    samples: list[Usage] = field(default_factory=list)
    _size: int = 0

    def look(self) -> None:
        """Take in the journal's new lines, with a sample of the processes; else a sample now and then."""
        size, written = self._state()
        if size > self._size or not self.samples or time.time() - self.samples[-1].at > SAMPLE_SECONDS:
            self.samples.append(Usage.now())
        if size > self._size:
            self._size = size
            self._take(written)

    def _state(self) -> tuple[int, float]:
        """The journal's size, and when it was written."""
        try:
            found = os.stat(self.journal)  # noqa: PTH116  # twenty times a second
        except FileNotFoundError:
            return 0, 0.0
        return found.st_size, found.st_mtime

    def _take(self, written: float) -> None:
        text = self.journal.read_text(encoding="utf-8")
        if text.endswith("\n"):  # else a line is being written
            alerts = sum(json.loads(line).get("received", 0) for line in text.splitlines())
            self.commits.append(Commit(written, alerts, self.samples[-1]))


def _environment() -> dict[str, str]:
    """As this process was given it, but for what holds it to one thread: a run sees to its workers itself."""
    return {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
