"""Streams that a listing reads archives through: one hashes what is read, one stops what unpacks without end."""

from collections.abc import Callable
from hashlib import sha256
from typing import IO

from broker.sources.tar_members import READ_AT_ONCE


class EndlessError(Exception):
    """An archive unpacks to more than it may."""


class Hashed:
    """A file that is hashed while it is read.

    Parameters
    ----------
    file : opened for reading bytes, at its beginning.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def finish(self) -> str:
        """Read to the end, whatever was read before, and give the hash of the file."""
        while self.read(READ_AT_ONCE):
            pass
        return self._hash.hexdigest()


class Bounded:
    """Content that may not have more than so many bytes.

    Parameters
    ----------
    read : gives the next bytes, at most so many as it is asked for.
    most : bytes.
    """

    def __init__(self, read: Callable[[int], bytes], most: int) -> None:
        self._read, self._most, self.read_bytes = read, most, 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises
        ------
        EndlessError
            If there are more than there may be.
        """
        data = self._read(size)
        self.read_bytes += len(data)
        if self.read_bytes > self._most:
            raise EndlessError(f"it unpacks to more than {self._most:,} bytes")
        return data
