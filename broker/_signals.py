"""Signals that are noted and not obeyed at once, so that what is in hand can be finished."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any


class Noted:
    """Whether a signal has come; call it to see."""

    def __init__(self) -> None:
        self._caught = False
        self._wake: SimpleQueue[None] = SimpleQueue()  # what a signal's handler may put into while it is waited on

    def __call__(self) -> bool:
        return self._caught

    def wait(self, seconds: float) -> None:
        """Wait for a signal; not at all where one has come."""
        if self._caught:
            return
        try:
            self._wake.get(timeout=seconds)
        except Empty:
            return

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self._caught = True
        self._wake.put(None)


@contextmanager
def noted(*numbers: signal.Signals) -> Iterator[Noted]:
    """Turn these signals into a flag while the block lasts.

    Libraries that call back from C lose an exception that a signal raises in the middle of a call.
    """
    noting = Noted()
    before: dict[signal.Signals, Any] = {number: signal.signal(number, noting.note) for number in numbers}
    try:
        yield noting
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
