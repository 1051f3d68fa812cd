"""What the checks look at. What more than one of them needs is asked for once."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from confluent_kafka import Message

from broker.annotate import schema_for
from broker.books.ledger import Ledger, Span
from broker.config import Config, RegistryServer
from broker.errors import KafkaFailedError
from broker.filters.definition import Filter, filter_files
from broker.filters.read import read_filters
from broker.findings import Finding
from broker.kafka.admin import TIMEOUT_SECONDS, Admin
from broker.kafka.client import Client, partition_list
from broker.kafka.run_settings import KafkaDelivery, KafkaSource
from broker.run_directory import RunDirectory
from classifiers.bundle import Bundle, default_bundle_path

NEWEST = 3
"""Messages that are looked at of a partition."""

PARTITIONS = 4
"""Partitions of a topic whose messages are looked at."""


class Subject:
    """A configuration, and what it leads to.

    Parameters
    ----------
    config : of the run.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.run = RunDirectory(config.to)

    @property
    def source(self) -> KafkaSource:
        """The source, for checks that apply to Kafka alone."""
        if not isinstance(self.config.source, KafkaSource):
            raise TypeError(f"the source is a {self.config.source.kind}")
        return self.config.source

    @property
    def delivery(self) -> KafkaDelivery:
        """The delivery, for checks that apply to Kafka alone."""
        if self.config.deliver.kafka is None:
            raise TypeError("nothing is delivered to Kafka")
        return self.config.deliver.kafka

    @property
    def registry(self) -> RegistryServer:
        """The schema registry, for checks that apply where there is one."""
        if self.config.registry is None:
            raise TypeError("there is no registry")
        return self.config.registry

    @property
    def bundle_path(self) -> Path:
        """The directory of the model bundle."""
        return self.config.bundle or default_bundle_path()

    @cached_property
    def bundle(self) -> Bundle:
        """The model bundle, with its files checked and its parts loaded."""
        return Bundle.load(self.bundle_path)

    @cached_property
    def shadow(self) -> Bundle:
        """The bundle of the shadow, for checks that apply where there is one."""
        if self.config.shadow is None:
            raise TypeError("there is no shadow")
        return Bundle.load(self.config.shadow.bundle)

    @property
    def annotation_columns(self) -> pa.Schema:
        """What filters may use."""
        return schema_for(self.bundle.manifest, explained=self.config.explain > 0)

    @cached_property
    def filters(self) -> tuple[tuple[Filter, ...], Sequence[Finding]]:
        """The filters without errors, and what is wrong or doubtful in any."""
        folder = self.config.filters
        return read_filters(filter_files(folder), self.annotation_columns) if folder else ((), [])

    @cached_property
    def ledger(self) -> Ledger:
        """The books."""
        return Ledger.read(self.run.ledger)

    @cached_property
    def source_admin(self) -> Admin:
        """Asks the source's cluster."""
        return Admin(self.source)

    @cached_property
    def visible(self) -> Mapping[str, int]:
        """The topics of the source's cluster, and their numbers of partitions."""
        return self.source_admin.topics()

    @property
    def source_topics(self) -> Sequence[str]:
        """Those of them that the run reads."""
        return [name for name in self.visible if self.source.wants(name)]

    @cached_property
    def bounds(self) -> Mapping[str, Span]:
        """First and next offset of every partition that the run reads."""
        return self.source_admin.bounds(partition_list(self.visible, self.source.wants))

    @cached_property
    def newest(self) -> Mapping[str, Sequence[Message] | KafkaFailedError]:
        """The newest messages of each topic that the run reads, or why there are none to be had."""
        client = Client(self.source, self.source.group_prefix, TIMEOUT_SECONDS)
        try:
            return {name: self._read(client, name) for name in self.source_topics}
        finally:
            client.close()

    @cached_property
    def delivery_admin(self) -> Admin:
        """Asks the cluster that is delivered to."""
        return Admin(self.delivery)

    @cached_property
    def delivery_visible(self) -> Mapping[str, int]:
        """The topics there, and their numbers of partitions."""
        return self.delivery_admin.topics()

    @property
    def delivery_topics(self) -> Mapping[str, str]:
        """Every topic that is delivered to, and for what: a filter, or everybody."""
        filters, _ = self.filters
        own = {self.delivery.topic.replace("{filter}", each.name): f"filter {each.name}" for each in filters}
        return own | dict.fromkeys(self.delivery.shared_topics, "everybody")

    def _read(self, client: Client, topic: str) -> Sequence[Message] | KafkaFailedError:
        """An empty partition is asked for the message that comes next: who may not read is told so."""
        bounds = {name: self.bounds[name] for name in partition_list({topic: self.visible[topic]}, self.source.wants)}
        filled = [name for name, span in bounds.items() if span.next > span.first]
        messages: list[Message] = []
        try:
            for name in filled[:PARTITIONS] or list(bounds)[:1]:
                first, following = bounds[name]
                messages += client.read(name, Span(max(first, following - NEWEST), following))
        except KafkaFailedError as error:
            return error
        return messages
