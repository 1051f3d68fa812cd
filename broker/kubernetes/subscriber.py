"""From a filter to its subscriber's topic and user, as Strimzi wants them."""

from dataclasses import dataclass
from typing import Any

from broker.filters.definition import Filter
from broker.kafka.run_settings import FILTER_PLACE, KafkaDelivery
from broker.kubernetes.names import object_name

API = "kafka.strimzi.io/v1"

PARTITIONS, REPLICAS, IN_SYNC = 3, 3, 2
KEEP_MS = 7 * 24 * 3600 * 1000
"""A subscriber may be away for a week."""

READ_BYTES, REQUEST_PERCENT = 10 * 2**20, 25
"""What a subscriber may take of each broker: bytes a second, and time of its request threads."""

OVERHEAD_BYTES = 100_000
"""What a topic takes beyond the largest message: its key, its headers, its batch."""


@dataclass(frozen=True)
class Delivering:
    """What all subscribers have in common.

    Parameters
    ----------
    kafka : how the stream delivers.
    cluster : Strimzi's name of the Kafka cluster.
    """

    kafka: KafkaDelivery
    cluster: str = "boreal"


def topic_name(name: str, to: Delivering) -> str:
    """Kafka's name of the topic of the filter of that name."""
    return to.kafka.topic.replace(FILTER_PLACE, name)


def group_prefix(name: str, to: Delivering) -> str:
    """What the names of the subscriber's consumer groups begin with: the topic and a dot.

    A filter's name has no dot, so none of these is the beginning of another's.
    """
    return f"{topic_name(name, to)}."


def topic_object(each: Filter, to: Delivering) -> dict[str, Any]:
    """The `KafkaTopic`."""
    topic = topic_name(each.name, to)
    return {
        "apiVersion": API,
        "kind": "KafkaTopic",
        "metadata": {"name": object_name(topic), **_told(each, to)},
        "spec": {
            "topicName": topic,
            "partitions": PARTITIONS,
            "replicas": REPLICAS,
            "config": {
                "max.message.bytes": to.kafka.max_message_bytes + OVERHEAD_BYTES,
                "min.insync.replicas": IN_SYNC,
                "retention.ms": KEEP_MS,
            },
        },
    }


def user_object(each: Filter, to: Delivering) -> dict[str, Any]:
    """The `KafkaUser`: may read the filter's topic in groups of its own, and nothing else."""
    topic = {"type": "topic", "name": topic_name(each.name, to), "patternType": "literal"}
    group = {"type": "group", "name": group_prefix(each.name, to), "patternType": "prefix"}
    return {
        "apiVersion": API,
        "kind": "KafkaUser",
        "metadata": {"name": f"subscriber-{each.name}", **_told(each, to)},
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {
                "type": "simple",
                "acls": [
                    {"resource": topic, "operations": ["Describe", "Read"]},
                    {"resource": group, "operations": ["Read"]},
                ],
            },
            "quotas": {"consumerByteRate": READ_BYTES, "requestPercentage": REQUEST_PERCENT},
            "template": {"secret": {"metadata": {"annotations": _owner(each)}}},
        },
    }


def _told(each: Filter, to: Delivering) -> dict[str, dict[str, str]]:
    labels = {
        "app.kubernetes.io/component": "subscriber",
        "app.kubernetes.io/part-of": "boreal",
        "boreal/filter": each.name,
        "strimzi.io/cluster": to.cluster,
    }
    return {"labels": labels, "annotations": _owner(each)}


def _owner(each: Filter) -> dict[str, str]:
    """Who gets what is delivered, and the password."""
    return {"boreal/owner": each.owner}
