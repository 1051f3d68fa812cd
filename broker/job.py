"""The main job: configuration in, a run's directory out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from broker.annotate import schema_for
from broker.commit import Batch, Committer
from broker.config import Config
from broker.filters.definition import Filter, load_filters
from broker.ledger import Ledger
from broker.report import write_report
from broker.run_directory import RunDirectory
from broker.spark.session import check_java, start_session, stop_session
from broker.spark.stream import DirectoryStream, run_stream
from broker.spark.worker import FileWorker
from classifiers.bundle import check_bundle, default_bundle_path


@dataclass(frozen=True)
class Job:
    """A run that has been checked and can start.

    Parameters
    ----------
    config : as given.
    bundle : directory of the model bundle.
    filters : the subscribers' filters.
    """

    config: Config
    bundle: Path
    filters: tuple[Filter, ...]

    @classmethod
    def prepare(cls, config: Config) -> "Job":
        """Check everything that can be checked before Spark is started.

        Raises
        ------
        BundleError, FilterError, JavaMissingError
            Each with what was given, what was expected and what to do.
        """
        path = config.bundle or default_bundle_path()
        schema = schema_for(check_bundle(path))
        filters = load_filters(config.filters, schema) if config.filters else ()
        check_java()
        return cls(config, path, filters)

    def run(self, *, once: bool, on_start: Callable[[Ledger], None], on_batch: Callable[[Batch], None]) -> Ledger:
        """Run the stream, write the report, and give the books.

        Parameters
        ----------
        once : take what is there now and end, instead of watching for more.
        on_start : called with the books of earlier runs into the same directory, when the stream is about to start.
        on_batch : called after each committed micro-batch.

        Raises
        ------
        RunDirectoryError, LedgerError, StreamStoppedError
        """
        run, source = RunDirectory(self.config.to), self.config.source
        with run.locked():
            committer = Committer(run, self.filters)
            on_start(committer.ledger)
            settings = self.config.spark
            spark = start_session(settings.master, settings.driver_memory, settings.extra)
            stream = DirectoryStream(
                source.path, source.pattern, source.max_files_per_batch, None if once else self.config.poll_seconds
            )
            try:
                run_stream(spark, stream, FileWorker(source.path, self.bundle, self.filters), committer, on_batch)
            finally:
                stop_session(spark)
            if not run.ledger.exists():
                committer.ledger.write(run.ledger)
            write_report(run)
            return committer.ledger
