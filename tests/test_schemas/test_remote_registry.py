"""Schemas that aren't bundled come from a registry, whatever its state, and only the packets that need it notice."""

import json
import logging
import pickle
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.local.registry import Mode, SchemaRegistryServer
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import BundledRegistry, UnknownSchemaError
from schemas.remote_registry import RegistrySettings, RemoteRegistry, schema_ids

NAME = "lsst.v10_0.alert"
NEW = 1200
SOURCE = {"midpointMjdTai": 60000.0, "ra": 10.0, "dec": -5.0, "diaSourceId": 7}
PASSWORD = "kept-to-ourselves"  # noqa: S105  # of servers that live for one test


def teach(server: SchemaRegistryServer, schema_id: int, version: str) -> None:
    """Add LSST's schema 10.0 under another version's name."""
    text = json.dumps(dict(BundledRegistry().by_name(NAME).json))
    server.register("alerts", json.loads(text.replace("v10_0", f"v{version.replace('.', '_')}")), schema_id)


@pytest.fixture
def server(registry_server: SchemaRegistryServer) -> SchemaRegistryServer:
    """A registry that knows an LSST schema 12.0 by the id 1200."""
    teach(registry_server, NEW, "12.0")
    return registry_server


def settings(server: SchemaRegistryServer, cache: Path | None = None, **more: Any) -> RegistrySettings:
    return RegistrySettings(**({"url": server.url, "timeout_seconds": 2, "cache_directory": cache} | more))


@pytest.fixture
def remote(server: SchemaRegistryServer, tmp_path: Path) -> RemoteRegistry:
    return RemoteRegistry(settings(server, tmp_path))


@pytest.fixture(scope="module")
def packet(make_packet: Any) -> Callable[[int], bytes]:
    """A packet as 10.0 is, with any id."""
    record = make_packet.record(NAME, diaSource=SOURCE, diaSourceId=7)
    return lambda schema_id: make_packet.wire(NAME, record, schema_id)


def read(remote: RemoteRegistry, *payloads: bytes) -> Decoded:
    table = packets([(f"p{number}", payload) for number, payload in enumerate(payloads)])
    remote.learn(schema_ids(table["payload"]))
    return decode(table, remote)


def timed_learn(remote: RemoteRegistry, *ids: int) -> tuple[float, dict[int, str]]:
    start = time.monotonic()
    failures = remote.learn(ids)
    return time.monotonic() - start, failures


def test_a_new_id_in_mid_stream_is_learned(server: SchemaRegistryServer, remote: RemoteRegistry, packet: Any) -> None:
    assert len(read(remote, packet(1000)).alerts) == 1
    assert not server.requests
    decoded = read(remote, packet(1000), packet(NEW))
    assert decoded.alerts.table["schema_version"].to_pylist() == ["10.0", "12.0"]
    assert decoded.alerts.table["schema_id"].to_pylist() == [1000, NEW]
    teach(server, 1201, "12.1")
    assert read(remote, packet(1201)).alerts.table["schema_version"].to_pylist() == ["12.1"]
    assert (remote.by_id(NEW).name, remote.by_id(NEW).survey) == ("lsst.v12_0.alert", "lsst")
    for _ in range(3):
        read(remote, packet(NEW))
    assert server.requests == {"GET /schemas/ids/1200": 1, "GET /schemas/ids/1201": 1}


def test_bundled_ids_are_never_asked_for(
    server: SchemaRegistryServer,
    remote: RemoteRegistry,
    registry: BundledRegistry,
    sample_packets: list[tuple[str, bytes]],
) -> None:
    assert remote.learn([schema.id for schema in registry if schema.id is not None]) == {}
    assert read(remote, *(payload for _, payload in sample_packets)).rejects.num_rows == 0
    assert not server.requests


