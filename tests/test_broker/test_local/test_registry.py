"""The registry that other tests trust, asked by Confluent's own client."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from broker.local.registry import Mode, SchemaRegistryServer

ALERT = {"type": "record", "name": "alert", "fields": [{"name": "id", "type": "long"}]}
OTHER = {"type": "record", "name": "other", "fields": []}


def connect(server: SchemaRegistryServer, **more: object) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": server.url, "max.retries": 0, "timeout": 5, **more})


@pytest.fixture
def client(registry_server: SchemaRegistryServer) -> Iterator[SchemaRegistryClient]:
    with connect(registry_server) as connected:
        yield connected


def test_a_registered_schema_is_found_by_id_subject_and_content(client: SchemaRegistryClient) -> None:
    schema = Schema(json.dumps(ALERT), "AVRO")
    given = client.register_schema("alerts/all-value", schema)
    assert json.loads(client.get_schema(given).schema_str) == ALERT
    assert client.get_subjects() == ["alerts/all-value"]
    assert client.get_versions("alerts/all-value") == [1]
    for found in (
        client.get_latest_version("alerts/all-value"),
        client.get_version("alerts/all-value", 1),
        client.lookup_schema("alerts/all-value", schema),
    ):
        assert (found.schema_id, found.version, found.schema.schema_str) == (given, 1, schema.schema_str)


def test_ids_are_shared_by_subjects_and_can_be_chosen(registry_server: SchemaRegistryServer) -> None:
    assert registry_server.register("a", ALERT) == 1
    assert registry_server.register("b", OTHER, 704) == 704
    assert registry_server.register("b", ALERT) == 1
    assert registry_server.register("b", ALERT) == 1
    assert registry_server.register("c", {"type": "string"}) == 705
    with connect(registry_server) as client:
        assert client.get_versions("b") == [1, 2]
        assert json.loads(client.get_schema(704).schema_str) == OTHER


def test_what_is_not_there_is_answered_with_the_registrys_codes(
    registry_server: SchemaRegistryServer, client: SchemaRegistryClient
) -> None:
    registry_server.register("a", ALERT)
    for ask, code in (
        (lambda: client.get_schema(99), 40403),
        (lambda: client.get_latest_version("nobody's"), 40401),
        (lambda: client.get_version("a", 2), 40402),
        (lambda: client.lookup_schema("a", Schema(json.dumps(OTHER), "AVRO")), 40403),
        (lambda: client.register_schema("a", Schema("{", "AVRO")), 42201),
    ):
        with pytest.raises(SchemaRegistryError) as refused:
            ask()
        assert refused.value.error_code == code


def test_requests_are_counted(registry_server: SchemaRegistryServer, client: SchemaRegistryClient) -> None:
    registry_server.register("a", ALERT)

    def ask(_: int) -> None:
        with connect(registry_server) as another:
            another.get_schema(1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(8)))
    client.get_subjects()
    assert registry_server.requests == {"GET /schemas/ids/1": 8, "GET /subjects": 1}


@pytest.mark.parametrize(("mode", "code"), [("500", 50001), ("404", 40403)])
def test_an_error_on_demand(
    registry_server: SchemaRegistryServer, client: SchemaRegistryClient, mode: Mode, code: int
) -> None:
    registry_server.register("a", ALERT)
    registry_server.mode = mode
    with pytest.raises(SchemaRegistryError) as refused:
        client.get_schema(1)
    assert refused.value.error_code == code
    registry_server.mode = "ok"
    assert client.get_schema(1)


def test_nonsense_is_not_json_and_wrong_is_not_avro(
    registry_server: SchemaRegistryServer, client: SchemaRegistryClient
) -> None:
    registry_server.register("a", ALERT)
    registry_server.mode = "nonsense"
    with pytest.raises(json.JSONDecodeError):
        client.get_schema(1)
    registry_server.mode = "wrong"
    assert json.loads(client.get_schema(1).schema_str)["fields"] == 7


def test_a_slow_answer_takes_its_time_and_a_stop_does_not_wait_for_it(registry_server: SchemaRegistryServer) -> None:
    registry_server.register("a", ALERT)
    registry_server.mode, registry_server.seconds = "slow", 0.3
    begin = time.monotonic()
    with connect(registry_server) as client:
        client.get_schema(1)
    assert 0.3 <= time.monotonic() - begin < 3
    registry_server.seconds = 60
    with connect(registry_server, timeout=0.1) as client, pytest.raises(Exception, match="timed out"):
        client.get_schema(1)
    begin = time.monotonic()
    registry_server.stop()
    assert time.monotonic() - begin < 3


def test_it_is_down_between_stop_and_start_and_keeps_its_schemas(
    registry_server: SchemaRegistryServer, client: SchemaRegistryClient
) -> None:
    registry_server.register("a", ALERT)
    assert client.get_subjects() == ["a"]
    registry_server.stop()
    with pytest.raises(Exception, match="refused"):
        client.get_subjects()
    registry_server.start()
    assert client.get_subjects() == ["a"]


def test_a_login_and_https(tmp_path: Path) -> None:
    with SchemaRegistryServer(users={"alice": "alice-secret"}, tls=tmp_path) as server:
        authority = {"ssl.ca.location": str(server.ca_file)}
        with connect(server, **authority, **{"basic.auth.user.info": "alice:alice-secret"}) as client:
            assert client.get_subjects() == []
        with connect(server, **authority) as client, pytest.raises(SchemaRegistryError) as refused:
            client.get_subjects()
        assert refused.value.http_status_code == 401
        with connect(server) as client, pytest.raises(Exception, match="certificate verify failed"):
            client.get_subjects()
