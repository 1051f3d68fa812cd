"""The main job: configuration in, a run's directory and Kafka topics out."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from broker.archives.record import Record
from broker.books.ledger import Ledger
from broker.checkpoint import check_checkpoint
from broker.commit import Batch
from broker.config import ArchivesSource, Config
from broker.filters.watch import Change
from broker.metrics.monitor import Monitor
from broker.metrics.pulse import Pulse
from broker.report import write_report
from broker.run_directory import RunDirectory
from broker.service import Model, Service
from broker.spark.connectors import connector_jars
from broker.spark.session import check_java, java_process, start_session, stop_session
from broker.spark.sources import stream_of
from broker.spark.stream import Query


@dataclass(frozen=True)
class Watcher:
    """What the one who started the job wants to be told.

    Parameters
    ----------
    on_start : the books of earlier runs into the same directory, when the stream is about to start.
    on_batch : each committed micro-batch.
    on_filters : filters that changed between two micro-batches, or were refused.
    on_listing : how many archives were looked through, of how many.
    """

    on_start: Callable[[Ledger], None]
    on_batch: Callable[[Batch], None]
    on_filters: Callable[[Change], None]
    on_listing: Callable[[int, int], None] = lambda _done, _of: None


@dataclass(frozen=True)
class Job:
    """A run that has been checked and can start."""

    config: Config
    model: Model

    @classmethod
    def prepare(cls, config: Config) -> "Job":
        """Check what can be checked before anything is written.

        Raises
        ------
        BundleError, JavaMissingError
            Each with what was given, what was expected and what to do.
        """
        model = Model.of(config)
        check_java()
        return cls(config, model)

    def run(self, *, once: bool, watcher: Watcher) -> Ledger:
        """Run the stream, write the report, and give the books.

        Parameters
        ----------
        once : take what is there now and end, instead of watching for more.
        watcher : is told what happens.

        Raises
        ------
        FilterError, RunDirectoryError, LedgerError, TableError, KafkaFailedError, StreamStoppedError
        """
        run = RunDirectory(self.config.to)
        with run.locked(), ExitStack() as cleanup:
            monitor = cleanup.enter_context(Monitor(self.config, self.model, run))
            check_checkpoint(run, self.config.source.kind)
            stream, settings = stream_of(self.config), self.config.spark
            service = cleanup.enter_context(Service(self.config, self.model, stream.reader, watcher.on_filters))
            stream.check(service.committer.ledger.positions)
            monitor.attach(service)
            watcher.on_start(service.committer.ledger)
            jars = connector_jars(self.config.source.kind)
            spark = start_session(settings.master, settings.driver_memory, settings.extra, jars, self.config.log)
            cleanup.callback(stop_session, spark)
            monitor.java(java_process(spark))
            stream.prepare(spark, _listing(watcher, monitor.pulse))
            pause = None if once else self.config.pause
            on_batch = watcher.on_batch
            if isinstance(self.config.source, ArchivesSource):
                record = cleanup.enter_context(Record(self.config, self.model, service.committer))
                on_batch = record.after(on_batch)
            Query(spark, stream, service.committer, service.worker, on_batch, pause, monitor.pulse).run()
            return self._close(run, service.committer.ledger)

    def _close(self, run: RunDirectory, ledger: Ledger) -> Ledger:
        if not run.ledger.exists():
            ledger.write(run.ledger)
        if self.config.table.kind == "parquet":
            write_report(run)
        return ledger


def _listing(watcher: Watcher, pulse: Pulse) -> Callable[[int, int], None]:
    """Tell how many archives were looked through; each of them is progress."""
    before = -1

    def on_listing(done: int, of: int) -> None:
        nonlocal before
        if done != before:
            before = done
            pulse.beat("archives are looked through")
        watcher.on_listing(done, of)

    return on_listing
