"""The streaming job: one query, one pass over the data."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from threading import Event

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.streaming.query import StreamingQuery

from broker._signals import Noted, noted
from broker.commit import Batch, Committer
from broker.errors import RunFailedError, StreamStoppedError, WrongInputError
from broker.metrics.pulse import Pulse
from broker.spark.causes import why
from broker.spark.sources import Stream
from broker.spark.worker import HARVEST, Worker, unpack

LOOK_SECONDS = 0.1
"""Between two looks at whether the query works."""

PULSE_SECONDS = 1.0
"""Between two looks at what it does."""

HOLD_SECONDS = 60
"""For no longer than this a micro-batch that is done waits to be told to stop, which takes a moment."""


@dataclass
class Query:
    """The streaming query of a run, with what it works on.

    Parameters
    ----------
    spark : the session.
    stream : where rows come from.
    committer : takes the micro-batches in.
    worker_now : gives the workers' function for the next micro-batch; filters may change between two.
    on_batch : called after each committed micro-batch.
    pause : seconds between two looks for more; None to take what is there now and end.
    pulse : told what is done.
    """

    spark: SparkSession
    stream: Stream
    committer: Committer
    worker_now: Callable[[], Worker]
    on_batch: Callable[[Batch], None]
    pause: float | None
    pulse: Pulse = field(default_factory=Pulse)
    _failures: list[Exception] = field(default_factory=list)
    _start_anew: bool = False
    _unheard: bool = False
    _stopped: Noted = field(default_factory=Noted)
    _looked: float = -inf
    _held: Event = field(default_factory=Event)
    _let_go: Event = field(default_factory=Event)

    def run(self) -> None:
        """Run until there is no more (`pause` None), or until SIGTERM or SIGINT; the micro-batch in hand is finished.

        So it ends, too, where what it prints is a pipe that nobody reads any more.

        Raises
        ------
        StreamStoppedError
            If the query fails.
        """
        try:
            with noted(signal.SIGTERM, signal.SIGINT) as self._stopped:
                while self._run_once() and not self._stopped():
                    pass
        except StreamingQueryException as error:
            cause = self._failures[0] if self._failures else None
            if isinstance(cause, RunFailedError | WrongInputError):
                raise cause from None
            raise StreamStoppedError(why(error, cause)) from cause
        except Py4JJavaError as error:  # before the query works: where its checkpoint can't be written, for one
            raise StreamStoppedError(why(error, None)) from error
        except (Py4JError, OSError) as error:
            again = "what it had in hand is run again at the next start"
            raise StreamStoppedError(f"Spark's Java process is gone ({type(error).__name__}); {again}") from error

    def _run_once(self) -> bool:
        """Run until the query ends or is to end; True if it is to be started anew."""
        self._start_anew = False
        self._held.clear()
        self._let_go.clear()
        query = self._start()
        while query.isActive and not self._is_to_end():
            self._look(query)
            self._stopped.wait(LOOK_SECONDS)  # not for the query: Java would keep a signal from being seen
        if not self._start_anew:
            self.pulse.end()
        self._finish(query)
        return self._start_anew

    def _look(self, query: StreamingQuery) -> None:
        """Tell the pulse what the query does, once a second at most: each question crosses to Java."""
        if time.monotonic() - self._looked > PULSE_SECONDS:
            self._looked = time.monotonic()
            self.pulse.look(planning=bool(query.status["isTriggerActive"]))

    def _is_to_end(self) -> bool:
        return self._stopped() or self._start_anew or self._unheard

    def _finish(self, query: StreamingQuery) -> None:
        """Stop the query once the micro-batch in hand is done; Spark would go on to the next meanwhile."""
        while query.isActive and query.status["isTriggerActive"] and not self._held.wait(LOOK_SECONDS):
            pass
        self._let_go.set()
        query.stop()
        failure = query.exception()
        if failure:
            raise failure

    def _start(self) -> StreamingQuery:
        rows = self.stream.load(self.spark, self.committer.ledger.positions)
        checkpoint = str(self.committer.run.checkpoint)
        writer = rows.writeStream.foreachBatch(self._take).option("checkpointLocation", checkpoint)
        if self.pause is None:
            return writer.trigger(availableNow=True).start()
        return writer.trigger(processingTime=f"{self.pause} seconds").start()

    def _take(self, rows: DataFrame, number: int) -> None:
        self.pulse.begin(number)
        try:
            self._commit(rows, number)
            self.pulse.done()
        except Exception as error:  # told to the caller of `run`: Spark would bury it in a Java trace
            self._failures.append(error)
            raise
        except BaseException as error:  # a native library's panic ends a thread for whose answer Java waits for ever
            failure = StreamStoppedError(f"micro-batch {number} failed with {type(error).__name__}: {error}")
            self._failures.append(failure)
            raise failure from error
        if self._is_to_end():  # Spark is kept from the next one until it is told to stop
            self._held.set()
            self._let_go.wait(HOLD_SECONDS)

    def _commit(self, rows: DataFrame, number: int) -> None:
        started = time.monotonic()
        harvested = rows.mapInArrow(self.worker_now(), from_arrow_schema(HARVEST)).toArrow()
        harvest = unpack(harvested)
        self.pulse.beat(f"micro-batch {number} is committed and delivered")
        entry = self.committer.commit(number, harvest) if harvest else None
        if entry and harvest:
            batch = Batch(number, entry, time.monotonic() - started, harvest.outcome.rejects)
            self._start_anew = self.stream.adapt(batch) or self._start_anew
            self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        try:
            self.on_batch(batch)
        except (BrokenPipeError, SystemExit):  # rich ends whoever prints what nobody reads any more; the batch counts
            self._unheard = True
