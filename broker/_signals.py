"""Signals that are noted and not obeyed at once, so that what is in hand can be finished."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def noted(*numbers: signal.Signals) -> Iterator[Callable[[], bool]]:
    """Turn these signals into a flag while the block lasts; call what it gives to see the flag.

    Libraries that call back from C lose an exception that a signal raises in the middle of a call.
    """
    caught: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    before: dict[signal.Signals, Any] = {number: signal.signal(number, note) for number in numbers}
    try:
        yield lambda: bool(caught)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
