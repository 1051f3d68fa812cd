"""Tells a person how far the fitting is: a line and a bar per stage."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.members import Step


class ProgressBars:
    """A bar per stage; the finished ones stay in sight. Use it as a context."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, what: str, total: int) -> Step:
        """A stage of `total` steps begins."""
        task = self._progress.add_task(what, total=total)

        def step(count: int = 1, /) -> None:
            self._progress.advance(task, count)

        return step
