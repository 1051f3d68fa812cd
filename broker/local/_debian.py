"""Programs out of Debian's packages, without installing them."""

import shutil
import subprocess
from pathlib import Path

from broker._kept import kept
from broker.errors import RunFailedError

TOOLS = ("apt-get", "dpkg")


def unpacked(package: str, cache: Path | None = None) -> Path:
    """The folder with a package's files, as they would lie below ``/``; the first call fetches it.

    Parameters
    ----------
    package : Debian's name for it, in the version that the system's sources give.
    cache : folder to keep it in; without it the usual one (`broker._kept.default_cache`).

    Raises
    ------
    RunFailedError
        If this isn't a Debian, or its package sources can't be reached.
    """
    return kept(f"debian-{package}", lambda folder: _unpack(package, folder), cache)


def _unpack(package: str, folder: Path) -> None:
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing:
        raise RunFailedError(f"{package} is taken from Debian's package, and there is no {missing[0]} here")
    _run(["apt-get", "--quiet", "download", package], folder, f"Debian's package {package} can't be fetched")
    for archive in folder.glob("*.deb"):
        _run(["dpkg", "--extract", archive.name, "."], folder, f"{archive.name} can't be unpacked")
        archive.unlink()


def _run(command: list[str], folder: Path, failure: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # Debian's tools
    if done.returncode:
        raise RunFailedError(f"{failure}:\n{(done.stdout + done.stderr).strip()}")
