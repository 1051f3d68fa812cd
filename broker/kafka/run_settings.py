"""What a run asks of Kafka: where it reads, and where it delivers."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from broker._validation import Strict
from broker.kafka.settings import Cluster

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
FILTER_PLACE = "{filter}"

Count = Annotated[int, Field(gt=0)]


def _is_a_topic(name: str) -> str:
    if not _TOPIC.fullmatch(name) or name in (".", ".."):
        raise ValueError(f"{name!r} can't be a topic: use letters, digits, dots, - and _, at most 249 in all")
    return name


class KafkaSource(Cluster):
    """Packets in the messages of Kafka topics.

    Parameters
    ----------
    topics : their names.
    pattern : instead of names, a regular expression that whole names must match; topics that come later are found, too.
    group_prefix : beginning of the consumer group's name; a cluster may ask that it is the user's name.
    start : where to begin reading what was never read: ``earliest`` or ``latest``.
    max_messages_per_batch : the most messages that one micro-batch takes.
    max_bytes_per_batch : about the most bytes that one takes, by the mean size of the messages so far.
    on_expired : what to do when messages are gone before they were read: ``stop``, or ``count`` them as skipped and go
        on.
    """

    kind: Literal["kafka"]
    topics: Annotated[list[str], Field(min_length=1)] | None = None
    pattern: str | None = None
    group_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")] = "boreal"
    start: Literal["earliest", "latest"] = "earliest"
    max_messages_per_batch: Count = 4000
    max_bytes_per_batch: Count = 500_000_000
    on_expired: Literal["stop", "count"] = "stop"

    @model_validator(mode="after")
    def _names_topics_once(self) -> Self:
        if (self.topics is None) == (self.pattern is None):
            raise ValueError("give one of `topics` (a list of names) and `pattern` (a regular expression)")
        return self

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str] | None) -> list[str] | None:
        return None if topics is None else [_is_a_topic(name) for name in topics]

    @field_validator("pattern")
    @classmethod
    def _is_an_expression(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"{pattern!r} isn't a regular expression: {error}") from None
        return pattern

    def wants(self, topic: str) -> bool:
        """Whether a topic is read."""
        return topic in self.topics if self.topics else bool(re.fullmatch(self.pattern or "", topic))


class NewTopics(Strict):
    """How topics are made that aren't there.

    Parameters
    ----------
    partitions : of each.
    replication : copies of each message.
    """

    partitions: Count = 1
    replication: Count = 1


class KafkaDelivery(Cluster):
    """Deliveries in Kafka topics.

    Parameters
    ----------
    topic : the name of a subscriber's topic; ``{filter}`` stands for the filter's name.
    annotations : topic that gets every annotated alert, whole; none if left out.
    deadletter : topic that gets what could not be annotated; none if left out.
    desc_classifications : topic that gets a DESC `brokerClassification` of every alert; none if left out.
    desc_messages : topic that gets a DESC `BrokerMessage` of every LSST 10.0 alert; none if left out.
    register_schemas : tell the schemas of these messages to the `registry`, which gives them their numbers; where
        false, numbers are made from the schemas, which lie in the folder ``schemas`` of the results.
    create_topics : make topics that aren't there; false where an operator makes them.
    max_message_bytes : the most bytes that a message may have; a larger one isn't sent, but counted.
    """

    topic: str = f"boreal-{FILTER_PLACE}"
    annotations: str | None = None
    deadletter: str | None = None
    desc_classifications: str | None = None
    desc_messages: str | None = None
    register_schemas: bool = False
    create_topics: NewTopics | Literal[False] = NewTopics()
    max_message_bytes: Count = 1_000_000

    @field_validator("topic")
    @classmethod
    def _names_a_topic_per_filter(cls, topic: str) -> str:
        if topic.count(FILTER_PLACE) != 1:
            raise ValueError(f"{topic!r} must hold {FILTER_PLACE} once, for the filter's name")
        _is_a_topic(topic.replace(FILTER_PLACE, "x"))
        return topic

    @field_validator("annotations", "deadletter", "desc_classifications", "desc_messages")
    @classmethod
    def _is_a_topic(cls, topic: str | None) -> str | None:
        return None if topic is None else _is_a_topic(topic)

    @model_validator(mode="after")
    def _has_topics_apart(self) -> Self:
        named = [t for t in (self.annotations, self.deadletter, self.desc_classifications, self.desc_messages) if t]
        twice = sorted({topic for topic in named if named.count(topic) > 1})
        if twice:
            raise ValueError(f"the topic {twice[0]} is given for two kinds of messages; give each its own")
        return self

    @property
    def shared_topics(self) -> list[str]:
        """The topics that don't belong to a subscriber."""
        named = (self.annotations, self.deadletter, self.desc_classifications, self.desc_messages)
        return [topic for topic in named if topic]
