"""What is in a cluster's topics: partitions, their first and last offsets, and single messages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from broker.books.ledger import Span
from broker.errors import KafkaFailedError
from broker.kafka.admin import Admin
from broker.kafka.errors import LIBRARY_LOG, explain
from broker.kafka.settings import Cluster, librdkafka_settings, opened
from broker.sources.kafka import split_partition

TIMEOUT_SECONDS = 15.0
SAMPLE = 20
"""Messages looked at, of each partition, to tell their size."""

_TELLING = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE)  # noqa: SLF001  # librdkafka's own codes


@dataclass
class Client:
    """A connection that looks and reads, and leaves no trace in the cluster: no offset is committed, no group joined.

    Parameters
    ----------
    cluster : what to reach.
    group : a consumer group's name, which Kafka asks for.
    timeout : seconds that one question may take.
    """

    cluster: Cluster
    group: str = "boreal"
    timeout: float = TIMEOUT_SECONDS
    _told: list[KafkaError] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = {
            **librdkafka_settings(self.cluster),
            "group.id": self.group,
            "enable.auto.commit": "false",
            "enable.partition.eof": "true",
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "error_cb": self._told.append,
            "logger": LIBRARY_LOG,
        }
        self._consumer = opened(Consumer, settings, self.cluster)

    def topics(self) -> Mapping[str, int]:
        """Every topic that the user may see, and its number of partitions; Kafka's own left out."""
        return Admin(self.cluster, self.timeout).topics()

    def bounds(self, partition: str) -> Span:
        """The first offset that is still there of a ``topic/number``, and the next that will be written."""
        with self._explained(partition):
            low, high = self._consumer.get_watermark_offsets(_place(partition), timeout=self.timeout)
        return Span(low, high)

    def read(self, partition: str, span: Span) -> Iterator[Message]:
        """The messages at these offsets that are still there."""
        with self._explained(partition):
            self._consumer.assign([_place(partition, span.first)])
            try:
                yield from self._until(span.next)
            finally:
                self._consumer.unassign()

    def mean_bytes(self, partitions: Sequence[str]) -> float | None:
        """The mean size of the newest messages; None where there are none."""
        sizes = []
        for partition in partitions:
            low, high = self.bounds(partition)
            span = Span(max(low, high - SAMPLE), high)
            sizes += [len(message.value() or b"") for message in self.read(partition, span)] if high > low else []
        return sum(sizes) / len(sizes) if sizes else None

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def _until(self, end: int) -> Iterator[Message]:
        while True:
            message = self._consumer.poll(self.timeout)
            if message is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001
            error, offset = message.error(), message.offset() or 0
            if error is None:
                if offset < end:
                    yield message
                if offset + 1 >= end:
                    return
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001
                if offset >= end:  # the last offsets may be those of marks and of messages that were compacted away
                    return
            elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # no group is used, so no right to it is needed
                raise KafkaException(error)

    @contextmanager
    def _explained(self, partition: str = "") -> Iterator[None]:
        """Errors in words; a login that was refused shows only as a silence, so what was told beside it counts."""
        try:
            yield
        except KafkaException as error:
            self._consumer.poll(0)  # what was told beside it comes only now
            telling = [told for told in self._told if told.code() in _TELLING]
            topic = split_partition(partition)[0] if partition else ""
            raise KafkaFailedError(explain((telling or [error.args[0]])[-1], self.cluster, topic)) from None


def partition_list(topics: Mapping[str, int], wanted: Callable[[str], bool]) -> list[str]:
    """``topic/number`` of every partition of the topics that are wanted."""
    return [f"{name}/{number}" for name, count in sorted(topics.items()) if wanted(name) for number in range(count)]


def _place(partition: str, offset: int | None = None) -> TopicPartition:
    topic, number = split_partition(partition)
    return TopicPartition(topic, number) if offset is None else TopicPartition(topic, number, offset)
