"""A real Kafka broker on this machine, for tests, the demo and benchmarks."""

import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from broker.errors import RunFailedError
from broker.kafka.client import Client, partition_list
from broker.kafka.settings import Cluster
from broker.local._kafka_process import AUTHORIZER, LARGEST_MESSAGE, SETTINGS, KafkaProcess, encryption, listening
from broker.local._ports import free_ports

START_SECONDS = 60
ANSWER_SECONDS = 10


class LocalKafka:
    """A broker that listens on 127.0.0.1; used as a context, or with `start` and `stop`.

    Its ports stay the same over restarts, and its directory keeps what was written through `stop` and `kill`.
    Its process has a group of its own; on Linux it is killed when the thread that started it ends.

    Parameters
    ----------
    directory : for data, settings, certificate and log; made where missing.
    users : passwords by name, for the listeners with a log-in.
    authorize : whether users may do only what `allow` gives them. Clients of `brokers` may do everything.
    tls : whether to listen with encryption, too.
    settings : further settings of the broker, such as ``message.max.bytes``; they win.

    Attributes
    ----------
    brokers : ``host:port`` without log-in or encryption.
    sasl_brokers : with log-in, SCRAM-SHA-512.
    sasl_ssl_brokers : with log-in, SCRAM-SHA-512, and encryption; for `tls` only.
    ca_file : the authority to trust at `sasl_ssl_brokers`.
    log_file : what the broker says.
    """

    def __init__(
        self,
        directory: Path,
        *,
        users: Mapping[str, str] | None = None,
        authorize: bool = False,
        tls: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self._process = KafkaProcess(self.directory)
        self._users, self._tls = dict(users or {}), tls
        protocols = ["PLAINTEXT", "CONTROLLER", "SASL_PLAINTEXT", *(["SASL_SSL"] if tls else [])]
        ports = dict(zip(protocols, free_ports(len(protocols)), strict=True))
        self._settings = {
            **SETTINGS,
            **listening(ports),
            **(AUTHORIZER if authorize else {}),
            **(settings or {}),
        }
        self.brokers = f"127.0.0.1:{ports['PLAINTEXT']}"
        self.sasl_brokers = f"127.0.0.1:{ports['SASL_PLAINTEXT']}"
        self.sasl_ssl_brokers = f"127.0.0.1:{ports['SASL_SSL']}" if tls else ""
        self.ca_file = self.directory / "certificate.pem"
        self.log_file = self._process.log_file

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether the broker's process lives."""
        return self._process.running

    def start(self) -> None:
        """Start the broker and wait until it answers; nothing to do where it runs.

        Raises
        ------
        JavaMissingError
            If there is no Java.
        RunFailedError
            If Kafka can't be fetched, or doesn't come up; with the end of its log.
        """
        if self.running:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        tls = encryption(self.directory) if self._tls else {}
        self._process.start({**tls, **self._settings}, self._users)
        try:
            self._wait_for_an_answer()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Have the broker stop in order, and wait for that; nothing to do where it doesn't run."""
        self._process.end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the broker, as a crash would."""
        self._process.end(signal.SIGKILL)

    def create_topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Create a topic, with settings such as ``retention.ms``, and wait until it can be written to."""
        admin = self.admin()
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        admin.create_topics([new])[name].result()

        _wait_for(partial(_has_leaders, admin, name, partitions), f"the leaders of topic {name}")

    def allow(self, user: str, kind: str, name: str, *operations: str) -> None:
        """Give a user rights: ``allow("alice", "topic", "alerts-*", "read", "describe")``.

        Parameters
        ----------
        user : one of `users`.
        kind : ``topic``, ``group``, ``transactional_id``, or ``broker``, whose name is ``kafka-cluster``.
        name : with ``*`` at its end, all names that begin like this.
        operations : such as ``read``, ``write``, ``describe``, ``create``, ``all``.
        """
        admin = self.admin()
        pattern = ResourcePatternType.PREFIXED if name.endswith("*") else ResourcePatternType.LITERAL
        for operation in operations:
            right = (
                ResourceType[kind.upper()], name.removesuffix("*"), pattern, f"User:{user}", "*",
                AclOperation[operation.upper()], AclPermissionType.ALLOW,
            )  # fmt: skip
            for created in admin.create_acls([AclBinding(*right)]).values():
                created.result()
            _wait_for(partial(_has_right, admin, AclBindingFilter(*right)), f"{user}'s right to {operation} {name}")

    def produce(self, topic: str, *values: bytes | None, key: bytes | None = None, partition: int = -1) -> None:
        """Write messages, and wait until they are stored; -1 leaves the partition to the key, or to chance."""
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error:
                failed.append(error)

        producer = Producer({**self._client(), "message.max.bytes": LARGEST_MESSAGE})
        for value in values:
            producer.produce(topic, value, key, partition, on_delivery=delivered)
        producer.flush()
        if failed:
            raise KafkaException(failed[0])

    def read(self, topic: str) -> list[Message]:
        """Every committed message that the topic holds at this moment, by partition and offset.

        Raises
        ------
        RunFailedError
            If there is no such topic.
        """
        client = Client(Cluster(brokers=self.brokers))
        try:
            partitions = partition_list(client.topics(), lambda name: name == topic)
            if not partitions:
                raise RunFailedError(f"Kafka at {self.brokers} has no topic {topic}")
            spans = [(partition, client.bounds(partition)) for partition in partitions]
            return [m for partition, span in spans if span.next > span.first for m in client.read(partition, span)]
        finally:
            client.close()

    def admin(self) -> AdminClient:
        """A client that may do everything."""
        return AdminClient(self._client())

    def _client(self) -> dict[str, str | int | float | bool]:
        return {"bootstrap.servers": self.brokers, "reconnect.backoff.max.ms": 200, "log_level": 0}

    def _wait_for_an_answer(self) -> None:
        admin = self.admin()

        def answers() -> bool:
            if not self.running:
                raise RunFailedError(f"Kafka stopped; the end of {self.log_file}:\n{self._process.log_tail()}")
            with suppress(KafkaException):
                return bool(admin.list_topics(timeout=1).brokers)
            return False

        _wait_for(answers, f"an answer of Kafka, whose log is {self.log_file}", START_SECONDS)


def _has_leaders(admin: AdminClient, topic: str, partitions: int) -> bool:
    found = admin.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions.values()
    return len(found) == partitions and all(partition.leader != -1 for partition in found)


def _has_right(admin: AdminClient, right: AclBindingFilter) -> bool:
    return bool(admin.describe_acls(right).result())


def _wait_for(there: Callable[[], bool], what: str, seconds: float = ANSWER_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        if time.monotonic() > deadline:
            raise RunFailedError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)
