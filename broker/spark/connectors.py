"""The Java archives that Spark needs for a source."""

from pathlib import Path

from broker.java_archives import KAFKA_CONNECTOR, fetched


def connector_jars(source: str) -> list[Path]:
    """The archives for a kind of source; those of Kafka are fetched at the first start.

    Raises
    ------
    RunFailedError
        If they can't be fetched.
    """
    return sorted(fetched(KAFKA_CONNECTOR).glob("*.jar")) if source == "kafka" else []
