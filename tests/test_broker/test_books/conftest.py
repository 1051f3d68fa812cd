"""A run's directory at work, with topics in memory for Kafka: what is written, booked, sent, replayed, compared."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.books.ledger import Entry
from broker.books.reconcile import reconcile
from broker.commands.deadletter import chosen
from broker.commit import Committer, Publishing, Settings
from broker.deadletter import waiting
from broker.filters.definition import Filter, load_filters
from broker.harvest import Harvest, join
from broker.outgoing.destinations import Topics as DestinationTopics
from broker.outgoing.destinations import destinations
from broker.outgoing.schema_ids import local_id
from broker.pipeline import Outcome
from broker.replay import Replayed, replay
from broker.run_directory import RunDirectory
from broker.sources.intake import KafkaReader
from broker.sources.kafka import messages_of, packets_of
from broker.spark.worker import Worker
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import AnnotationTable
from classifiers.bundle import Bundle
from schemas.packets import rejects
from schemas.registry import BundledRegistry, WriterSchema


@pytest.fixture(scope="session")
def small_packet(make_packet: Any) -> Callable[..., bytes]:
    """Make an LSST 10.0 packet of one measurement; the schema's id in front of it may be another."""

    def make(source_id: int, mjd: float = 61000.0, schema_id: int | None = None, **fields: Any) -> bytes:
        source = {"diaSourceId": source_id, "midpointMjdTai": mjd, "ra": 10.0, "dec": -5.0} | fields
        record = make_packet.record("lsst.v10_0.alert", diaSourceId=source_id, diaSource=source)
        wire: bytes = make_packet.wire("lsst.v10_0.alert", record, schema_id)
        return wire

    return make


@pytest.fixture(scope="session")
def limited(tmp_path_factory: pytest.TempPathFactory, bundle: Bundle) -> tuple[Filter, ...]:
    """A filter that sends everything, and one that sends one alert a night, in JSON alone."""
    folder = tmp_path_factory.mktemp("limited")
    (folder / "all.yaml").write_text("name: all\nowner: me\ncondition: nPoints >= 0\n")
    few = "name: few\nowner: me\ncondition: nPoints >= 0\nlimits: {perNight: 1}\noutputs: {formats: [jsonl]}\n"
    (folder / "few.yaml").write_text(few)
    return load_filters(folder, schema_for(bundle.manifest))


class Topics:
    """Kafka's place, in memory.

    Parameters
    ----------
    before : called before each message is taken.
    """

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.before = before
        self.messages: list[dict[str, Any]] = []

    def send(self, messages: pa.Table) -> Counter[str]:
        for message in messages.to_pylist():
            self.before()
            self.messages.append(message)
        return Counter(messages["topic"].to_pylist())

    def of(self, topic: str) -> dict[str, dict[str, Any]]:
        """The messages of a topic by key, in the order of their first coming; a repeat must be the same message."""
        found: dict[str, dict[str, Any]] = {}
        for message in self.messages:
            if message["topic"] == topic:
                assert found.setdefault(message["key"], message) == message
        return found


