"""The processes of a run: which there are, the start of one and its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

BOREAL = str(Path(sys.executable).with_name("boreal"))
STOP_SECONDS = 180


@contextmanager
def started(
    command: Sequence[str], log: Path, end: signal.Signals, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, in order, when the block ends; Ctrl-C reaches it only that way.

    Parameters
    ----------
    command : what to start.
    log : gets what it prints.
    end : the signal that asks it to end.
    environment : its environment variables; those of this process if None.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # our own commands
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, env=environment
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(end)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
    daemons = [each for each in descendants(pid) if "pyspark.daemon" in " ".join(command_of(each))]
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


def command_of(pid: int) -> list[str]:
    """The command line of a process; nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []
