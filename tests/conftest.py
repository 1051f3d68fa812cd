"""Fixtures that the tests of more than one package use."""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fastavro
import pytest
from hypothesis import settings

from classifiers.bundle import Bundle, default_bundle_path
from schemas.registry import BundledRegistry

# Machines differ, and the first example compiles or imports: how long one takes is no property of the code.
settings.register_profile("boreal", deadline=None, print_blob=True)
settings.load_profile("boreal")

if TYPE_CHECKING:  # Kafka's client and the HTTP server are imported by the tests that use them
    from broker.local.kafka import LocalKafka
    from broker.local.registry import SchemaRegistryServer

DATA = Path(__file__).parent / "data"
PACKETS = DATA / "packets"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of sample data; what is in it, and where from: its README.md."""
    return DATA


@pytest.fixture(scope="session")
def examples_dir() -> Path:
    """The folder of example configurations and filters."""
    return Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="session")
def registry() -> BundledRegistry:
    return BundledRegistry()


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The model bundle that ships."""
    return Bundle.load(default_bundle_path())


@pytest.fixture(scope="session")
def sample_packets() -> list[tuple[str, bytes]]:
    """Every real packet that ships, as pairs of origin (``lsst/v10_0_1.avro``) and bytes, by origin."""
    return [(str(path.relative_to(PACKETS)), path.read_bytes()) for path in sorted(PACKETS.glob("*/*.avro"))]


@pytest.fixture(scope="session")
def lsst_packets(sample_packets: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The real LSST packets: schemas 7.4, 9.0 and 10.0 in the wire format."""
    return [pair for pair in sample_packets if pair[0].startswith("lsst/")]


def _blank(kind: Any, given: Any, names: dict[str, Any]) -> Any:
    """A value of an Avro type: the given one, completed; without one null where that is allowed, otherwise zero."""
    if isinstance(kind, list):
        if given is None and "null" in kind:
            return None
        return _blank(next(branch for branch in kind if branch != "null"), given, names)
    if isinstance(kind, str):
        return _blank(names[kind], given, names) if kind in names else _ZEROS[kind] if given is None else given
    if kind["type"] == "array":
        return [_blank(kind["items"], item, names) for item in given or []]
    if kind["type"] != "record":
        return _blank(kind["type"], given, names)
    names[kind["name"]] = kind
    given = given or {}
    unknown = set(given) - {field["name"] for field in kind["fields"]}
    assert not unknown, f"{kind['name']} has no {unknown}"
    return {field["name"]: _blank(field["type"], given.get(field["name"]), names) for field in kind["fields"]}


_ZEROS: dict[str, Any] = {
    "null": None, "boolean": False, "int": 0, "long": 0, "float": 0.0, "double": 0.0, "string": "", "bytes": b"",
}  # fmt: skip


class PacketMaker:
    """Makes records and packets of the bundled schemas, for what no real packet shows."""

    def __init__(self, registry: BundledRegistry) -> None:
        self._registry = registry

    def record(self, name: str, **given: Any) -> dict[str, Any]:
        """A record of the schema of this name: the given fields, nested ones too; else null if allowed, else zero."""
        record: dict[str, Any] = _blank(self._registry.by_name(name).json, given, {})
        return record

    def wire(self, name: str, record: dict[str, Any], schema_id: int | None = None) -> bytes:
        """A Confluent message."""
        schema, out = self._registry.by_name(name), BytesIO()
        fastavro.schemaless_writer(out, schema.parsed, record)
        return b"\0" + (schema_id or schema.id or 0).to_bytes(4, "big") + out.getvalue()

    def container(self, name: str, *records: dict[str, Any], codec: str = "null", sync_interval: int = 16000) -> bytes:
        """An Avro object container."""
        out = BytesIO()
        schema = self._registry.by_name(name).json
        fastavro.writer(out, schema, records, codec=codec, sync_interval=sync_interval, sync_marker=bytes(range(16)))
        return out.getvalue()


@pytest.fixture(scope="session")
def make_packet(registry: BundledRegistry) -> PacketMaker:
    return PacketMaker(registry)


KAFKA_USERS = {"alice": "alice-secret", "bob": "bob-secret"}


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator["LocalKafka"]:
    """A real broker with every listener, where alice and bob may do what `LocalKafka.allow` gives them."""
    from broker.local.kafka import LocalKafka

    with LocalKafka(tmp_path_factory.mktemp("kafka"), users=KAFKA_USERS, authorize=True, tls=True) as broker:
        yield broker


@pytest.fixture
def topic(kafka: "LocalKafka") -> Callable[..., str]:
    """Make a topic with a name of its own; without partitions only the name."""

    def make(stem: str = "topic", partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        name = f"{stem}-{uuid4().hex[:8]}"
        if partitions:
            kafka.create_topic(name, partitions, config)
        return name

    return make


@pytest.fixture
def registry_server() -> Iterator["SchemaRegistryServer"]:
    """A schema registry over real HTTP, empty."""
    from broker.local.registry import SchemaRegistryServer

    with SchemaRegistryServer() as server:
        yield server
