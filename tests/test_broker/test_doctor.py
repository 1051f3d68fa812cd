"""What the doctor finds before a night: all of it, each fault in its own line, and no password in any."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pytest
from confluent_kafka import TopicPartition

from broker.books.ledger import Ledger, Span
from broker.checks import Check, Outcome, Verdict
from broker.checks.check import ok, warning
from broker.checks.machine import LITTLE_BYTES, TOO_LITTLE_BYTES
from broker.config import load_config
from broker.doctor import examine
from broker.local.kafka import LocalKafka
from broker.local.registry import SchemaRegistryServer
from broker.run_directory import RunDirectory

BOREAL = Path(sys.executable).with_name("boreal")
SECRETS = ("alice-secret", "bob-secret", "registry-secret", "not-the-password")
NOTHING_SPECIAL: dict[str, Any] = {"source": {"kind": "directory", "path": "in"}, "to": "out"}


def boreal(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command; no password may be in what it prints."""
    command = [str(BOREAL), "doctor", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "300", **environment}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    assert "Traceback" not in done.stderr
    return done


class Visit(NamedTuple):
    """The folder of a configuration, and what the doctor says."""

    folder: Path
    told: Mapping[str, Outcome]

    def verdicts(self, verdict: Verdict) -> set[str]:
        return {name for name, outcome in self.told.items() if outcome.verdict == verdict}


