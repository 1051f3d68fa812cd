"""How long does it take? The fastest of several rounds, in turns with what it is compared with."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timed:
    """How long a call took.

    Parameters
    ----------
    seconds : of the fastest round.
    given : what the last round gave.
    """

    seconds: float
    given: Any


def in_turns(rounds: int, *calls: Callable[[], Any]) -> list[Timed]:
    """Time calls, each once a round, so that other work on the machine slows all of them alike."""
    took: list[list[float]] = [[] for _ in calls]
    given: list[Any] = [None] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            given[number] = None  # what the round before gave takes no memory from this one
            start = time.perf_counter()
            given[number] = call()
            took[number].append(time.perf_counter() - start)
    return [Timed(min(seconds), last) for seconds, last in zip(took, given, strict=True)]
