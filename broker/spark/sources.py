"""Where the stream's rows come from: what Spark reads, and how a worker makes packets of it."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from broker.books.ledger import Span
from broker.commit import Batch
from broker.config import ArchivesSource, Config, DirectorySource
from broker.errors import KafkaFailedError
from broker.kafka.client import Client, partition_list
from broker.kafka.run_settings import KafkaSource
from broker.kafka.settings import export_password, java_settings
from broker.kafka.throttle import Throttle
from broker.run_directory import RunDirectory
from broker.sources.intake import FileReader, KafkaReader, Reader
from broker.sources.kafka import split_partition
from broker.spark.archives import ArchivesStream, OnListing
from broker.spark.directory import PacketDirectory

LOG = logging.getLogger(__name__)

FETCH_BYTES = 4 * 2**20

PASSWORD_VARIABLE = "BOREAL_SOURCE_PASSWORD"  # noqa: S105  # its name, not its value
"""Where Spark's Java processes find the password of the Kafka source; executors on other machines need it, too."""


class Stream(Protocol):
    """A source as the streaming query sees it."""

    @property
    def reader(self) -> Reader:
        """What makes packets of the rows."""
        ...

    def check(self, positions: Mapping[str, Span], /) -> None:
        """Look at the source, before Spark takes its time to start.

        Parameters
        ----------
        positions : as for `load`.
        """
        ...

    def prepare(self, spark: SparkSession, on_listing: OnListing, /) -> None:
        """Do what takes Spark, and its time, before the query starts.

        Parameters
        ----------
        spark : the session.
        on_listing : told how far it is.
        """
        ...

    def load(self, spark: SparkSession, positions: Mapping[str, Span], /) -> DataFrame:
        """The rows, as a stream.

        Parameters
        ----------
        spark : the session.
        positions : how far each Kafka partition was read; where the query has a checkpoint, that counts instead.
        """
        ...

    def adapt(self, batch: Batch, /) -> bool:
        """Take in what a micro-batch was like; True if the query must be started anew to take it into account."""
        ...


@dataclass(frozen=True)
class DirectoryStream:
    """File names of a directory; the workers open the files."""

    source: DirectorySource
    run: RunDirectory

    @property
    def reader(self) -> Reader:
        """Opens files."""
        return FileReader(self.source.path)

    def check(self, _positions: Mapping[str, Span]) -> None:
        """The directory was looked at with the configuration."""

    def prepare(self, _spark: SparkSession, _on_listing: OnListing) -> None:
        """Files are found while the query runs."""

    def load(self, spark: SparkSession, _positions: Mapping[str, Span]) -> DataFrame:
        """The names, as far as the log of files has them."""
        spark.dataSource.register(PacketDirectory)
        names = (
            spark.readStream.format(PacketDirectory.name())
            .option("directory", str(self.source.path))
            .option("log", str(self.run.checkpoint / "files.jsonl"))
            .option("files_per_batch", self.source.max_files_per_batch)
            .option("parallelism", spark.sparkContext.defaultParallelism)
        )
        return (names.option("pattern", self.source.pattern) if self.source.pattern else names).load()

    def adapt(self, _batch: Batch) -> bool:
        """A directory's limit is a number of files."""
        return False