class Desk:
    """A run's directory at work as `broker.service.Service` has it, with topics in memory for Kafka.

    Parameters
    ----------
    path : the run's directory.
    worker : makes harvests of Kafka's records.
    table : ``parquet`` or ``delta``.
    topics : where messages go.
    stream : the checkpoint's identity.
    """

    SHARED: ClassVar = {"annotations": "everything", "desc_classifications": "classes", "desc_messages": "packets"}

    def __init__(
        self, path: Path, worker: Worker, table: str = "parquet", topics: Topics | None = None, stream: str = "0123abcd"
    ) -> None:
        self.run, self._worker = RunDirectory(path), worker
        self.kind, self.topics = table, topics or Topics()
        self.run.checkpoint.mkdir(parents=True, exist_ok=True)
        (self.run.checkpoint / "boreal-stream-id").write_text(stream)
        self.open()

    def open(self, **settings: Any) -> "Desk":
        """Start, or start again."""
        given = {"table": self.table, "bundle_sha256": "ab" * 32} | settings
        publishing = Publishing(self.topics.send, 1_000_000, self._worker.destinations, "dead")
        self.committer = Committer(self.run, self._worker.filters, Settings(**given), publishing)
        return self

    @property
    def table(self) -> AnnotationTable:
        """The annotation table, opened anew."""
        if self.kind == "parquet":
            return ParquetAnnotations(self.run)
        from broker.tables.delta import DeltaAnnotations

        return DeltaAnnotations(self.run.annotations)

    def worker(self) -> Worker:
        """As a service gives it."""
        return self._worker

    def harvest(self, *records: pa.RecordBatch) -> Harvest:
        """What the workers make of a micro-batch."""
        return join([self._worker.harvest(intake) for intake in KafkaReader()(records)])

    def take(self, number: int, *records: pa.RecordBatch) -> Entry | None:
        """Process and commit a micro-batch."""
        return self.committer.commit(number, self.harvest(*records))

    def replay(self, **wanted: Any) -> Replayed:
        """Replay the dead letters of these ids, stage and reason; all if none is given."""
        choice = chosen(**({"ids": (), "stage": None, "reason": None} | wanted))
        return replay(self, self.run, choice, lambda _: None)  # type: ignore[arg-type]  # stands for a Service

    def rows(self) -> list[dict[str, Any]]:
        """The annotation table, by alert."""
        parts = [part.to_pylist() for part in self.table.rows(self.COLUMNS)]
        return sorted((row for part in parts for row in part), key=lambda row: str(row["diaSourceId"]))

    COLUMNS: ClassVar = [
        "survey", "alertId", "diaSourceId", "night", "origin", "schemaId", "classifier", "deliveredTo", "probability",
    ]  # fmt: skip

    def waiting(self) -> list[dict[str, Any]]:
        """The dead letters that weren't replayed, by id."""
        found = [letter for letters in waiting(self.run) for letter in letters.to_pylist()]
        return sorted(found, key=lambda letter: str(letter["id"]))

    def check(self) -> None:
        """The books balance, and every topic holds just what the table says was sent."""
        found = reconcile(self.run, self.table, None, lambda _: None)
        assert found.differences == 0, found
        self.committer.ledger.total.check()
        wanted: dict[str, set[str]] = {topic: set() for topic in self.SHARED.values()}
        for row in self.rows():
            key = "{survey}/{alertId}/{diaSourceId}/".format(**row) + row["classifier"]["bundleSha256"][:12]
            for topic in ("everything", "classes", *(f"boreal-{name}" for name in row["deliveredTo"])):
                wanted.setdefault(topic, set()).add(key)
            if row["schemaId"] == 1000:
                wanted["packets"].add(key)
        topics = {message["topic"] for message in self.topics.messages} - {"dead"}
        assert {topic: self.topics.of(topic).keys() for topic in {*wanted, *topics}} == wanted
        assert {letter["origin"] for letter in self.waiting()} <= self.topics.of("dead").keys()


@pytest.fixture(scope="session")
def kafka_worker(bundle: Bundle, limited: tuple[Filter, ...]) -> Worker:
    """Makes harvests of Kafka's records, with messages for the filters `limited` and for every shared topic."""
    topics = DestinationTopics("boreal-{filter}", **Desk.SHARED)
    wanted = destinations(limited, schema_for(bundle.manifest), topics, lambda _, avro: local_id(avro))
    return Worker(KafkaReader(), bundle.path, limited, wanted)


@pytest.fixture
def topics() -> type[Topics]:
    return Topics


@pytest.fixture
def desk(tmp_path: Path, kafka_worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    """Open a run's directory; the clock stands still, so that the same packets make the same messages."""
    monkeypatch.setattr("broker.spark.worker.time", SimpleNamespace(time=lambda: 1_750_000_100.0))
    return lambda name="out", **given: Desk(tmp_path / name, kafka_worker, **given)


@pytest.fixture
def taught(registry: BundledRegistry, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have the workers know LSST's schema 10.0 under these ids, too."""
    known: dict[int, WriterSchema] = {}

    class Taught:
        def by_id(self, schema_id: int) -> WriterSchema:
            return known[schema_id] if schema_id in known else registry.by_id(schema_id)

    monkeypatch.setattr("broker.spark.worker.registry_of", lambda _: Taught())
    schema = registry.by_name("lsst.v10_0.alert")
    return lambda *ids: known.update({schema_id: replace(schema, id=schema_id) for schema_id in ids})


@pytest.fixture(scope="session")
def not_understood(bundle: Bundle) -> Callable[[pa.RecordBatch], Harvest]:
    """Turn records away whole, as a version of Boreal did that didn't understand their packets yet."""

    def turn_away(records: pa.RecordBatch) -> Harvest:
        packets = packets_of(records).to_pylist()
        rows = [(packet["origin"], "decode", "not understood yet", packet["payload"]) for packet in packets]
        outcome = Outcome(schema_for(bundle.manifest).empty_table(), rejects(rows), len(rows))
        return Harvest(outcome, messages_of(records))

    return turn_away
