"""The Java archives that Spark needs for a source."""

from pathlib import Path

from broker.java_archives import KAFKA_CONNECTOR, fetched, with_spark


def connector_jars(source: str) -> list[Path]:
    """The archives for a kind of source that aren't among Spark's own; those of Kafka are fetched at the first start.

    Raises
    ------
    RunFailedError
        If they can't be fetched.
    """
    if source != "kafka" or with_spark(KAFKA_CONNECTOR):
        return []
    return sorted(fetched(KAFKA_CONNECTOR).glob("*.jar"))
