"""A directory as a Spark stream of file names; the workers open the files themselves.

A name is a few bytes where a packet is 0.3 MB, so this also saves handing every packet from the JVM to Python.
"""

import os
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql.datasource import DataSource, DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, ReadMaxFiles, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from broker.sources.file_log import FileLog

NAMES = pa.schema([("name", pa.binary())])
"""Bytes, as the file system has them: a name need not be text."""


class PacketDirectory(DataSource):
    """The format ``boreal-directory``.

    Options: ``directory``, ``log`` (the `FileLog`), ``pattern`` (may be missing), ``files_per_batch``, ``parallelism``.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "boreal-directory"

    def schema(self) -> str:
        """One column: the file's path relative to the directory."""
        return "name binary"

    def streamReader(self, schema: StructType) -> "DirectoryReader":  # noqa: ARG002, N802  # Spark's signature
        """The reader that the query asks for offsets."""
        return DirectoryReader(self.options)


class DirectoryReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Tells how many files there are, and which of them lie between two numbers."""

    def __init__(self, options: MutableMapping[str, str]) -> None:
        self.files_per_batch = int(options["files_per_batch"])
        self.parallelism = int(options["parallelism"])
        self.log = FileLog(Path(options["log"]), Path(options["directory"]), options.get("pattern"))
        self.last: int | None = None

    def initialOffset(self) -> dict[str, int]:  # noqa: N802  # Spark's name
        """No file taken yet."""
        return {"files": 0}

    def getDefaultReadLimit(self) -> ReadLimit:  # noqa: N802  # Spark's name
        """So many files a micro-batch."""
        return ReadMaxFiles(self.files_per_batch)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802  # Spark's name
        """Look once; what comes later waits for the next run."""
        self.last = self.log.scan()

    def latestOffset(self, start: dict[str, int], limit: ReadLimit) -> dict[str, int]:  # noqa: N802  # Spark's name
        """How many files the next micro-batch ends with."""
        known = self.log.scan() if self.last is None else self.last
        most = start["files"] + limit.max_files if isinstance(limit, ReadMaxFiles) else known
        return {"files": max(start["files"], min(known, most))}

    def partitions(self, start: dict[str, int], end: dict[str, int]) -> Sequence[InputPartition]:
        """The files between two offsets, dealt out to the cores."""
        names = [file.name for file in self.log.files[start["files"] : end["files"]]]
        return [InputPartition(names[k :: self.parallelism]) for k in range(min(self.parallelism, len(names)))]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """The names of one partition."""
        yield pa.record_batch([pa.array(map(os.fsencode, partition.value), pa.binary())], schema=NAMES)
