"""The checkpoint of a run: whether it belongs to this job, whether this version can go on from it, how far it is."""

import json
from pathlib import Path
from typing import Any

from broker._atomic import write_text
from broker.errors import RunDirectoryError
from broker.run_directory import RunDirectory

FORMAT = 1
"""Raised when a checkpoint that was written before can't be used any more."""


def check_checkpoint(run: RunDirectory, source: str) -> None:
    """Note what a new checkpoint is for; refuse one that is for something else, as `examine_checkpoint` does."""
    examine_checkpoint(run, source)
    _discard_unfinished(run)
    file = _note(run)
    if not file.exists():
        write_text(file, json.dumps({"format": FORMAT, "source": source}) + "\n")


def examine_checkpoint(run: RunDirectory, source: str) -> None:
    """Refuse a checkpoint that is for something else; write nothing.

    Parameters
    ----------
    run : the run's directory.
    source : the kind of the source.

    Raises
    ------
    RunDirectoryError
        With what to do, if the checkpoint can't be used.
    """
    file = _note(run)
    if not file.exists():
        if (run.checkpoint / "offsets").exists() and source != "directory":
            raise unusable(run, "it has no note of what it is for, so it reads a directory")
        return
    found = _read(run, file)
    if found.get("format") != FORMAT:
        raise unusable(run, f"it has the format {found.get('format')}, and this version goes on from format {FORMAT}")
    if found.get("source") != source:
        raise unusable(run, f"it reads from a source of kind {found.get('source')}, and this run from {source}")


def _discard_unfinished(run: RunDirectory) -> None:
    """Remove what Spark had begun to write when it died or the disk was full: it refuses to begin where it finds it."""
    for pattern in (".*.tmp", "..*.tmp.crc"):
        for file in run.checkpoint.rglob(pattern):
            file.unlink()


def _note(run: RunDirectory) -> Path:
    return run.checkpoint / "boreal.json"


def _read(run: RunDirectory, file: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise unusable(run, f"{file.name} in it can't be read ({error})") from None
    return found


def unusable(run: RunDirectory, why: str) -> RunDirectoryError:
    """The error of a checkpoint that can't be used; it says what to do."""
    return RunDirectoryError(
        f"the checkpoint {run.checkpoint} can't be used: {why}. Move it away "
        f"(mv {run.checkpoint} {run.checkpoint}.old) and start again: Kafka is then read on from where the ledger "
        "ends, a directory from its beginning, where what was annotated before counts as duplicates"
    )


def read_offsets(run: RunDirectory) -> dict[str, int]:
    """The next offset of each Kafka partition (``topic/number``) after the last micro-batch that Spark calls done."""
    done = [int(file.name) for file in (run.checkpoint / "commits").glob("[0-9]*") if file.name.isdecimal()]
    file = run.checkpoint / "offsets" / str(max(done, default=-1))
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()[2:]  # a version, then the query's own settings
    topics = (json.loads(line) for line in lines if line.startswith("{"))
    return {
        f"{topic}/{number}": offset
        for source in topics
        for topic, partitions in source.items()
        if isinstance(partitions, dict)
        for number, offset in partitions.items()
    }
