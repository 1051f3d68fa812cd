"""The results directory, and what earlier runs left in it to go on from."""

import fcntl
import tempfile
from pathlib import Path

from broker.checkpoint import examine_checkpoint
from broker.checks.check import Outcome, failed, ok, warning
from broker.checks.subject import Subject
from broker.deadletter import waiting
from broker.object_store import BRIEFLY
from broker.outgoing.outbox import Outbox
from broker.tables import table_of


def directory(subject: Subject) -> Outcome:
    """Writable, and no other run in it."""
    path = subject.run.path
    existing = next(place for place in (path, *path.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"x")
    except OSError as error:
        return failed(
            f"{existing} can't be written: {error.strerror}", "give a directory that you own, on a sound disk"
        )
    if existing != path:
        return ok(f"{path} will be made")
    if is_locked(path / ".lock"):
        return warning(f"a run is writing to {path} now", "stop it before you start another into the same directory")
    return ok(f"{path} can be written, and no run is at work in it")


def ledger(subject: Subject) -> Outcome:
    """The books can be read, and balance."""
    if not subject.run.ledger.exists():
        return ok("there is none yet")
    total = subject.ledger.total
    total.check()
    return ok(f"{total.received:,} alerts received, and the books balance")


def checkpoint(subject: Subject) -> Outcome:
    """A run of this version can go on from it."""
    examine_checkpoint(subject.run, subject.config.source.kind)
    return ok("it can be gone on from" if subject.run.checkpoint.exists() else "there is none yet")


def table(subject: Subject) -> Outcome:
    """The annotation table opens."""
    kind = subject.config.table.kind
    if kind == "parquet" and not subject.run.annotations.exists():
        return ok("a Parquet table will be made")
    nights = len(table_of(subject.config, subject.run, BRIEFLY).nights())
    return ok(f"a {kind.capitalize()} table of {nights} night{'s' * (nights != 1)}")


def outbox(subject: Subject) -> Outcome:
    """What an earlier run had no time to deliver."""
    parts = len(Outbox(subject.run))
    if parts:
        found = f"messages of {parts} micro-batch{'es' * (parts != 1)} are still to be delivered"
        return warning(found, "start a run: it delivers them first")
    return ok("everything is delivered")


def deadletter(subject: Subject) -> Outcome:
    """What could not be annotated, and was not replayed."""
    letters = sum(part.num_rows for part in waiting(subject.run, ["id"]))
    if letters:
        return warning(f"{letters:,} dead letters wait", "look at them: boreal deadletter list")
    return ok("no dead letters wait")


def is_locked(lock: Path) -> bool:
    """Whether a run holds the lock; looking makes no file."""
    try:
        file = lock.open()
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
