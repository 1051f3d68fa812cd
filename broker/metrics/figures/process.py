"""The process: whether it is well, since when it runs, what it takes, its room; its code and its model."""

from shutil import disk_usage

from broker.annotate import broker_version
from broker.metrics.family import Family
from broker.metrics.labels import Labels
from broker.metrics.machine import Usage, is_alive, usage
from broker.metrics.state import State
from features.extract import code_hash

DIGITS = 12
"""Of a hash."""


def _resident(state: State) -> dict[Labels, float]:
    return {(name,): each.resident for name, each in _usages(state).items()}


def _cpu(state: State) -> dict[Labels, float]:
    """Workers come and go, and what they used with them."""
    return {(name,): each.cpu for name, each in _usages(state).items() if name != "workers"}


def _usages(state: State) -> dict[str, Usage]:
    return usage(state.java)


def _usable(state: State) -> float:
    """What is used and free: a file system may keep back part of the disk for others, which would never be free."""
    disk = disk_usage(state.run.path)
    return disk.used + disk.free


FAMILY = Family(
    {
        "boreal_model_info": lambda state: {(state.model.sha256[:DIGITS], state.model.version): 1.0},
        "boreal_code_info": lambda _: {(broker_version(), code_hash()[:DIGITS]): 1.0},
        "boreal_healthy": lambda state: float(state.unhealthy is None),
        "boreal_ready": lambda state: float(state.unready is None),
        "boreal_start_time_seconds": lambda state: state.started,
        "boreal_java_up": lambda state: None if state.java is None else float(is_alive(state.java)),
        "boreal_process_resident_bytes": _resident,
        "boreal_disk_bytes": _usable,
        "boreal_disk_free_bytes": lambda state: disk_usage(state.run.path).free,
        "boreal_process_cpu_seconds_total": _cpu,
    }
)
