"""How long steps take, by their names."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Adds up the seconds that each step takes; called with its name, it lasts while the step is done.

    Examples
    --------
    ``with watch("decode"): ...``
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Measure a step, however it ends."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - started


def together(parts: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The seconds of several watches added up."""
    total: dict[str, float] = {}
    for part in parts:
        for step, seconds in part.items():
            total[step] = total.get(step, 0.0) + seconds
    return total
