"""Delivery to Kafka as a configuration asks for it: topics, schema numbers, and the producer."""

from collections.abc import Sequence

import pyarrow as pa

from broker.commit import Publishing
from broker.config import Config
from broker.filters.definition import Filter
from broker.kafka.publisher import Publisher
from broker.kafka.run_settings import KafkaDelivery
from broker.kafka.topics import make_topics
from broker.outgoing.destinations import Destination, Topics, destinations
from broker.outgoing.registration import registrar
from broker.outgoing.schema_ids import id_of
from broker.run_directory import RunDirectory


class Delivery:
    """The way from annotations to topics.

    Parameters
    ----------
    config : of the run, with `deliver.kafka`.
    settings : that part of it.
    schema : the annotation columns.

    Raises
    ------
    KafkaFailedError
        If the cluster can't be reached.
    """

    def __init__(self, config: Config, settings: KafkaDelivery, schema: pa.Schema) -> None:
        self.settings, self.schema = settings, schema
        register = registrar(config.registry) if settings.register_schemas and config.registry else None
        self._id_of = id_of(RunDirectory(config.to).schemas, register)
        self._publisher = Publisher(settings, settings.max_message_bytes)

    def destinations(self, filters: Sequence[Filter]) -> tuple[Destination, ...]:
        """Every destination for these filters; topics that aren't there are made.

        Raises
        ------
        KafkaFailedError
            If a topic isn't there and can't be made.
        """
        to = self.settings
        topics = Topics(to.topic, to.annotations, to.desc_classifications, to.desc_messages)
        made = destinations(filters, self.schema, topics, self._id_of)
        make_topics(to, [*(each.topic for each in made), *to.shared_topics])
        return made

    def publishing(self, to: tuple[Destination, ...]) -> Publishing:
        """What the committer needs."""
        return Publishing(self._publisher.send, self.settings.max_message_bytes, to, self.settings.deadletter)

    def close(self) -> None:
        """Let go of the connections."""
        self._publisher.close()
