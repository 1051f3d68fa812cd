"""Messages to Kafka: idempotent, and none is done before every broker that must have it has it."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from broker.errors import KafkaFailedError
from broker.kafka.errors import LIBRARY_LOG, LOGIN_FAILED, explain
from broker.kafka.settings import Cluster, librdkafka_settings, opened

LOG = logging.getLogger(__name__)

PATIENCE_SECONDS = 300
"""A broker that is away for less is waited for."""

_SETTINGS = {
    "enable.idempotence": "true",
    "acks": "all",
    "compression.type": "zstd",
    # A micro-batch is sent at once, so a message waits for company for no longer than this.
    "linger.ms": "20",
    "delivery.timeout.ms": str(PATIENCE_SECONDS * 1000),
    "statistics.interval.ms": "0",
    # No news is good news: once all are sent, those of which nothing was heard have arrived.
    "delivery.report.only.error": True,
}

Headers = list[tuple[str, str | bytes | None]]


class Publisher:
    """Sends to one cluster.

    Parameters
    ----------
    cluster : where to.
    max_message_bytes : the most bytes that a message may have.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be, or an option isn't one of librdkafka's.
    """

    def __init__(self, cluster: Cluster, max_message_bytes: int) -> None:
        self.cluster = cluster
        settings = {
            **librdkafka_settings(cluster),
            **_SETTINGS,
            # Keys and headers take a little beside the value.
            "message.max.bytes": str(max_message_bytes + 100_000),
            **cluster.options,
            "error_cb": self._on_error,
            "logger": LIBRARY_LOG,
        }
        self._producer = opened(Producer, settings, cluster)
        self._failure: tuple[KafkaError, str] | None = None
        self._warned = False

    def send(self, messages: pa.Table) -> Mapping[str, int]:
        """Send rows of `broker.outgoing.outbox.OUTGOING`; return when Kafka has all of them.

        Returns
        -------
        counts : messages by topic.

        Raises
        ------
        KafkaFailedError
            If Kafka refuses a message, or doesn't answer for `PATIENCE_SECONDS`.
        """
        self._failure, self._warned = None, False
        topic = ""
        try:
            for batch in messages.to_batches(max_chunksize=1000):
                for topic, value, key, headers in _rows(batch):
                    self._produce(topic, value, key, headers)
                self._producer.poll(0)
            topic = ""
            while self._producer.flush(1.0) and not self._failure:
                pass
        except (KafkaException, SystemError) as error:
            raise self._explained(error, topic) from None
        if self._failure:
            error, topic = self._failure
            self._producer.purge()
            raise KafkaFailedError(explain(error, self.cluster, topic))
        return Counter(messages["topic"].to_pylist())

    def _produce(self, topic: str, value: bytes, key: str, headers: Headers) -> None:
        while not self._failure:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=self._on_delivery)
            except BufferError:  # the queue is full: wait for some to be sent
                self._producer.poll(0.1)
            else:
                return

    def _explained(self, error: KafkaException | SystemError, topic: str) -> Exception:
        """An error in words; a fatal one is raised by whatever call it comes up in, perhaps as the cause of another."""
        found = _told(error)
        if found is None:
            return error
        if found.code() == KafkaError._FATAL:  # noqa: SLF001  # it says no more than that there is another
            found = self._fatal() or found
        return KafkaFailedError(explain(found, self.cluster, topic))

    def _fatal(self) -> KafkaError | None:
        """The fatal error that the producer hasn't raised yet."""
        try:
            self._producer.poll(1.0)
        except (KafkaException, SystemError) as error:
            return _told(error)
        return None

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = (error, message.topic() or "")

    def _on_error(self, error: KafkaError) -> None:
        """What isn't about one message: brokers that are away come back, or the messages' own time runs out."""
        if error.code() in LOGIN_FAILED:
            self._failure = self._failure or (error, "")
        elif error.code() != KafkaError._ALL_BROKERS_DOWN and not self._warned:  # noqa: SLF001  # librdkafka's own code
            self._warned = True
            LOG.warning(
                "Kafka at %s: %s; it is waited for, at most %d s", self.cluster.brokers, error.str(), PATIENCE_SECONDS
            )

    def close(self) -> None:
        """Let go of the connections; what isn't sent is in the outbox."""
        self._producer.purge()
        self._producer.flush(5)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[str, bytes, str, Headers]]:
    """Topic, value, key and headers of each message; taken by columns, which costs half of what rows do."""
    columns: list[list[Any]] = [batch[name].to_pylist() for name in ("topic", "value", "key")]
    return zip(*columns, _headers(batch["headers"]), strict=True)


def _headers(column: pa.MapArray) -> Iterator[Headers]:
    offsets = column.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    keys, items = (part[first:last].to_pylist() for part in (column.keys, column.items))
    for start, end in pairwise(offsets):
        here = slice(start - first, end - first)
        yield list(zip(keys[here], items[here], strict=True))


def _told(error: KafkaException | SystemError) -> KafkaError | None:
    """Kafka's error in an exception."""
    found = error if isinstance(error, KafkaException) else error.__cause__
    return found.args[0] if isinstance(found, KafkaException) else None
