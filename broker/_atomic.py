"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, and put it in the place of `path` when the block ends well.

    The name begins with a dot, so that readers of the directory pass over it, and a killed writer leaves nothing
    that looks finished.

    Raises
    ------
    OSError
        If it can't be written, with the file's name, which Python leaves out where a disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with naming(path):
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have the system's errors within the block name this file."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Replace the file's content."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
