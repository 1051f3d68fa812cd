"""The broker that other tests trust: what is written stays, and nobody gets in who shouldn't."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from broker.errors import JavaMissingError, RunFailedError
from broker.java_archives import KAFKA_BROKER, fetched
from broker.local._tls import certificate
from broker.local.kafka import LocalKafka

pytestmark = pytest.mark.slow

PATIENCE = 10
NOBODY_THERE = {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}


def login(user: str, password: str, **more: str) -> dict[str, str | int]:
    return {
        "security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "SCRAM-SHA-512", "log_level": 0,
        "sasl.username": user, "sasl.password": password, **more,
    }  # fmt: skip


def write(config: dict[str, str | int], topic: str, value: bytes = b"x") -> KafkaError | None:
    """Write one message, and return what went wrong."""
    errors: list[KafkaError | None] = []
    producer = Producer(config)
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(PATIENCE) == 0
    return errors[0]


def client_error(config: dict[str, str | int], but: Collection[int] = ()) -> int:
    """The first error that a client meets; a connection that breaks off may come before what it broke off for."""
    met: list[int] = []
    admin = AdminClient({**config, "error_cb": lambda error: met.append(error.code())})
    deadline = time.monotonic() + PATIENCE
    while not set(met) - set(but) and time.monotonic() < deadline:
        admin.poll(0.1)
    return next(code for code in met if code not in but)


def test_what_is_written_is_read_in_the_order_of_its_partition(kafka: LocalKafka, topic: Callable[..., str]) -> None:
    name = topic(partitions=2)
    kafka.produce(name, b"a", b"b", key=b"k", partition=1)
    kafka.produce(name, b"c", None, partition=0)
    assert [(m.partition(), m.offset(), m.key(), m.value()) for m in kafka.read(name)] == [
        (0, 0, None, b"c"), (0, 1, None, None), (1, 0, b"k", b"a"), (1, 1, b"k", b"b"),
    ]  # fmt: skip


def test_an_alert_of_megabytes_fits_and_the_setting_of_a_topic_holds(
    kafka: LocalKafka, topic: Callable[..., str]
) -> None:
    large = os.urandom(15_000_000)
    name, small = topic(), topic(config={"max.message.bytes": "1000"})
    kafka.produce(name, large)
    assert [message.value() for message in kafka.read(name)] == [large]
    with pytest.raises(KafkaException) as refused:
        kafka.produce(small, large)
    assert refused.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_a_topic_is_not_made_by_writing_to_it(kafka: LocalKafka, topic: Callable[..., str]) -> None:
    config = {"bootstrap.servers": kafka.brokers, "topic.metadata.propagation.max.ms": 100}
    missing = topic(partitions=0)
    error = write(config, missing)
    assert error is not None
    assert error.code() in {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}
    with pytest.raises(RunFailedError, match=f"has no topic {missing}"):
        kafka.read(missing)


def test_a_user_does_what_was_allowed_and_nothing_else(kafka: LocalKafka, topic: Callable[..., str]) -> None:
    open_to_alice, closed = topic("open"), topic("closed")
    kafka.allow("alice", "topic", "open-*", "write", "describe")
    config = login("alice", "alice-secret", **{"bootstrap.servers": kafka.sasl_brokers})
    assert write(config, open_to_alice) is None
    assert len(kafka.read(open_to_alice)) == 1
    for refused in (
        write(config, closed),
        write(login("bob", "bob-secret", **{"bootstrap.servers": kafka.sasl_brokers}), open_to_alice),
    ):
        assert refused is not None
        assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_wrong_password_is_refused(kafka: LocalKafka) -> None:
    config = login("alice", "bob-secret", **{"bootstrap.servers": kafka.sasl_brokers})
    assert client_error(config, but=NOBODY_THERE) == KafkaError._AUTHENTICATION


def test_encryption_is_with_the_certificate_of_the_broker(kafka: LocalKafka, tmp_path: Path) -> None:
    config = login("alice", "alice-secret", **{"bootstrap.servers": kafka.sasl_ssl_brokers})
    config |= {"security.protocol": "SASL_SSL", "ssl.ca.location": str(kafka.ca_file)}
    assert AdminClient(config).list_topics(timeout=PATIENCE).brokers
    other = {**config, "ssl.ca.location": str(certificate(tmp_path).public)}
    assert client_error(other, but=NOBODY_THERE) == KafkaError._SSL


def test_data_and_ports_stay_over_a_stop_and_a_kill(tmp_path: Path) -> None:
    with LocalKafka(tmp_path) as kafka:
        kafka.create_topic("kept")
        kafka.produce("kept", b"1")
        for end in (kafka.stop, kafka.kill):
            end()
            assert not kafka.running
            assert client_error({"bootstrap.servers": kafka.brokers, "log_level": 0}) in NOBODY_THERE
            kafka.start()
            kafka.produce("kept", b"2")
        assert [message.value() for message in kafka.read("kept")] == [b"1", b"2", b"2"]


def test_a_broker_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(RunFailedError, match=r"(?s)Kafka (stopped|can't use).*num.io.threads"):
        LocalKafka(tmp_path, settings={"num.io.threads": "many"}).start()


STARTER = """
import sys, time
from pathlib import Path
from broker.local.kafka import LocalKafka
kafka = LocalKafka(Path(sys.argv[1]))
kafka.start()
print(kafka.brokers, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to the one that started it")
def test_the_broker_ends_with_a_killed_starter(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as starter:
        assert starter.stdout
        brokers = starter.stdout.readline().strip()
        os.killpg(starter.pid, signal.SIGKILL)
    assert client_error({"bootstrap.servers": brokers, "log_level": 0}) in NOBODY_THERE


def test_without_java_or_a_repository_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho '::::  ERRORS: no route to the repository'; exit 1\n")
    java.chmod(0o755)
    cache = tmp_path / "cache"
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(JavaMissingError, match="openjdk-17"):
        fetched(KAFKA_BROKER, cache)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/bin")
    with pytest.raises(RunFailedError, match=r"(?s)Maven repository.*no route"):
        fetched(KAFKA_BROKER, cache)
    assert [path.name for path in cache.iterdir()] == [".kafka-4.2.0.lock"]


ONE_FETCH = """#!/bin/sh
echo fetched >> {count}
for last; do :; done
mkdir -p "${{last%/*}}" && sleep 0.3 && touch "${{last%/*}}/kafka_2.13-4.2.0.jar"
"""


def test_two_processes_fetch_once(tmp_path: Path) -> None:
    java, count, cache = tmp_path / "bin" / "java", tmp_path / "count", tmp_path / "cache"
    java.parent.mkdir()
    java.write_text(ONE_FETCH.format(count=count))
    java.chmod(0o755)
    code = "from broker.java_archives import KAFKA_BROKER, fetched; print(*fetched(KAFKA_BROKER).iterdir())"
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "JAVA_HOME": str(tmp_path), "BOREAL_CACHE": str(cache)}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {process.communicate()[0].strip() for process in both}
    assert answers == {str(cache / "kafka-4.2.0" / "kafka_2.13-4.2.0.jar")}
    assert count.read_text().split() == ["fetched"]
