"""What `boreal doctor` checks: one small function a check."""

from broker.checks import delivery, machine, metrics, model, offsets, packets, registry, results, source, store
from broker.checks.check import Check, Outcome, Verdict
from broker.config import Config, DirectorySource
from broker.kafka.run_settings import KafkaSource
from broker.object_store import is_address

__all__ = ["CHECKS", "Check", "Outcome", "Verdict"]


def _reads_files(config: Config) -> bool:
    return isinstance(config.source, DirectorySource)


def _reads_kafka(config: Config) -> bool:
    return isinstance(config.source, KafkaSource)


def _delivers(config: Config) -> bool:
    return config.deliver.kafka is not None


def _has_shadow(config: Config) -> bool:
    return config.shadow is not None


def _has_registry(config: Config) -> bool:
    return config.registry is not None


def _has_metrics(config: Config) -> bool:
    return config.metrics is not None


def _keeps_table_in_store(config: Config) -> bool:
    return config.table.path is not None and is_address(config.table.path)


CHECKS = (
    Check("Java", machine.java_version),
    Check("Spark's connector", machine.connector, applies=_reads_kafka),
    Check("model bundle", model.bundle),
    Check("filters", model.filters, ("model bundle",)),
    Check("shadow bundle", model.shadow, ("model bundle",), _has_shadow),
    Check("results directory", results.directory),
    Check("disk", machine.disk),
    Check("metrics port", metrics.port, applies=_has_metrics),
    Check("ledger", results.ledger),
    Check("checkpoint", results.checkpoint),
    Check("object store", store.store, applies=_keeps_table_in_store),
    Check("annotation table", results.table, ("object store",)),
    Check("undelivered", results.outbox),
    Check("dead letters", results.deadletter),
    Check("source directory", source.directory, applies=_reads_files),
    Check("source password", machine.password(lambda s: s.source.security.password), applies=_reads_kafka),
    Check("source brokers", source.brokers, ("source password",), _reads_kafka),
    Check("source topics", source.topics, ("source brokers",), _reads_kafka),
    Check("right to read", source.rights, ("source brokers",), _reads_kafka),
    Check("waiting messages", offsets.waiting, ("source brokers", "ledger"), _reads_kafka),
    Check("newest packets", packets.newest, ("right to read",), _reads_kafka),
    Check("clock", packets.clock, ("right to read",), _reads_kafka),
    Check("registry password", machine.password(lambda s: s.registry.password), applies=_has_registry),
    Check("schema registry", registry.answers, ("registry password",), _has_registry),
    Check("delivery password", machine.password(lambda s: s.delivery.security.password), applies=_delivers),
    Check("delivery brokers", delivery.brokers, ("delivery password",), _delivers),
    Check("delivery options", delivery.options, ("delivery password",), _delivers),
    Check("delivery topics", delivery.topics, ("delivery brokers", "model bundle"), _delivers),
    Check("right to write", delivery.rights, ("delivery brokers", "model bundle"), _delivers),
    Check("message sizes", delivery.sizes, ("delivery brokers", "model bundle"), _delivers),
)
"""Every check, after those that it needs."""
