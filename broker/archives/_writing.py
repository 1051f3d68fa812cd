"""Files that workers write: whole or not at all, whoever else is writing the same."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from broker._atomic import replacing

_OWN_NAME = re.compile(r".+-[0-9a-f]{32}(\.part)?")


@contextmanager
def written_alone(path: Path) -> Iterator[Path]:
    """As `broker._atomic.replacing`, by way of a name of its own.

    A worker of a run that was killed may still be at it when the next run's begins, and a task may run twice.
    """
    own = path.with_name(f"{path.name}-{uuid4().hex}")
    with replacing(own) as temporary:
        yield temporary
    own.replace(path)


def discard_unfinished(folder: Path) -> None:
    """Remove what killed workers had begun; one that still lives fails when it is done, which harms nobody."""
    for file in folder.iterdir():
        if _OWN_NAME.fullmatch(file.name):
            file.unlink(missing_ok=True)
