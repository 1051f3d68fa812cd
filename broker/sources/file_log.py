"""Which files of a directory have been taken in: a list that only grows, so that a number tells how far a stream is.

Spark's own file source isn't used: it passes over empty files, and files whose names begin with ``_``, without a word.
"""

import errno
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

_NO_FILE = frozenset({errno.ENOENT, errno.ELOOP})
"""It went away while the directory was read, or it is a link that leads nowhere or to itself."""


@dataclass(frozen=True)
class FileState:
    """A file as it was when it was found; one that is written again is another.

    Parameters
    ----------
    name : path relative to the directory.
    size : bytes.
    mtime_ns : time of its last change, nanoseconds.
    """

    name: str
    size: int
    mtime_ns: int


class FileLog:
    """The files found in a directory so far, in the order in which they were found.

    Parameters
    ----------
    log : the file that remembers them; made where it isn't there.
    directory : looked at with all its subdirectories. Files whose names begin with a dot are still being written, by
        convention, and are left alone.
    pattern : glob that file names must match, None for all.
    """

    def __init__(self, log: Path, directory: Path, pattern: str | None) -> None:
        self.log, self.directory, self.pattern = log, directory, pattern
        self.files = self._read()
        self._known = set(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def scan(self) -> int:
        """Look for new files, oldest first, and remember them; give how many are known now."""
        found = sorted(set(self._walk()) - self._known, key=lambda file: (file.mtime_ns, file.name))
        if found:
            self._append(found)
            self.files.extend(found)
            self._known.update(found)
        return len(self.files)

    def _walk(self) -> Iterator[FileState]:
        visited = {_identity(self.directory)}
        for folder, folders, names in os.walk(self.directory, onerror=self._unreadable, followlinks=True):
            folders[:] = [name for name in folders if not name.startswith(".") and _is_new(Path(folder, name), visited)]
            for name in names:
                if not name.startswith(".") and (self.pattern is None or fnmatch(name, self.pattern)):
                    yield from self._state(Path(folder, name))

    def _unreadable(self, error: OSError) -> None:
        """A folder that went away while the directory was read is no fault; one that can't be read is."""
        if not isinstance(error, FileNotFoundError) or not self.directory.exists():
            raise error

    def _state(self, path: Path) -> Iterator[FileState]:
        try:
            found = path.stat()
        except OSError as error:
            if error.errno in _NO_FILE:
                return
            raise
        if stat.S_ISREG(found.st_mode):  # a pipe or a socket would be waited for, without an end
            yield FileState(str(path.relative_to(self.directory)), found.st_size, found.st_mtime_ns)

    def _read(self) -> list[FileState]:
        if not self.log.exists():
            return []
        lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
        if lines and not lines[-1].endswith("\n"):  # killed while writing: nothing was told of this line yet
            lines.pop()
            self.log.write_text("".join(lines), encoding="utf-8")
        return [FileState(*json.loads(line)) for line in lines]

    def _append(self, files: list[FileState]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.writelines(json.dumps([file.name, file.size, file.mtime_ns]) + "\n" for file in files)
            log.flush()
            os.fsync(log.fileno())


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _is_new(folder: Path, visited: set[tuple[int, int]]) -> bool:
    """Whether the folder wasn't walked yet: a link may lead back to where the walk came from."""
    try:
        identity = _identity(folder)
    except OSError as error:
        if error.errno in _NO_FILE:
            return False
        raise
    if identity in visited:
        return False
    visited.add(identity)
    return True