Doctor = Callable[..., Visit]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """Write a configuration and have it examined; keys that are given replace those of `NOTHING_SPECIAL`."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.avro").touch()

    def visit(**keys: Any) -> Visit:
        config = tmp_path / "run.yaml"
        config.write_text(json.dumps({**NOTHING_SPECIAL, **keys}))
        told = {result.check: result.outcome for result in examine(load_config(config))}
        assert not [s for s in SECRETS for outcome in told.values() if s in outcome.found + outcome.remedy]
        return Visit(tmp_path, told)

    return visit


# --- without a server


def test_all_is_well_and_nothing_is_left_behind(doctor: Doctor, examples_dir: Path) -> None:
    visit = doctor(filters=str(examples_dir / "filters"))
    assert visit.verdicts(Verdict.OK) == set(visit.told)
    assert "10 filters fine" in visit.told["filters"].found
    assert not (visit.folder / "out").exists()
    done = boreal(visit.folder / "run.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(visit.told)} ok" in done.stdout


def test_a_configuration_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("source: {kind: kafka, brokers: here}\n")
    done = boreal(tmp_path / "run.yaml")
    assert done.returncode == 2
    assert "brokers" in done.stderr


def test_a_broken_filter_hides_nothing(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "filters"
    folder.mkdir()
    (folder / "mine.yaml").write_text("name: mine\nowner: me\ncondition: pSNla > 0.5\n")
    (folder / "yours.yaml").write_text("name: yours\nowner: you\ncondition: pSNIa > 0.5\n")
    visit = doctor(filters="filters")
    assert visit.verdicts(Verdict.FAILED) == {"filters"}
    assert "1 filter fine: yours" in visit.told["filters"].found
    assert "mine.yaml:3:12: unknown" in visit.told["filters"].found
    assert "did you mean pSNIa" in visit.told["filters"].found
    done = boreal(visit.folder / "run.yaml", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert not told["ok"]
    assert [row["check"] for row in told["checks"] if row["verdict"] == "failed"] == ["filters"]


def test_a_changed_bundle(doctor: Doctor, bundle: Any, tmp_path: Path) -> None:
    shutil.copytree(bundle.path, tmp_path / "bundle")
    weights = tmp_path / "bundle" / next(iter(bundle.manifest.files))
    weights.write_bytes(weights.read_bytes() + b"x")
    visit = doctor(bundle="bundle")
    assert visit.verdicts(Verdict.FAILED) == {"model bundle"}
    assert "expected SHA-256" in visit.told["model bundle"].found
    assert visit.told["filters"] == Outcome(Verdict.NOT_CHECKED, "it needs: model bundle")


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(LITTLE_BYTES, Verdict.OK), (LITTLE_BYTES - 1, Verdict.WARNING), (TOO_LITTLE_BYTES - 1, Verdict.FAILED)],
)
def test_room_on_the_disk(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict) -> None:
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert doctor().told["disk"].verdict == verdict


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'openjdk version \"11.0.2\" 2019' >&2", "is Java 11, and Spark needs 17"),
        ("echo 'java version \"1.8.0_392\"' >&2", "is Java 8"),
        ("echo broken >&2; exit 1", "doesn't tell its version: broken"),
    ],
)
def test_a_java_that_will_not_do(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    visit = doctor()
    assert visit.verdicts(Verdict.FAILED) == {"Java"}
    assert said in visit.told["Java"].found


def test_no_java(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "on Debian: apt-get install" in doctor().told["Java"].remedy


def test_a_run_at_work_and_what_it_left(doctor: Doctor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "outbox").mkdir(parents=True)
    (out / "outbox" / "part-0123abcd-00000007.arrow").touch()
    with RunDirectory(out).locked():
        visit = doctor()
    assert visit.verdicts(Verdict.WARNING) == {"results directory", "undelivered"}
    assert "a run is writing to" in visit.told["results directory"].found
    assert "1 micro-batch " in visit.told["undelivered"].found
    again = doctor()
    assert again.verdicts(Verdict.WARNING) == {"undelivered"}
    with (out / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the look at it has let go


def test_the_port_of_the_metrics(doctor: Doctor, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        visit = doctor(metrics={"port": port})
        assert visit.told["metrics port"].verdict is Verdict.FAILED
        assert visit.told["metrics port"].remedy.startswith("give another `metrics.port`")
        with RunDirectory(tmp_path / "out").locked():
            told = {r.check: r.outcome for r in examine(load_config(tmp_path / "run.yaml"))}
        assert told["metrics port"].verdict is Verdict.WARNING
    told = {r.check: r.outcome for r in examine(load_config(tmp_path / "run.yaml"))}
    assert told["metrics port"] == ok(f"127.0.0.1:{port} is free")


def test_a_directory_that_an_earlier_run_spoilt(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "out" / "checkpoint").mkdir(parents=True)
    (tmp_path / "out" / "checkpoint" / "boreal.json").write_text('{"format": 1, "source": "kafka"}')
    (tmp_path / "out" / "ledger.json").write_text("{")
    visit = doctor()
    assert visit.verdicts(Verdict.FAILED) == {"ledger", "checkpoint"}
    assert "reads from a source of kind kafka" in visit.told["checkpoint"].found + visit.told["checkpoint"].remedy
    assert "restore it" in visit.told["ledger"].remedy


def test_a_delta_table_that_is_none(doctor: Doctor, tmp_path: Path) -> None:
    log = tmp_path / "table" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("nonsense")
    visit = doctor(table={"kind": "delta", "path": "table"})
    assert visit.verdicts(Verdict.FAILED) == {"annotation table"}


def test_a_password_that_is_not_there(doctor: Doctor) -> None:
    source = {"kind": "kafka", "brokers": "127.0.0.1:1", "topics": ["a"], "group_prefix": "x"}
    visit = doctor(source={**source, "security": {"user": "alice", "password": {"env": "BOREAL_NO_SUCH"}}})
    assert visit.verdicts(Verdict.FAILED) == {"source password"}
    assert "the environment variable BOREAL_NO_SUCH" in visit.told["source password"].found
    assert visit.told["source brokers"] == Outcome(Verdict.NOT_CHECKED, "it needs: source password")
    assert visit.told["right to read"] == Outcome(Verdict.NOT_CHECKED, "it needs: source brokers")


def test_an_option_that_does_not_exist(doctor: Doctor) -> None:
    visit = doctor(deliver={"kafka": {"brokers": "127.0.0.1:1", "options": {"linger.sm": 3}}})
    assert visit.verdicts(Verdict.FAILED) == {"delivery brokers", "delivery options"}
    assert "linger.sm" in visit.told["delivery options"].found


# --- how checks are run


def test_one_check_hides_no_other(doctor: Doctor) -> None:
    def explode(_: object) -> Outcome:
        raise KeyError("what")

    checks = (
        Check("broken", explode),
        Check("after", lambda _: ok("never"), ("broken",)),
        Check("doubtful", lambda _: warning("so so", "look")),
        Check("after that", lambda _: ok("yes"), ("doubtful",)),
        Check("elsewhere", lambda _: ok("never"), applies=lambda _: False),
    )
    config = load_config(doctor().folder / "run.yaml")
    told = {result.check: result.outcome for result in examine(config, checks)}
    assert [outcome.verdict for outcome in told.values()] == ["failed", "not checked", "warning", "ok"]
    assert told["broken"].found == "unexpected KeyError: 'what'"


def test_a_check_that_never_ends(doctor: Doctor) -> None:
    end, ended = Event(), Future[None]()

    def hang(_: object) -> Outcome:
        end.wait(30)
        ended.set_result(None)
        return ok("too late")

    checks = (
        Check("hanging", hang),
        Check("after", lambda _: ok("never"), ("hanging",)),
        Check("well", lambda _: ok("")),
    )
    told = [r.outcome.verdict for r in examine(load_config(doctor().folder / "run.yaml"), checks, limit_seconds=0.5)]
    assert told == ["failed", "not checked", "ok"]
    end.set()
    wait([ended])


# --- with a real Kafka and a registry over real HTTP


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in zip(("ALICE", "BOB", "REGISTRY", "WRONG"), SECRETS, strict=True):
        monkeypatch.setenv(name, secret)


def login(user: str, variable: str | None = None, **more: Any) -> dict[str, Any]:
    return {"user": user, "password": {"env": variable or user.upper()}, **more}


@pytest.fixture
def source(kafka: LocalKafka, topic: Callable[..., str], lsst_packets: list[tuple[str, bytes]]) -> dict[str, Any]:
    """A source with real packets in it, which alice may read and bob may not. Nobody has a right to any group."""
    name = topic("alerts", partitions=2)
    kafka.produce(name, *(payload for _, payload in lsst_packets[:4]))
    kafka.allow("alice", "topic", name, "read", "describe")
    return {"kind": "kafka", "brokers": kafka.sasl_brokers, "topics": [name], "security": login("alice")}


@pytest.fixture
def guarded_registry(tmp_path: Path) -> Iterator[SchemaRegistryServer]:
    with SchemaRegistryServer(users={"carol": "registry-secret"}, tls=tmp_path / "tls") as server:
        server.register("alerts-value", {"type": "record", "name": "alert", "fields": []})
        yield server


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_all_servers_are_well(
    doctor: Doctor,
    kafka: LocalKafka,
    topic: Callable[..., str],
    source: dict[str, Any],
    guarded_registry: SchemaRegistryServer,
    examples_dir: Path,
) -> None:
    prefix = topic("out", partitions=0)
    kafka.create_topic(f"{prefix}-all", config={"max.message.bytes": "2000000"})
    kafka.allow("bob", "topic", f"{prefix}*", "write", "create", "describe_configs")
    encrypted = {"brokers": kafka.sasl_ssl_brokers, "security": login("alice", tls=True, ca_file=str(kafka.ca_file))}
    admin = kafka.admin()
    before = sorted(admin.list_topics().topics)
    visit = doctor(
        source={**source, **encrypted},
        registry={"url": guarded_registry.url, "ca_file": str(guarded_registry.ca_file), **login("carol", "REGISTRY")},
        deliver={
            "kafka": {
                "brokers": kafka.sasl_brokers,
                "security": login("bob"),
                "topic": f"{prefix}-{{filter}}",
                "annotations": f"{prefix}-all",
            }
        },
        filters=str(examples_dir / "filters"),
    )
    assert visit.verdicts(Verdict.OK) == set(visit.told), visit.told
    assert "lsst" in visit.told["newest packets"].found
    assert "4 messages wait in 2 partitions, from the earliest on" in visit.told["waiting messages"].found
    assert f"{prefix}-kilonovae" in visit.told["delivery topics"].found
    assert sorted(admin.list_topics().topics) == before
    assert not admin.list_consumer_groups().result(timeout=30).valid
    assert not (visit.folder / "out").exists()
    done = boreal(visit.folder / "run.yaml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_a_wrong_password(doctor: Doctor, kafka: LocalKafka, source: dict[str, Any]) -> None:
    visit = doctor(
        source={**source, "security": login("alice", "WRONG")},
        deliver={"kafka": {"brokers": kafka.brokers}},
    )
    assert visit.verdicts(Verdict.FAILED) == {"source brokers"}
    assert "as alice: the login was refused (_AUTHENTICATION" in visit.told["source brokers"].found
    assert "`security.password`" in visit.told["source brokers"].remedy
    assert visit.told["right to read"].found == "it needs: source brokers"
    assert visit.told["delivery brokers"].verdict == Verdict.OK
    for options in ((), ("--json",)):
        done = boreal(visit.folder / "run.yaml", *options)
        assert (done.returncode, done.stderr) == (1, "")
        assert "the login was refused" in done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_clusters_that_cannot_be_reached(doctor: Doctor, kafka: LocalKafka, source: dict[str, Any]) -> None:
    troubles: dict[str, dict[str, Any]] = {
        "Connection refused": {"brokers": "127.0.0.1:1"},
        "a broker's name can't be resolved": {"brokers": "boreal.invalid:9092"},
        "certificate verify failed": {"brokers": kafka.sasl_ssl_brokers, "security": login("alice", tls=True)},
        "connecting to a PLAINTEXT broker": {"security": login("alice", tls=True)},
        "mechanism handshake failed": {"brokers": kafka.brokers},
        "cuts connections off": {"brokers": kafka.sasl_ssl_brokers},
        "expects encryption or a login": {"security": {}},
        "can't be used": {"security": login("alice", tls=True, ca_file="gone.pem")},
    }
    for said, settings in troubles.items():
        told = doctor(source={**source, **settings}).told["source brokers"]
        assert told.verdict == Verdict.FAILED
        assert said in told.found


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_topics_that_are_not_there_or_closed(
    doctor: Doctor, kafka: LocalKafka, topic: Callable[..., str], source: dict[str, Any]
) -> None:
    (readable,), closed, hidden = source["topics"], topic("closed"), topic("hidden")
    kafka.allow("alice", "topic", closed, "describe")
    visit = doctor(source={**source, "topics": [readable, closed]})
    assert visit.verdicts(Verdict.FAILED) == {"right to read"}
    assert f"topic {closed}: the user has no right to the topic" in visit.told["right to read"].found
    misspelt = f"{readable[:-1]}_"
    visit = doctor(source={**source, "topics": [readable, misspelt, hidden]})
    assert visit.verdicts(Verdict.FAILED) == {"source topics"}
    assert f"{hidden}: there is no such topic, or the user has no right" in visit.told["source topics"].found
    assert f"did you mean {readable}" in visit.told["source topics"].remedy
    assert f"{readable} can be read" in visit.told["right to read"].found
    pattern = {**source, "topics": None, "pattern": "nothing-.*"}
    visit = doctor(source={key: value for key, value in pattern.items() if value is not None})
    assert visit.verdicts(Verdict.FAILED) == {"source topics"}
    assert visit.verdicts(Verdict.NOT_CHECKED) == {"right to read", "waiting messages", "newest packets", "clock"}


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_empty_topics(doctor: Doctor, kafka: LocalKafka, topic: Callable[..., str], source: Any) -> None:
    empty, closed = topic("empty"), topic("empty-closed")
    kafka.allow("alice", "topic", empty, "read", "describe")
    kafka.allow("alice", "topic", closed, "describe")
    assert "can be read" in doctor(source={**source, "topics": [empty]}).told["right to read"].found
    assert "no right to the topic" in doctor(source={**source, "topics": [closed]}).told["right to read"].found


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
@pytest.mark.parametrize(("on_expired", "verdict"), [("stop", Verdict.FAILED), ("count", Verdict.WARNING)])
def test_messages_that_expired(
    doctor: Doctor, kafka: LocalKafka, topic: Callable[..., str], source: Any, on_expired: str, verdict: Verdict
) -> None:
    name = topic("expiring")
    kafka.produce(name, *[b"x"] * 9)
    kafka.allow("alice", "topic", name, "read", "describe")
    run = RunDirectory(doctor().folder / "out")
    run.path.mkdir()
    place = f"{name}/0"
    Ledger(positions={place: Span(0, 2)}).write(run.ledger)
    source = {**source, "topics": [name], "on_expired": on_expired}
    assert (
        "7 messages wait in 1 partitions, from where the ledger ends"
        in doctor(source=source).told["waiting messages"].found
    )
    admin = kafka.admin()  # lives until the answer is there
    for deleted in admin.delete_records([TopicPartition(name, 0, 5)]).values():
        deleted.result(timeout=30)
    told = doctor(source=source).told["waiting messages"]
    assert told.verdict == verdict
    assert f"3 messages are gone from 1 partitions since the ledger ends, 3 of them from {place}" in told.found
    Ledger(positions={place: Span(0, 12)}).write(run.ledger)
    told = doctor(source=source).told["waiting messages"]
    assert told.verdict == Verdict.FAILED
    assert f"{place} ends at 9, and the ledger has read it up to 12" in told.found


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_schemas_of_the_newest_messages(
    doctor: Doctor,
    kafka: LocalKafka,
    topic: Callable[..., str],
    source: dict[str, Any],
    registry: Any,
    make_packet: Any,
    registry_server: SchemaRegistryServer,
) -> None:
    name, schema = topic("new"), "lsst.v10_0.alert"
    kafka.allow("alice", "topic", name, "read", "describe")
    kafka.produce(name, make_packet.wire(schema, _alert(make_packet, schema), 4321))
    source = {**source, "topics": [name]}
    told = doctor(source=source).told["newest packets"]
    assert told.verdict == Verdict.FAILED
    assert "no schema has the id 4321" in told.found
    registry_server.register("new-value", registry.by_name(schema).json, 4321)
    settings = {"url": registry_server.url, "timeout_seconds": 1.0}
    visit = doctor(source=source, registry=settings)
    assert visit.told["newest packets"] == Outcome(Verdict.OK, "1 alerts in the newest 1 messages: lsst 10.0")
    assert "it gives schema 4321, of new-value" in visit.told["schema registry"].found
    kafka.produce(name, b"noise")
    told = doctor(source=source, registry=settings).told["newest packets"]
    assert told.verdict == Verdict.WARNING
    assert f"{name}/0/1: unknown framing" in told.found
    registry_server.stop()
    visit = doctor(source=source, registry=settings)
    assert visit.verdicts(Verdict.FAILED) == {"newest packets", "schema registry"}
    assert "Connection refused" in visit.told["schema registry"].found


def _alert(make_packet: Any, schema: str) -> Any:
    return make_packet.record(
        schema, diaSourceId=1, diaSource={"diaSourceId": 1, "midpointMjdTai": 61000.0, "ra": 1.0, "dec": 2.0}
    )


def test_a_registry_that_refuses(doctor: Doctor, passwords: None, guarded_registry: SchemaRegistryServer) -> None:  # noqa: ARG001
    settings = {"url": guarded_registry.url, "timeout_seconds": 1.0, "ca_file": str(guarded_registry.ca_file)}
    told = doctor(registry={**settings, **login("carol", "WRONG")}).told["schema registry"]
    assert (told.verdict, "answers 401: Unauthorized" in told.found) == (Verdict.FAILED, True)
    told = doctor(registry={**settings, **login("carol", "REGISTRY"), "ca_file": None}).told["schema registry"]
    assert "check `registry.ca_file`" in told.remedy
    said = {"500": "answers 500", "404": "answers 404", "nonsense": "something that isn't", "slow": "can't be reached"}
    guarded_registry.seconds = 3.0
    for mode, words in said.items():
        guarded_registry.mode = mode  # type: ignore[assignment]
        told = doctor(registry={**settings, **login("carol", "REGISTRY")}).told["schema registry"]
        assert (mode, told.verdict) == (mode, Verdict.FAILED)
        assert words in told.found


@pytest.mark.slow
@pytest.mark.usefixtures("passwords")
def test_topics_that_deliveries_cannot_go_to(doctor: Doctor, kafka: LocalKafka, topic: Callable[..., str]) -> None:
    closed, small, missing = (
        topic("closed"),
        topic("small", config={"max.message.bytes": "1000"}),
        topic("no", partitions=0),
    )
    kafka.allow("bob", "topic", closed, "describe", "describe_configs")
    kafka.allow("bob", "topic", small, "write", "describe_configs")
    to = {"brokers": kafka.sasl_brokers, "security": login("bob"), "annotations": closed, "deadletter": small}
    visit = doctor(deliver={"kafka": {**to, "desc_classifications": missing}})
    assert visit.verdicts(Verdict.FAILED) == {"delivery topics", "right to write", "message sizes"}
    assert f"{missing} can't be made: " in visit.told["delivery topics"].found
    assert f"{closed}: the user may not write to it" in visit.told["right to write"].found
    assert f"{small} takes 1,000" in visit.told["message sizes"].found
    visit = doctor(deliver={"kafka": {**to, "desc_classifications": missing, "create_topics": False}})
    assert f"there is no topic {missing}" in visit.told["delivery topics"].found
    kafka.allow("bob", "topic", missing, "create")
    visit = doctor(deliver={"kafka": {**to, "desc_classifications": missing}})
    assert visit.told["delivery topics"].verdict == Verdict.OK
    assert missing not in kafka.admin().list_topics().topics
    copies = {"create_topics": {"replication": 3}}
    visit = doctor(deliver={"kafka": {**to, "desc_classifications": missing, **copies}})
    assert "only 1 broker(s)" in visit.told["delivery topics"].found
