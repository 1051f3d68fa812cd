"""What a run needs of this machine: Java, Spark's connector, passwords, room on the disk."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from broker._kept import default_cache
from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.java_archives import KAFKA_CONNECTOR, java, with_spark
from broker.object_store import is_address
from broker.secrets import SecretPlace

JAVA = 17
ANSWER_SECONDS = 15

GB = 10**9
LITTLE_BYTES = 10 * GB
TOO_LITTLE_BYTES = 1 * GB
ALERT_BYTES = 10_000
"""Of an LSST alert in the annotation table before compression: more than it takes on disk."""

_VERSION = re.compile(r'version "(?:1\.)?(\d+)[^"]*"')


def password(of: Callable[[Subject], SecretPlace | None]) -> Callable[[Subject], Outcome]:
    """A check that a password is where it should be."""

    def look(subject: Subject) -> Outcome:
        place = of(subject)
        if place is None:
            return ok("none is needed")
        place.read()
        return ok(f"there is one in {place}")

    return look


def java_version(_: Subject) -> Outcome:
    """Spark needs a Java that isn't too old."""
    path = java()
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)  # noqa: S603  # Java
    except (OSError, subprocess.TimeoutExpired) as error:
        return failed(f"{path} can't be run: {error}", f"install Java {JAVA}")
    version = _VERSION.search(done.stderr + done.stdout)
    if not version:
        return failed(f"{path} doesn't tell its version: {_first_line(done.stderr)}", f"install Java {JAVA}")
    if int(version[1]) < JAVA:
        return failed(f"{path} is Java {version[1]}, and Spark needs {JAVA} or newer", f"install Java {JAVA}")
    return ok(f"Java {version[1]}: {path}")


def connector(_: Subject) -> Outcome:
    """Spark's Kafka connector is fetched at the first start, which a night shouldn't wait for."""
    if with_spark(KAFKA_CONNECTOR):
        return ok(f"{KAFKA_CONNECTOR.title} is among Spark's own archives")
    folder = default_cache() / KAFKA_CONNECTOR.name
    if not folder.exists():
        remedy = "start a run once while a Maven repository is in reach, or copy that folder from another machine"
        return warning(f"{KAFKA_CONNECTOR.title} isn't in {folder}; the first start fetches it", remedy)
    if not (folder / KAFKA_CONNECTOR.proof).exists():
        return failed(f"{folder} lacks {KAFKA_CONNECTOR.proof}", f"remove {folder}; the next start fetches it anew")
    return ok(f"{KAFKA_CONNECTOR.title} in {folder}")


def disk(subject: Subject) -> Outcome:
    """Room where the results, and a table on this machine, are written."""
    table = subject.config.table.path
    places = [subject.run.path, *([Path(table)] if table and not is_address(table) else [])]
    free, place = min((shutil.disk_usage(_existing(path)).free, path) for path in places)
    found = f"{free / GB:,.1f} GB free at {place}, room for {free / ALERT_BYTES / 1e6:,.1f} million alerts or more"
    remedy = "make room; a whole night of LSST has some 10 million alerts"
    if free < TOO_LITTLE_BYTES:
        return failed(found, remedy)
    return warning(found, remedy) if free < LITTLE_BYTES else ok(found)


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "it says nothing")
