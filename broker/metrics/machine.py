"""What the driver's processes take of the machine, as Linux tells it; nothing where there is no /proc."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

_STATE, _PARENT, _USER, _SYSTEM, _RESIDENT = 0, 1, 11, 12, 21
"""Places in /proc/PID/stat behind the process's name; proc(5) counts from 1 and three more."""

DEAD = "ZX"


@dataclass(frozen=True)
class Usage:
    """Memory [bytes] and CPU time [s] of processes."""

    resident: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.resident + other.resident, self.cpu + other.cpu)


def is_alive(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return _stat(process)[_STATE] not in DEAD
    except OSError:
        return False


def usage(java: int | None) -> dict[str, Usage]:
    """What this process takes (python), Spark's Java process, and the workers that it started.

    Parameters
    ----------
    java : number of the Java process; None without one.
    """
    try:
        found = {"python": _usage(_stat(os.getpid()))}
        if java is not None:
            found["java"] = _usage(_stat(java))
            found["workers"] = sum(map(_usage, _below(java)), Usage())
    except OSError:  # not Linux, or Java is gone
        return {}
    return found


def _below(process: int) -> Iterator[list[str]]:
    """The processes that a process started, and those that they started; this one is none of them."""
    everybody = {int(each.name): stat for each in PROC.iterdir() if each.name.isdecimal() and (stat := _stat_of(each))}
    wanted = {process}
    while more := {n for n, stat in everybody.items() if int(stat[_PARENT]) in wanted} - wanted:
        wanted |= more
    return (everybody[n] for n in wanted - {process, os.getpid()} if n in everybody)


def _stat(process: int) -> list[str]:
    return (PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


def _stat_of(folder: Path) -> list[str] | None:
    try:
        return _stat(int(folder.name))
    except OSError:  # it has ended meanwhile
        return None


def _usage(stat: list[str]) -> Usage:
    ticks = int(stat[_USER]) + int(stat[_SYSTEM])
    return Usage(float(int(stat[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE")), ticks / os.sysconf("SC_CLK_TCK"))
