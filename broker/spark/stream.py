"""The streaming job: a directory of packets, watched by one query."""

import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.streaming.query import StreamingQuery

from broker.commit import Batch, Committer
from broker.errors import StreamStoppedError
from broker.spark.directory import PacketDirectory
from broker.spark.worker import OUTCOME, FileWorker, unpack

CAUSE = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception): .+)$", re.MULTILINE)
"""The last line of a Python traceback."""


@dataclass(frozen=True)
class DirectoryStream:
    """What to read, and how.

    Parameters
    ----------
    source : directory, read with all its subdirectories.
    pattern : glob on file names, None for all.
    files_per_batch : at most this many files make a micro-batch.
    poll_seconds : how often to look for new files; None to take what is there now and end.
    """

    source: Path
    pattern: str | None
    files_per_batch: int
    poll_seconds: float | None


def run_stream(
    spark: SparkSession,
    stream: DirectoryStream,
    worker: FileWorker,
    committer: Committer,
    on_batch: Callable[[Batch], None],
) -> None:
    """Run the query until there is no more (`poll_seconds` None), or until SIGTERM or SIGINT.

    A stop lets the micro-batch in hand finish.

    Raises
    ------
    StreamStoppedError
        If the query fails.
    """
    failures: list[Exception] = []
    done: list[int] = []

    def commit(rows: DataFrame, number: int) -> None:
        try:
            _commit(rows, number, committer, on_batch)
        except Exception as error:  # told to the caller below: Spark would bury it in a Java trace
            failures.append(error)
            raise
        done.append(number)

    query = _start(spark, stream, worker, committer, commit)
    try:
        with _stop_on_signals() as stopped:
            while query.isActive and not stopped():
                query.awaitTermination(1)
        _finish(query, done)
    except StreamingQueryException as error:
        raise StreamStoppedError(_why(error, failures)) from (failures[0] if failures else None)
    except (Py4JError, OSError) as error:
        again = "what it had in hand is run again at the next start"
        raise StreamStoppedError(f"Spark's Java process is gone ({type(error).__name__}); {again}") from error


def _start(
    spark: SparkSession, stream: DirectoryStream, worker: FileWorker, committer: Committer, commit: Callable[..., None]
) -> StreamingQuery:
    spark.dataSource.register(PacketDirectory)
    names = (
        spark.readStream.format(PacketDirectory.name())
        .option("directory", str(stream.source))
        .option("log", str(committer.run.checkpoint / "files.jsonl"))
        .option("files_per_batch", stream.files_per_batch)
        .option("parallelism", spark.sparkContext.defaultParallelism)
    )
    if stream.pattern:
        names = names.option("pattern", stream.pattern)
    outcomes = names.load().mapInArrow(worker, from_arrow_schema(OUTCOME))
    writer = outcomes.writeStream.foreachBatch(commit).option("checkpointLocation", str(committer.run.checkpoint))
    if stream.poll_seconds is None:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{stream.poll_seconds} seconds").start()


def _commit(rows: DataFrame, number: int, committer: Committer, on_batch: Callable[[Batch], None]) -> None:
    started = time.monotonic()
    outcome = unpack(rows.toArrow())
    entry = committer.commit(number, outcome) if outcome else None
    if entry:
        on_batch(Batch(number, entry, time.monotonic() - started))


@contextmanager
def _stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM and SIGINT into a flag, so that the micro-batch in hand can finish."""
    caught: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    before: dict[int, Any] = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(caught)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(query: StreamingQuery, done: Sequence[int]) -> None:
    """Stop the query once the micro-batch in hand is done; a run over all that is there would go on to the next."""
    before = len(done)
    while query.isActive and query.status["isTriggerActive"] and len(done) == before:
        time.sleep(0.1)
    query.stop()
    failure = query.exception()
    if failure:
        raise failure


def _why(error: StreamingQueryException, failures: list[Exception]) -> str:
    """The first cause, in one line: of Python if it is in Spark's text, which holds traces of both."""
    if failures:
        return f"{type(failures[0]).__name__}: {failures[0]}"
    text = str(error).strip()
    causes = CAUSE.findall(text)
    return causes[-1] if causes else text.splitlines()[0]