def test_the_cache_serves_a_new_process_without_the_registry(
    server: SchemaRegistryServer, tmp_path: Path, packet: Any
) -> None:
    read(RemoteRegistry(settings(server, tmp_path)), packet(NEW))
    assert [path.name for path in tmp_path.glob("*/*")] == ["1200.avsc"]
    server.stop()
    again = RemoteRegistry(settings(server, tmp_path, url=f"{server.url}/"))
    assert read(again, packet(NEW)).alerts.table["schema_version"].to_pylist() == ["12.0"]
    assert server.requests.total() == 1
    code = (
        "import pickle, sys; from schemas.remote_registry import RemoteRegistry; "
        "print(RemoteRegistry(pickle.loads(sys.stdin.buffer.read())).by_id(1200).version)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(settings(server, tmp_path)), capture_output=True, check=True
    )
    assert done.stdout == b"12.0\n"


def test_each_registry_has_its_own_cache(server: SchemaRegistryServer, tmp_path: Path) -> None:
    RemoteRegistry(settings(server, tmp_path)).learn({NEW})
    other = RemoteRegistry(settings(server, tmp_path, url=f"{server.url}/elsewhere"))
    with pytest.raises(UnknownSchemaError, match="elsewhere hasn't been asked for it"):
        other.by_id(NEW)


@pytest.mark.parametrize("broken", [b"", b'{"type": "rec', b'"string"', b"\xff\xfe"])
def test_a_broken_cache_file_is_fetched_again(broken: bytes, server: SchemaRegistryServer, tmp_path: Path) -> None:
    RemoteRegistry(settings(server, tmp_path)).learn({NEW})
    kept = next(tmp_path.glob("*/1200.avsc"))
    whole = kept.read_bytes()
    kept.write_bytes(broken)
    assert RemoteRegistry(settings(server, tmp_path)).learn({NEW}) == {}
    assert server.requests.total() == 2
    assert kept.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    server: SchemaRegistryServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    remote = RemoteRegistry(settings(server, tmp_path / "file"))
    assert remote.learn({NEW}) == {}
    assert remote.by_id(NEW).version == "12.0"
    assert "schema 1200 can't be kept" in caplog.text


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("404", "doesn't know the id (404)"),
        ("500", "answered 500: Error in the backend data store"),
        ("nonsense", "answered with something that isn't an Avro schema: JSONDecodeError: Expecting value"),
        ("wrong", "answered with something that isn't an Avro schema: SchemaParseException: "),
        ("slow", "didn't answer within 0.5 s"),
        ("down", "can't be reached: [Errno 111] Connection refused"),
    ],
)
def test_a_registry_that_fails_touches_only_the_packets_that_need_it(
    mode: Mode, expected: str, server: SchemaRegistryServer, packet: Any, tmp_path: Path
) -> None:
    remote = RemoteRegistry(settings(server, tmp_path, timeout_seconds=0.5))
    server.seconds = 20
    if mode == "down":
        server.stop()
    else:
        server.mode = mode
    start = time.monotonic()
    decoded = read(remote, packet(1000), packet(NEW), packet(900), packet(NEW), b"\0\0")
    assert time.monotonic() - start < 3
    refused = [row for row in decoded.rejects.to_pylist() if row["stage"] == "schema"]
    assert decoded.origins.to_pylist()[0] == "p0"
    assert [(row["origin"], row["payload"]) for row in refused] == [("p1", packet(NEW)), ("p3", packet(NEW))]
    beginning = "unknown schema: no schema has the id 1200: it isn't bundled, and "
    assert refused[0]["reason"].startswith(f"{beginning}the registry at {server.url} {expected}")
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.parametrize("mode", ["slow", "down"])
def test_an_outage_delays_once_in_a_while(
    mode: str, server: SchemaRegistryServer, packet: Any, caplog: pytest.LogCaptureFixture
) -> None:
    remote = RemoteRegistry(settings(server, timeout_seconds=0.5, retry_after_seconds=1.5))
    server.mode, server.seconds = "slow", 20
    if mode == "down":
        server.stop()
    seconds, failures = timed_learn(remote, *range(NEW, NEW + 50))
    assert seconds < 3
    assert sorted(failures) == list(range(NEW, NEW + 50))
    asked = server.requests.total()
    for ids in ({NEW}, {5000, 5001}, set(range(NEW, NEW + 50))):
        seconds, failures = timed_learn(remote, *ids)
        assert seconds < 0.3
        assert set(failures) == ids
    assert server.requests.total() == asked <= 1
    assert "schema 1200 can't be learned: the registry at" in caplog.text
    server.stop()
    server.mode = "ok"
    server.start()
    time.sleep(1.5)
    assert len(read(remote, packet(NEW)).alerts) == 1


