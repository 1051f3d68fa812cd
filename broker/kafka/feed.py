"""Packets to a topic at an even pace."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from broker.errors import KafkaFailedError
from broker.kafka.client import Client
from broker.kafka.errors import LIBRARY_LOG, explain
from broker.kafka.settings import Cluster, librdkafka_settings
from broker.sources.files import LARGEST_PACKET
from broker.sources.gathered import Packet

PATIENCE_SECONDS = 60
"""A broker that is away for less is waited for."""

_SETTINGS = {
    "enable.idempotence": "true",
    "acks": "all",
    # As LSST's own producer sends them (lsst/ap_association, packageAlerts.py): about half the bytes.
    "compression.type": "snappy",
    # The topic's limit holds for a batch, so a batch of several could be refused where each packet isn't.
    "batch.num.messages": "1",
    "queue.buffering.max.messages": "500",
    "message.max.bytes": str(LARGEST_PACKET + 100_000),
    "delivery.timeout.ms": str(PATIENCE_SECONDS * 1000),
}


@dataclass(frozen=True)
class Fed:
    """What was sent.

    Parameters
    ----------
    packets, size : their number, and their bytes.
    seconds : from the first until Kafka had all of them.
    """

    packets: int
    size: int
    seconds: float

    @property
    def rate(self) -> float:
        """Packets per second."""
        return self.packets / max(self.seconds, 1e-9)


class Feed:
    """Sends packets to one topic, as they are and without a key; used as a context.

    Parameters
    ----------
    cluster, topic : where to.

    Raises
    ------
    KafkaFailedError
        If the cluster can't be reached, refuses the login, or has no such topic.
    WrongInputError
        If the password isn't where it should be.
    """

    def __init__(self, cluster: Cluster, topic: str) -> None:
        self.cluster, self.topic = cluster, topic
        _check_topic(cluster, topic)
        settings = {**librdkafka_settings(cluster), **_SETTINGS, **cluster.options}
        self._producer = Producer({**settings, "logger": LIBRARY_LOG})
        self._failure: str | None = None
        self._packets = self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.purge()
        self._producer.flush(5)

    def send(self, packets: Iterable[Packet], rate: float | None, on_sent: Callable[[int], None]) -> Fed:
        """Send packets and wait until Kafka has them.

        Parameters
        ----------
        packets : origins and payloads; the origin isn't sent.
        rate : packets per second, evenly; as fast as may be if None. A packet that is late goes out at once, and the
            next ones in their own time, so that a pause is caught up with.
        on_sent : told of each packet handed over how many there are.

        Raises
        ------
        KafkaFailedError
            If Kafka refuses a packet, or doesn't answer for `PATIENCE_SECONDS`.
        """
        started = time.monotonic()
        self._packets = self._size = 0
        for origin, payload in packets:
            if rate:
                self._wait_until(started + self._packets / rate)
            self._produce(origin, payload)
            on_sent(self._packets)
        while self._producer.flush(1.0):
            self._check()
        self._check()
        return Fed(self._packets, self._size, time.monotonic() - started)

    def _wait_until(self, due: float) -> None:
        while (left := due - time.monotonic()) > 0:
            self._producer.poll(min(left, 0.5))
            self._check()

    def _produce(self, origin: str, payload: bytes) -> None:
        on_delivery = partial(self._on_delivery, f"{origin} ({len(payload):,} bytes)")
        while True:
            try:
                self._producer.produce(self.topic, payload, on_delivery=on_delivery)
            except BufferError:  # the queue is full: wait for some to be sent
                self._producer.poll(0.1)
                self._check()
            except KafkaException as error:
                raise KafkaFailedError(self._told(f"{origin} ({len(payload):,} bytes)", error.args[0])) from None
            else:
                self._packets += 1
                self._size += len(payload)
                self._producer.poll(0)
                return self._check()

    def _on_delivery(self, what: str, error: KafkaError | None, _: Message) -> None:
        if error and self._failure is None:
            self._failure = self._told(what, error)

    def _told(self, what: str, error: KafkaError) -> str:
        return f"{what} wasn't sent. {explain(error, self.cluster, self.topic)}"

    def _check(self) -> None:
        if self._failure:
            raise KafkaFailedError(self._failure)


def _check_topic(cluster: Cluster, topic: str) -> None:
    client = Client(cluster)
    try:
        topics = client.topics()
    finally:
        client.close()
    if topic not in topics:
        raise KafkaFailedError(
            f"Kafka at {cluster.brokers}: there is no topic {topic}, or the user may not see it; create it first. "
            f"Topics here: {', '.join(topics) or 'none'}"
        )
