"""The processes of a run: which there are, and the end of one."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started, as Linux tells."""
    parents = dict(_parents())
    found, generation = [], [pid]
    while generation:
        generation = [child for child, parent in parents.items() if parent in generation]
        found += generation
    return found


def python_workers(pid: int) -> list[int]:
    """Spark's Python workers below a process; the daemon that starts them isn't one."""
    daemons = [each for each in descendants(pid) if "pyspark.daemon" in _command(each)]
    return [each for each in daemons if _parent(each) in daemons]


def kill(pids: list[int]) -> None:
    """End processes as a crash would; those that are gone already are none."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (parent := _parent(int(folder.name))) is not None:
            yield int(folder.name), parent


def _parent(pid: int) -> int | None:
    try:
        # The name stands in parentheses and may hold anything; the state and the parent follow it.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return None


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
