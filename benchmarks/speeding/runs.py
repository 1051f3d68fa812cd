"""Runs of the whole broker over packets that were put in place once, and the hand-over alone over the same ones."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa

from benchmarks.processes import BOREAL
from benchmarks.speeding.conditions import random_conditions, write_filters
from benchmarks.speeding.course import Course, watch
from benchmarks.speeding.large import large_packets
from benchmarks.speeding.scale import Scale
from broker.books.ledger import Ledger
from broker.config import DirectorySource
from broker.errors import RunFailedError
from broker.kafka.feed import Feed
from broker.kafka.run_settings import KafkaSource
from broker.kafka.settings import Cluster
from broker.kafka.throttle import Throttle
from broker.local.kafka import LocalKafka
from broker.replay_packets import packets_to_send
from broker.run_directory import RunDirectory
from broker.sources.gathered import Packet
from schemas.renumber import Template

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "filters"
TOPIC = "alerts"
PARTITIONS = 4
FEW_FILTERS = ("everything-classified", "kilonovae", "young-supernovae")
BATCHES = 4
"""A run takes its packets in so many micro-batches or more; the first isn't counted."""

From = Literal["kafka", "files"]


@dataclass(frozen=True)
class Finished:
    """A run that is done.

    Parameters
    ----------
    course : what was seen of it.
    ledger : its books.
    """

    course: Course
    ledger: Ledger


class Runs:
    """Packets in a local Kafka broker and in files, each under an id of its own; used as a context.

    Parameters
    ----------
    folder : for everything that is written.
    scale : says how many packets.
    templates : the packets.
    annotations : of such packets; random filters are made with them.
    say : is told what is being done.
    """

    def __init__(
        self,
        folder: Path,
        scale: Scale,
        templates: Sequence[tuple[str, Template]],
        annotations: pa.Table,
        say: Callable[[str], None],
    ) -> None:
        self.folder, self._scale, self._templates = folder, scale, templates
        self._annotations, self._say = annotations, say
        self._kafka = LocalKafka(folder / "kafka")
        self._counted: dict[tuple[int, bool], Course] = {}
        sizes = [sum(map(len, template.pieces)) for _, template in templates]
        self.mean_bytes = sum(sizes) / len(sizes)
        source = KafkaSource(kind="kafka", brokers="localhost:9092", topics=[TOPIC])
        usual = Throttle(source.max_messages_per_batch, source.max_bytes_per_batch, self.mean_bytes).messages
        self.packets = scale.packets or BATCHES * usual
        self.batch = min(usual, ceil(self.packets / BATCHES))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kafka.stop()

    def counted(self, cores: int, *, java_only: bool = False) -> Course:
        """The hand-over alone; one that was measured before isn't measured again."""
        if (cores, java_only) not in self._counted:
            name = f"counting-{cores}-{'java' if java_only else 'python'}"
            self._say(f"hand-over alone, {cores} cores, {'to Java' if java_only else 'to Python'}")
            config = self._configure(name, "kafka", cores, self._filters(few=True))
            command = [sys.executable, "-m", "benchmarks.speeding.counting", str(config)]
            self._counted[cores, java_only] = self._watch(name, [*command, *(["--java-only"] if java_only else [])])
        return self._counted[cores, java_only]

    def whole(self, source: From, cores: int, *, few: bool) -> Finished:
        """A run from packets to deliveries, with three filters or with many.

        Raises
        ------
        RunFailedError
            If it fails, or its books don't have every packet, annotated.
        """
        filters = self._filters(few=few)
        name = f"{source}-{cores}-{filters.name}"
        self._say(f"whole way from {source}, {cores} cores, {filters.name}")
        config = self._configure(name, source, cores, filters)
        course = self._watch(name, [BOREAL, "run", str(config), "--once"])
        ledger = Ledger.read(RunDirectory(self.folder / name).ledger)
        sent = self.packets + (len(large_packets()) if source == "kafka" else 0)
        if not sent == ledger.total.received == ledger.total.annotated:
            counts = f"received {ledger.total.received:,}, annotated {ledger.total.annotated:,}"
            raise RunFailedError(f"{name}: {sent:,} packets were given; {counts}")
        return Finished(course, ledger)

    def _watch(self, name: str, command: Sequence[str]) -> Course:
        return watch(command, RunDirectory(self.folder / name).journal, self.folder / f"{name}.log")

    def _configure(self, name: str, source: From, cores: int, filters: Path) -> Path:
        """A run's configuration; JSON is YAML, too."""
        path = self.folder / f"{name}.yaml"
        settings: dict[str, Any] = {
            "to": str(self.folder / name),
            "filters": str(filters),
            "spark": {"master": f"local[{cores}]"},
        }
        if source == "kafka":
            brokers = self._filled
            settings |= {
                "source": {
                    "kind": "kafka", "brokers": brokers, "topics": [TOPIC], "max_messages_per_batch": self.batch,
                },
                "table": {"kind": "delta"},
                "deliver": {"kafka": {"brokers": brokers, "topic": f"{name}.{{filter}}"}},
            }  # fmt: skip
        else:
            at_once = min(DirectorySource(kind="directory", path=self._files).max_files_per_batch, self.batch)
            settings["source"] = {"kind": "directory", "path": str(self._files), "max_files_per_batch": at_once}
        path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        return path

    def _filters(self, *, few: bool) -> Path:
        """The directory of three example filters, or of as many as the scale says, those three among them."""
        count = len(FEW_FILTERS) if few else self._scale.many_filters
        directory = self.folder / f"{count}-filters"
        if not directory.exists():
            examples = [EXAMPLES / f"{name}.yaml" for name in FEW_FILTERS]
            write_filters(directory, examples, random_conditions(self._annotations, count - len(examples)))
        return directory

    @cached_property
    def _filled(self) -> str:
        """Where the Kafka broker is that has the packets; the two large ones come first, and aren't timed."""
        self._kafka.start()
        self._kafka.create_topic(TOPIC, PARTITIONS)
        self._say(f"{self.packets:,} packets of {self.mean_bytes / 1000:.0f} kB to Kafka")
        with Feed(Cluster(brokers=self._kafka.brokers), TOPIC) as feed:
            feed.send([*large_packets().items(), *self._renumbered()], None, lambda _: None)
        return self._kafka.brokers

    @cached_property
    def _files(self) -> Path:
        """The directory that has the packets, a file each."""
        directory = self.folder / "packets"
        directory.mkdir()
        self._say(f"{self.packets:,} packets of {self.mean_bytes / 1000:.0f} kB to files")
        for number, (_, payload) in enumerate(self._renumbered()):
            (directory / f"{number:06}.avro").write_bytes(payload)
        return directory

    def _renumbered(self) -> Iterator[Packet]:
        return islice(packets_to_send(self._templates, time.time_ns(), repeat=True), self.packets)
