"""What was fetched once is kept, for all runs of this user."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def default_cache() -> Path:
    """Where what was fetched is kept, unless told otherwise: BOREAL_CACHE, else ``boreal`` in the user's cache."""
    given = os.environ.get("BOREAL_CACHE")
    return Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "boreal"


def kept(name: str, fill: Callable[[Path], None], cache: Path | None = None) -> Path:
    """The folder of this name in the cache; the first call fills it, and others wait meanwhile.

    Parameters
    ----------
    name : of the folder; holds the version.
    fill : puts into an empty folder what is wanted; where it raises, nothing is kept.
    cache : the folder to keep it in; without it `default_cache`.
    """
    cache = cache or default_cache()
    folder = cache / name
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / f".{name}.lock"):
        if not folder.exists():  # another process may have filled it while this one waited
            _fill(folder, fill)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    work = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir()
    try:
        fill(work)
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
