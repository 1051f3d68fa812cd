"""Archives as a Spark stream of portions; the workers list the inputs first, and read the portions then."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadLimit, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from broker.archives._writing import discard_unfinished
from broker.archives.found import Input, Rules
from broker.archives.input_list import InputList, input_list_of
from broker.archives.inputs import paths_of
from broker.archives.listing import list_input
from broker.archives.read import ArchiveReader, to_row
from broker.books.ledger import Ledger, Span
from broker.commit import Batch
from broker.config import ArchivesSource
from broker.errors import StreamStoppedError
from broker.run_directory import RunDirectory
from broker.spark.causes import why

PORTIONS = pa.schema([("portion", pa.utf8())])

LOOK_SECONDS = 0.2
"""Between two looks at how many inputs are listed."""


class OnListing(Protocol):
    """Told how far the listing is."""

    def __call__(self, done: int, of: int, /) -> None:
        """So many inputs are listed, of so many."""
        ...


class PacketArchives(DataSource):
    """The format ``boreal-archives``.

    Options: ``folder`` (of the `InputList`), ``packets``, ``bytes`` (the most of a micro-batch), ``parallelism``.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "boreal-archives"

    def schema(self) -> str:
        """One column: a portion and its input, as JSON."""
        return "portion string"

    def streamReader(self, schema: StructType) -> "ArchivesReader":  # noqa: ARG002, N802  # Spark's signature
        """The reader that the query asks for offsets."""
        return ArchivesReader(self.options)


class ArchivesReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Tells how many portions there are, and which of them lie between two numbers."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        self.inputs = InputList(Path(options["folder"]))
        self.packets, self.bytes = int(options["packets"]), int(options["bytes"])
        self.parallelism = int(options["parallelism"])

    def initialOffset(self) -> dict[str, int]:  # noqa: N802  # Spark's name
        """No portion taken yet."""
        return {"portions": 0}

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802  # Spark's name
        """Packets and bytes are counted here."""
        return ReadAllAvailable()

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802  # Spark's name
        """What is there was listed before."""

    def latestOffset(self, start: dict[str, int], limit: ReadLimit) -> dict[str, int]:  # noqa: ARG002, N802  # Spark's
        """With which portion the next micro-batch ends: one at least, and no more than it may take."""
        packets = size = taken = 0
        for _, portion in self.inputs.portions(start["portions"]):
            packets += portion.packets
            size += portion.size
            if taken and (packets > self.packets or size > self.bytes):
                break
            taken += 1
        return {"portions": start["portions"] + taken}

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> Sequence[InputPartition]:
        """The portions between two offsets, dealt out to the cores."""
        n = end["portions"] - start["portions"]
        rows = [to_row(*each) for each, _ in zip(self.inputs.portions(start["portions"]), range(n), strict=False)]
        return [InputPartition(rows[k :: self.parallelism]) for k in range(min(self.parallelism, n))]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """The portions of one partition."""
        yield pa.record_batch([pa.array(partition.value, pa.utf8())], schema=PORTIONS)


@dataclass(frozen=True)
class ArchivesStream:
    """Portions of archives; the workers open the files."""

    source: ArchivesSource
    run: RunDirectory

    @cached_property
    def inputs(self) -> InputList:
        """The inputs."""
        return input_list_of(self.run)

    @property
    def rules(self) -> Rules:
        """How archives are read."""
        return Rules(self.source.column, self.source.origin_column, self.source.max_unpacked_bytes)

    @property
    def reader(self) -> ArchiveReader:
        """Reads portions."""
        return ArchiveReader(self.inputs.folder, self.rules)

    def check(self, _positions: Mapping[str, Span]) -> None:
        """Take new inputs into the list, and see that none has changed since it was looked through.

        Raises
        ------
        WrongInputError
            Where one has.
        """
        self.inputs.check(Ledger.read(self.run.ledger).total.inputs)
        self.inputs.add(paths_of(self.source.inputs))

    def prepare(self, spark: SparkSession, on_listing: OnListing) -> None:
        """Look through the inputs that are new, each as one task.

        Raises
        ------
        StreamStoppedError
            If that fails; what is wrong with an input is no failure.
        """
        new = self.inputs.unlisted
        if not new:
            return
        discard_unfinished(self.inputs.folder)
        job = _Listing(spark, partial(list_input, folder=self.inputs.folder, rules=self.rules), new)
        job.start()
        while job.is_alive():  # Ctrl-C ends the waiting, and with it Spark
            job.join(LOOK_SECONDS)
            on_listing(len(new) - len(self.inputs.unlisted), len(new))
        if job.failure:
            raise StreamStoppedError(f"the inputs can't be listed: {why(job.failure, None)}") from job.failure
        vars(self).pop("inputs")  # it knows now what was found

    def load(self, spark: SparkSession, _positions: Mapping[str, Span]) -> DataFrame:
        """The portions, as the listings have them."""
        spark.dataSource.register(PacketArchives)
        return (
            spark.readStream.format(PacketArchives.name())
            .option("folder", str(self.inputs.folder))
            .option("packets", self.source.max_packets_per_batch)
            .option("bytes", self.source.max_bytes_per_batch)
            .option("parallelism", spark.sparkContext.defaultParallelism)
            .load()
        )

    def adapt(self, _batch: Batch) -> bool:
        """A micro-batch's limits are fixed."""
        return False


class _Listing(Thread):
    """A Spark job that lists inputs, one a task; a thread, so that its waiting can be ended."""

    def __init__(self, spark: SparkSession, work: "partial[None]", inputs: Sequence[Input]) -> None:
        super().__init__(daemon=True)
        self._spark, self._work, self._inputs = spark, work, inputs
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._spark.sparkContext.parallelize(self._inputs, len(self._inputs)).foreach(self._work)
        except Exception as error:  # noqa: BLE001  # told by the one who waits; nobody does where Spark was stopped
            self.failure = error
