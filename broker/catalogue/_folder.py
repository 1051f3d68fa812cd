"""A folder that is there whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.errors import WrongInputError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to write to, and put it in the place of `path` when the block ends well.

    What a killed writer left is removed by the next one.

    Raises
    ------
    WrongInputError
        If something is at `path` already.
    """
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    if path.exists():
        raise WrongInputError(f"{path} exists already; give the name of a new directory, or remove it first")
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.sync()  # renamed before its files are on the disk, it could be there without them after a power cut
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