@dataclass(frozen=True)
class KafkaStream:
    """Kafka messages, through Spark's own connector."""

    source: KafkaSource
    throttle: Throttle = field(init=False)

    def __post_init__(self) -> None:
        made = Throttle(self.source.max_messages_per_batch, self.source.max_bytes_per_batch)
        object.__setattr__(self, "throttle", made)

    @property
    def reader(self) -> Reader:
        """Takes the messages as they are."""
        return KafkaReader()

    def check(self, positions: Mapping[str, Span]) -> None:
        """See that the cluster answers, and that messages can be read and none is gone.

        Raises
        ------
        KafkaFailedError
            If the cluster can't be reached, or a topic isn't there, may not be read, or has lost messages.
        """
        if not self._partitions(positions):
            LOG.warning(
                "Kafka at %s: no topic matches %r yet, or the user may not see it; it is read when it comes",
                self.source.brokers,
                self.source.pattern,
            )

    def prepare(self, _spark: SparkSession, _on_listing: OnListing) -> None:
        """Messages are found while the query runs."""

    def load(self, spark: SparkSession, positions: Mapping[str, Span]) -> DataFrame:
        """The messages with their place, time stamp [ms] and size.

        Raises
        ------
        KafkaFailedError
            As `check`.
        """
        partitions = self._partitions(positions)
        options = {f"kafka.{name}": value for name, value in java_settings(self.source, PASSWORD_VARIABLE).items()}
        messages = spark.readStream.format("kafka").options(
            **{
                # Messages of transactions that were given up are none.
                "kafka.isolation.level": "read_committed",
                # Kafka's own 1 MB is three packets an answer. Each partition's reader may hold as much.
                "kafka.max.partition.fetch.bytes": str(FETCH_BYTES),
                **options,
                **self._subscription(),
                "groupIdPrefix": self.source.group_prefix,
                "startingOffsets": starting_offsets(partitions, positions) if positions else self.source.start,
                "failOnDataLoss": str(self.source.on_expired == "stop").lower(),
                "maxOffsetsPerTrigger": str(self.throttle.messages),
                # A topic of one partition is read by all cores, too.
                "minPartitions": str(spark.sparkContext.defaultParallelism),
            }
        )
        return messages.load().selectExpr(
            "topic", "partition", "offset", "unix_millis(timestamp) AS timestamp", "value"
        )

    def adapt(self, batch: Batch) -> bool:
        """Take fewer messages where they have become larger."""
        counts = batch.entry.partitions.values()
        return self.throttle.adapt(sum(c["messages"] for c in counts), sum(c["bytes"] for c in counts))

    def _partitions(self, positions: Mapping[str, Span]) -> list[str]:
        client = Client(self.source, self.source.group_prefix)
        try:
            topics = client.topics()
            missing = [name for name in self.source.topics or () if name not in topics]
            if missing:
                raise KafkaFailedError(
                    f"Kafka at {self.source.brokers}: there is no topic {', '.join(missing)}, or the user may not see "
                    f"it; topics here: {', '.join(topics) or 'none'}"
                )
            partitions = partition_list(topics, self.source.wants)
            self._check_offsets({name: client.bounds(name) for name in partitions if name in positions}, positions)
            if self.throttle.mean_bytes is None:
                self.throttle.mean_bytes = client.mean_bytes(partitions)
        finally:
            client.close()
        return partitions

    def _check_offsets(self, bounds: Mapping[str, Span], positions: Mapping[str, Span]) -> None:
        """Raise if messages behind those that were read are gone; those that go later Spark finds missing."""
        anew = [name for name, span in bounds.items() if span.next < positions[name].next]
        if anew:
            name = anew[0]
            raise KafkaFailedError(
                f"Kafka at {self.source.brokers}: {name} ends at {bounds[name].next:,}, and the ledger has read it up "
                f"to {positions[name].next:,}; the topic was made anew, or it is another cluster: write to another "
                "directory (`to`)"
            )
        gone = {name: count for name, span in bounds.items() if (count := span.first - positions[name].next) > 0}
        if gone and self.source.on_expired == "stop":
            told = ", ".join(f"{count:,} messages of {name}" for name, count in gone.items())
            raise KafkaFailedError(
                f"Kafka at {self.source.brokers}: {told} expired before they were read; to go on without them and "
                "count them as skipped, set `source.on_expired: count`"
            )

    def _subscription(self) -> dict[str, str]:
        if self.source.topics:
            return {"subscribe": ",".join(self.source.topics)}
        return {"subscribePattern": str(self.source.pattern)}


def starting_offsets(partitions: list[str], positions: Mapping[str, Span]) -> str:
    """Where to begin, as the connector wants it: where the books end, and at the start of what they don't know."""
    earliest = -2  # the connector's sign for the first offset that is there
    offsets: dict[str, dict[str, int]] = {}
    for partition in partitions:
        topic, number = split_partition(partition)
        offsets.setdefault(topic, {})[str(number)] = positions[partition].next if partition in positions else earliest
    return json.dumps(offsets)


def stream_of(config: Config) -> Stream:
    """The stream that a configuration asks for.

    Raises
    ------
    WrongInputError
        If a password isn't where it should be.
    """
    if isinstance(config.source, DirectorySource):
        return DirectoryStream(config.source, RunDirectory(config.to))
    if isinstance(config.source, ArchivesSource):
        return ArchivesStream(config.source, RunDirectory(config.to))
    export_password(config.source, PASSWORD_VARIABLE)
    return KafkaStream(config.source)
