"""Watches the processes: one that dies or hangs is a failure that names its batch, and another takes its place."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from benchmarks.fuzzing.worker import Done, Plan, serve

Start = Callable[[Connection, Sequence[int]], BaseProcess]
"""Starts a process that runs batches and tells about them through a connection."""

_START_SECONDS = 300.0
"""The longest that loading models and compiling may take."""


@dataclass(frozen=True)
class Failure:
    """What failed, and the batch with which it fails again; None where it was no batch."""

    batch: int | None
    what: str


@dataclass
class _Lane:
    """The batches that are left for one process, and how far it is."""

    number: int
    left: Sequence[int]
    start: Start
    process: BaseProcess = field(init=False)
    connection: Connection = field(init=False)
    since: float = field(init=False)
    ready: bool = False
    at_work: int | None = None

    def __post_init__(self) -> None:
        self.connection, theirs = get_context("spawn").Pipe(duplex=False)
        self.process = self.start(theirs, self.left)
        theirs.close()
        self.since = time.monotonic()

    def hear(self) -> Done | Failure | None:
        """What the process has to say; a failure where it died."""
        try:
            told = self.connection.recv()
        except EOFError:
            return self._died()
        self.since, self.ready = time.monotonic(), True
        if isinstance(told, int):
            self.at_work, self.left = told, self.left[self.left.index(told) + 1 :]
        elif isinstance(told, Done):
            self.at_work = None
            return told
        return None

    def overdue(self, limit: float) -> bool:
        return time.monotonic() - self.since > (limit if self.ready else _START_SECONDS)

    def kill(self, what: str) -> Failure:
        """End the process; what is left is for the next."""
        self.close()
        return self._failure(what)

    def close(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _died(self) -> Failure | None:
        self.process.join()
        self.connection.close()
        if self.process.exitcode == 0 and not self.left and self.at_work is None:
            return None
        return self._failure(f"the process died with exit code {self.process.exitcode}")

    def _failure(self, what: str) -> Failure:
        if self.at_work is None:
            raise RuntimeError(f"batch {self.left[0]} wasn't begun: {what}; what the process wrote says why")
        return Failure(self.at_work, what)


def _in_time(told: Done | Failure, limit: float) -> Done | Failure:
    """What was heard, with a failure where a batch ended but too late."""
    if isinstance(told, Failure) or told.seconds <= limit:
        return told
    return replace(told, failures=(*told.failures, _too_long(limit)))


def _too_long(limit: float) -> str:
    return f"took longer than {limit:g} s"


def start_worker(plan: Plan) -> Start:
    """How a process is started that runs batches of a plan."""
    context = get_context("spawn")

    def start(connection: Connection, numbers: Sequence[int]) -> BaseProcess:
        process = context.Process(target=serve, args=(connection, plan, numbers), daemon=True)
        process.start()
        return process

    return start


def watch(
    start: Start, batches: Sequence[int], processes: int, limit: float
) -> Generator[tuple[int, Done | Failure], None, None]:
    """Run batches in several processes.

    Parameters
    ----------
    start : starts a process.
    batches : their numbers.
    processes : how many at a time.
    limit : the longest that a batch may take [s].

    Yields
    ------
    tuple
        The number of the process's lane, and what became of a batch.

    Raises
    ------
    RuntimeError
        If a process dies or hangs before it begins a batch.
    """
    lanes = [_Lane(k, batches[k::processes], start) for k in range(min(processes, len(batches)))]
    try:
        while lanes:
            heard = set(wait([lane.connection for lane in lanes], timeout=1.0))
            for lane in list(lanes):
                told = lane.hear() if lane.connection in heard else None
                if told is None and not lane.connection.closed and lane.overdue(limit):
                    told = lane.kill(_too_long(limit))
                if told is not None:
                    yield lane.number, _in_time(told, limit)
                if lane.connection.closed:
                    lanes.remove(lane)
                    lanes += [_Lane(lane.number, lane.left, start)] if lane.left else []
    finally:
        for lane in lanes:
            lane.close()
