"""Where a run's results lie, and which of them count.

Every micro-batch writes one part per sink, named for the stream (the checkpoint's identity) and the batch, so a batch
that is run again replaces its own parts and no other. A part counts once the ledger has its batch: parts of a batch
that died before that are removed at the next start, and Spark runs the batch again.
"""

import fcntl
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker._atomic import write_text
from broker.errors import RunDirectoryError

PART = re.compile(r"part-(?P<stream>[0-9a-f]{8})-(?P<batch>\d{8})\.\w+")


def part_stem(stream: str, batch: int) -> str:
    """The name, without suffix, of what a micro-batch writes."""
    return f"part-{stream}-{batch:08d}"


@dataclass(frozen=True)
class RunDirectory:
    """The directory that a run writes to."""

    path: Path

    @property
    def annotations(self) -> Path:
        """The annotation table: Parquet, partitioned by night."""
        return self.path / "annotations"

    @property
    def subscribers(self) -> Path:
        """A folder a subscriber's filter, with what was delivered for it."""
        return self.path / "subscribers"

    @property
    def deadletter(self) -> Path:
        """Rejected packets with their raw bytes: Parquet."""
        return self.path / "deadletter"

    @property
    def replayed(self) -> Path:
        """Which dead letters were replayed, and what became of them: Parquet."""
        return self.path / "replayed"

    @property
    def shadow(self) -> Path:
        """What a second bundle said of the annotated alerts, by night, and both manifests: Parquet, JSON."""
        return self.path / "shadow"

    @property
    def outbox(self) -> Path:
        """Messages for Kafka of committed micro-batches that aren't all delivered yet."""
        return self.path / "outbox"

    @property
    def journal(self) -> Path:
        """The books, a line a micro-batch."""
        return self.path / "batches.jsonl"

    @property
    def schemas(self) -> Path:
        """Avro schemas: those of the messages that are sent, and those that a registry gave."""
        return self.path / "schemas"

    @property
    def filters(self) -> Path:
        """The last good text of each filter's file."""
        return self.path / "kept-filters"

    @property
    def ledger(self) -> Path:
        """The books of the run."""
        return self.path / "ledger.json"

    @property
    def manifest(self) -> Path:
        """What a reprocessing read, with what, and what became of it."""
        return self.path / "manifest.json"

    @property
    def reconciled(self) -> Path:
        """When `boreal reconcile` last looked, and how many differences it found."""
        return self.path / "reconciled.json"

    @property
    def metrics(self) -> Path:
        """What metrics remember from one start to the next."""
        return self.path / "metrics.json"

    @property
    def report(self) -> Path:
        """The page that people look at."""
        return self.path / "report.html"

    @property
    def checkpoint(self) -> Path:
        """What the stream has read so far."""
        return self.path / "checkpoint"

    def stream_id(self) -> str:
        """The identity of the checkpoint: eight hexadecimal digits, made with it and lost with it."""
        file = self.checkpoint / "boreal-stream-id"
        if not file.exists():
            write_text(file, uuid.uuid4().hex[:8])
        return file.read_text()

    def discard_uncommitted(self, last_batch: Mapping[str, int]) -> int:
        """Remove the parts of batches that the ledger hasn't got; give their number.

        Parameters
        ----------
        last_batch : the last committed batch of each stream.
        """
        stale = [
            file
            for folder in (self.annotations, self.subscribers, self.deadletter, self.replayed, self.outbox, self.shadow)
            for file in folder.rglob("part-*")
            if (name := PART.fullmatch(file.name)) and int(name["batch"]) > last_batch.get(name["stream"], -1)
        ]
        for file in stale:
            file.unlink()
        return len(stale)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory for one run at a time.

        Raises
        ------
        RunDirectoryError
            If the directory can't be made or written, or another run holds it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise RunDirectoryError(
                f"can't write to {self.path}: {error.strerror}; give a directory that you own"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunDirectoryError(
                    f"another run is writing to {self.path}; wait for it, or give another directory"
                ) from None
            yield