def test_an_id_that_is_unknown_is_asked_for_once_in_a_while(server: SchemaRegistryServer, packet: Any) -> None:
    remote = RemoteRegistry(settings(server, retry_after_seconds=0.5))
    for _ in range(3):
        assert remote.learn({1201, NEW}) == {1201: f"the registry at {server.url} doesn't know the id (404)"}
    assert server.requests["GET /schemas/ids/1201"] == 1
    teach(server, 1201, "12.1")
    time.sleep(0.5)
    assert len(read(remote, packet(1201)).alerts) == 1


def test_a_schema_of_no_survey_is_refused_by_the_decoder(
    server: SchemaRegistryServer, remote: RemoteRegistry, packet: Any
) -> None:
    fields = [{"name": "rain", "type": "double"}]
    server.register("weather", {"type": "record", "name": "weather.report", "fields": fields}, 1300)
    rejects = read(remote, packet(1300)).rejects.to_pylist()
    assert rejects[0]["stage"] == "decode"
    assert rejects[0]["reason"].startswith("unknown survey: the schema is that of 'weather.report'")


def test_the_password_is_sent_and_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SchemaRegistryServer(users={"reader": PASSWORD}) as server:
        teach(server, NEW, "12.0")
        given = settings(server, tmp_path, username="reader", password=PASSWORD)
        remote = RemoteRegistry(given)
        assert remote.learn({NEW}) == {}
        failures = remote.learn({1999})
        wrong = RemoteRegistry(settings(server, username="reader", password=f"{PASSWORD}?")).learn({NEW})
    assert wrong[NEW] == f"the registry at {server.url} answered 401: Unauthorized"
    shown = " ".join((repr(given), str(given), str(failures), str(wrong), repr(vars(remote)), caplog.text))
    assert PASSWORD not in shown
    assert b64encode(f"reader:{PASSWORD}".encode()).decode() not in shown


def test_https_needs_a_certificate_that_is_trusted(packet: Any, tmp_path: Path) -> None:
    with SchemaRegistryServer(tls=tmp_path) as server:
        teach(server, NEW, "12.0")
        trusting = RemoteRegistry(settings(server, ca_file=server.ca_file))
        assert len(read(trusting, packet(NEW)).alerts) == 1
        wary = RemoteRegistry(settings(server)).learn({NEW})[NEW]
        lost = RemoteRegistry(settings(server, ca_file=tmp_path / "gone.pem")).learn({NEW})[NEW]
        assert server.requests.total() == 1
    assert "can't be reached: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed" in wary
    assert lost.startswith(
        f"the registry at {server.url} can't be asked: the CA file {tmp_path}/gone.pem can't be used"
    )


def test_settings_survive_a_pickle(tmp_path: Path) -> None:
    given = RegistrySettings("https://host:8081/registry", "reader", PASSWORD, tmp_path / "ca.pem", 2.0, 9.0, tmp_path)
    again = pickle.loads(pickle.dumps(given))  # noqa: S301  # our own
    assert again == given
    assert again.password == PASSWORD
    assert hash(again) == hash(given)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"url": f"https://reader:{PASSWORD}@host"}, "has an @: give the user's name and password apart"),
        ({"url": "host:8081"}, "'host:8081', expected one such as"),
        ({"url": "mock://host"}, "expected one such as"),
        ({"url": "http://a,http://b"}, "expected one such as"),
        ({"username": "reader"}, "go together"),
        ({"timeout_seconds": 0}, "expected more than 0"),
        ({"retry_after_seconds": float("nan")}, "expected more than 0"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected) as refused:
        RegistrySettings(**({"url": "https://host"} | wrong))
    assert PASSWORD not in str(refused.value)
