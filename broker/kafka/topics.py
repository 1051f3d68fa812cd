"""Topics that deliveries need: made where they aren't there, if that is allowed."""

from collections.abc import Iterable

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from broker.errors import KafkaFailedError
from broker.kafka.admin import Admin
from broker.kafka.client import TIMEOUT_SECONDS
from broker.kafka.errors import LIBRARY_LOG, explain
from broker.kafka.run_settings import KafkaDelivery
from broker.kafka.settings import librdkafka_settings, opened


def make_topics(to: KafkaDelivery, wanted: Iterable[str]) -> list[str]:
    """Make the topics that aren't there; give their names.

    Raises
    ------
    KafkaFailedError
        If one isn't there and can't, or mustn't, be made.
    """
    missing = sorted(set(wanted) - Admin(to, TIMEOUT_SECONDS).topics().keys())
    if missing and not to.create_topics:
        raise KafkaFailedError(
            f"Kafka at {to.brokers}: there is no topic {', '.join(missing)}, or the user may not see it; "
            "create it, or set `deliver.kafka.create_topics`"
        )
    if missing and to.create_topics:
        _make(to, missing)
    return missing


def _make(to: KafkaDelivery, names: list[str]) -> None:
    assert to.create_topics  # noqa: S101  # tells the type checker; the caller has looked
    partitions, copies = to.create_topics.partitions, to.create_topics.replication
    config = {"max.message.bytes": str(to.max_message_bytes + 100_000)}
    topics = [NewTopic(name, partitions, copies, config=config) for name in names]
    admin = opened(AdminClient, {**librdkafka_settings(to), "logger": LIBRARY_LOG}, to)
    for name, future in admin.create_topics(topics, request_timeout=TIMEOUT_SECONDS).items():
        try:
            future.result()
        except KafkaException as error:
            raise KafkaFailedError(explain(error.args[0], to, name)) from None
