"""On what was it measured? The machine, the versions, the commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LIBRARIES = (
    "boreal-broker", "pyspark", "pyarrow", "numpy", "numba", "polars", "fastavro", "confluent-kafka", "deltalake",
    "light-curve", "lightgbm", "onnxruntime",
)  # fmt: skip


def circumstances() -> dict[str, Any]:
    """What a reader needs to know of a measurement, by camelCase keys."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processor": _processor(),
            "cores": len(os.sched_getaffinity(0)),
            "memoryBytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
            "loadBefore": os.getloadavg()[0],
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
    }


def _git(*arguments: str) -> str | None:
    """What git says; nothing where there is no git, or no repository."""
    try:
        done = subprocess.run(  # noqa: S603  # arguments of this module
            ["git", "-C", str(ROOT), *arguments],  # noqa: S607  # wherever it is installed
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    """Its name, as Linux tells; else its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
