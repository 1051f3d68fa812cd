"""Where a benchmark works: a folder that goes away, or one that is kept."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_folder(keep: Path | None, name: str) -> Iterator[Path]:
    """The folder to keep, made where it isn't there; without one a folder that goes away, whose name tells of whom."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix=f"boreal-{name}-") as made:
        yield Path(made)
