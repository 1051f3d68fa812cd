"""The SHA-256 of a file, read a piece at a time."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO

AT_ONCE = 2**20


def file_hash(opened: Callable[[], BinaryIO]) -> str:
    """Its hexadecimal digits.

    Parameters
    ----------
    opened : opens the file.
    """
    found = hashlib.sha256()
    with opened() as file:
        while piece := file.read(AT_ONCE):
            found.update(piece)
    return found.hexdigest()
