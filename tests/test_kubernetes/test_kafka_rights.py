"""The topics and rights of the manifests, on a real Kafka broker: who reads and writes what, and who doesn't."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, KafkaError, Producer

from broker.checks import Verdict
from broker.config import load_config
from broker.doctor import examine
from broker.local.kafka import LocalKafka

if TYPE_CHECKING:
    from conftest import Build

pytestmark = pytest.mark.slow

STREAM, READER, OTHER = "boreal-stream", "subscriber-kilonovae", "subscriber-young-supernovae"
OWN, OTHERS = "boreal-kilonovae", "boreal-young-supernovae"
ONE_BROKER = {"min.insync.replicas": "1"}
SECONDS = 15


def constant(operation: str) -> str:
    """Strimzi's name of an operation as Kafka's client writes it: DescribeConfigs, DESCRIBE_CONFIGS."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation)


@pytest.fixture(scope="module")
def broker(builds: dict[str, "Build"], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker with the users of production, their rights, and its topics, as Strimzi's operators would make them."""
    made = builds["overlays/production"]
    users = made.of_kind("KafkaUser")
    with LocalKafka(tmp_path_factory.mktemp("kafka"), users=dict.fromkeys(users, "secret"), authorize=True) as kafka:
        for name, topic in made.of_kind("KafkaTopic").items():
            spec = topic["spec"]
            settings = {key: str(value) for key, value in spec["config"].items()}
            kafka.create_topic(spec.get("topicName", name), 1, {**settings, **ONE_BROKER})
        for name, user in users.items():
            for acl in user["spec"]["authorization"]["acls"]:
                resource = acl["resource"]
                which = resource["name"] + "*" * (resource["patternType"] == "prefix")
                kafka.allow(name, resource["type"], which, *map(constant, acl["operations"]))
        yield kafka


def login(broker: LocalKafka, user: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": broker.sasl_brokers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": "secret",
    }


def read(broker: LocalKafka, user: str, topic: str, group: str) -> bytes | int:
    """The first message, or the number of the error."""
    consumer = Consumer({**login(broker, user), "group.id": group, "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(SECONDS)
        assert message is not None, "no answer"
        error = message.error()
        return message.value() or b"" if error is None else error.code()
    finally:
        consumer.close()


def write(broker: LocalKafka, user: str, topic: str) -> int | None:
    """The number of the error, None where it was written."""
    told: list[int | None] = []
    producer = Producer({**login(broker, user), "message.timeout.ms": SECONDS * 1000})
    producer.produce(topic, b"x", on_delivery=lambda error, _: told.append(error.code() if error else None))
    producer.flush(SECONDS)
    return told[0]


def test_a_subscriber_reads_its_topic_in_a_group_of_its_own(broker: LocalKafka) -> None:
    broker.produce(OWN, b"an alert")
    assert read(broker, READER, OWN, f"{OWN}.reader") == b"an alert"


def test_a_subscriber_reads_no_other_topic(broker: LocalKafka) -> None:
    for topic in (OTHERS, "boreal-annotations", "lsst-alerts-v10"):
        assert read(broker, READER, topic, f"{OWN}.reader") == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_subscriber_joins_no_group_of_another(broker: LocalKafka) -> None:
    for group in (f"{OTHERS}.reader", OWN, "boreal"):
        assert read(broker, READER, OWN, group) == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_a_subscriber_writes_nothing(broker: LocalKafka) -> None:
    assert write(broker, READER, OWN) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_the_stream_writes_what_it_delivers_and_no_alert(broker: LocalKafka) -> None:
    assert write(broker, STREAM, OWN) is None
    assert write(broker, STREAM, "boreal-annotations") is None
    assert write(broker, STREAM, "lsst-alerts-v10") == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_the_doctor_finds_nothing_wrong_with_the_streams_rights(
    broker: LocalKafka, builds: dict[str, "Build"], tmp_path: Path
) -> None:
    text = builds["overlays/production"].config_text("boreal-run", "run.yaml")
    (tmp_path / "password").write_text("secret")
    replaced = {
        "boreal-kafka-bootstrap:9093": broker.sasl_brokers,
        "/run/secrets/boreal/kafka-user/password": str(tmp_path / "password"),
        "    tls: true\n": "",
        "to: /var/lib/boreal/run": f"to: {tmp_path / 'run'}",
        "filters: /etc/boreal/filters": f"filters: {Path(__file__).parents[2] / 'k8s' / 'subscribers' / 'filters'}",
    }
    for before, after in replaced.items():
        assert before in text
        text = text.replace(before, after)
    text = re.sub(r" *ca_file: .*\n|  path: s3:.*\n|  options: .*\n|metrics: .*\n|  {2}tls: true\n", "", text)
    (tmp_path / "run.yaml").write_text(text)
    told = {result.check: result.outcome for result in examine(load_config(tmp_path / "run.yaml"))}
    asked = ("source brokers", "source topics", "right to read", "delivery topics", "right to write", "message sizes")
    assert {name: told[name].verdict for name in asked} == dict.fromkeys(asked, Verdict.OK)
