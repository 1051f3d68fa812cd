"""Does the run make progress, and does it take micro-batches? Asked from other threads, answered without waiting."""

import time
from collections.abc import Callable

LIMIT_SECONDS = 900.0

STARTING = "the run is starting"
PLANNING = "Spark is planning a micro-batch"
ENDING = "the run is ending: it takes no more micro-batches"


class Pulse:
    """What the run is doing, and since when.

    Parameters
    ----------
    limit_seconds : whatever it does may take so long; then it counts as stuck. Waiting for packets may take for ever.
    clock : seconds that only go forward.
    """

    def __init__(self, limit_seconds: float = LIMIT_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit_seconds, clock
        self._doing: tuple[str, float] | None = (STARTING, clock())
        self._batch: tuple[int, float] | None = None
        self._looked: float | None = None
        self._not_ready: str | None = STARTING

    def beat(self, doing: str) -> None:
        """Say what is done from now on; said again, it is progress, too."""
        self._doing = (doing, self._clock())

    def look(self, *, planning: bool) -> None:
        """Say that the driver watches the stream, and whether Spark is at work on the next micro-batch."""
        self._looked, self._not_ready = self._clock(), None
        if self._batch is not None:
            return
        if not planning:
            self._doing = None
        elif self._doing is None or self._doing[0] != PLANNING:
            self.beat(PLANNING)

    def begin(self, batch: int) -> None:
        """Say that a micro-batch is in hand."""
        self._batch = (batch, self._clock())
        self.beat(f"the workers are at micro-batch {batch}")

    def done(self) -> None:
        """Say that it is done."""
        self._batch = self._doing = None

    def end(self) -> None:
        """Say that no more micro-batches are taken."""
        self._not_ready = ENDING
        self._looked = None
        if self._batch is None:
            self.beat(ENDING)

    @property
    def batch_age(self) -> float:
        """How long the micro-batch in hand has taken so far [s]; 0 without one."""
        batch = self._batch
        return self._clock() - batch[1] if batch else 0.0

    @property
    def unhealthy(self) -> str | None:
        """Why the run counts as stuck; None where it doesn't."""
        now, doing, looked = self._clock(), self._doing, self._looked
        if doing and now - doing[1] > self._limit:
            return f"no progress for {now - doing[1]:,.0f} s: {doing[0]}"
        if looked is not None and now - looked > self._limit:
            return f"the driver hasn't looked at the stream for {now - looked:,.0f} s"
        return None

    @property
    def unready(self) -> str | None:
        """Why the stream takes no micro-batches; None where it does."""
        return self._not_ready
