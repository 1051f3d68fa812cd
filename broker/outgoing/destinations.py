"""Where does a message go, and in which form? A topic per subscriber, and topics that get every alert."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

import fastavro
import pyarrow as pa

from broker.filters.definition import Filter
from schemas.delivery import annotation_avro_schema, delivery_avro_schema
from schemas.desc import broker_message_schema, classification_schema


class Content(StrEnum):
    """What the messages of a destination hold."""

    DELIVERY = "delivery"
    ANNOTATION = "annotation"
    DESC_CLASSIFICATION = "brokerClassification"
    DESC_MESSAGE = "BrokerMessage"


@dataclass(frozen=True)
class Topics:
    """The topics that alerts go to; None for those that aren't wanted.

    Parameters
    ----------
    subscriber : pattern with ``{filter}`` for the filter's name.
    annotations : gets every annotated alert, whole.
    desc_classifications : gets a DESC `brokerClassification` message per alert.
    desc_messages : gets a DESC `BrokerMessage` per LSST 10.0 alert, the packet with its classification.
    """

    subscriber: str
    annotations: str | None = None
    desc_classifications: str | None = None
    desc_messages: str | None = None


@dataclass(frozen=True)
class Destination:
    """A topic and what its messages are.

    Parameters
    ----------
    name : unique: the filter's name, or the content behind an asterisk, which no filter's name holds.
    topic : Kafka's name of the topic.
    content : what the messages hold.
    filter : whose deliveries; None where every alert goes out.
    avro : the Avro schema as JSON text; None for JSON messages.
    schema_id : the number in front of each Avro message.
    """

    name: str
    topic: str
    content: Content
    filter: Filter | None = None
    avro: str | None = None
    schema_id: int | None = None

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The Avro schema as fastavro wants it."""
        return dict(fastavro.parse_schema(json.loads(self.avro or "{}")))


IdOf = Callable[[str, str], int]
"""From a topic and an Avro schema to the number that its messages carry."""


def destinations(filters: Sequence[Filter], schema: pa.Schema, topics: Topics, id_of: IdOf) -> tuple[Destination, ...]:
    """Every destination of a run.

    Parameters
    ----------
    filters : the subscribers' filters.
    schema : the annotation columns.
    topics : which topics there are.
    id_of : gives Avro schemas their numbers.
    """
    made = [_of_filter(wanted, schema, topics, id_of) for wanted in filters]
    wanted_by_all = (
        (Content.ANNOTATION, topics.annotations, annotation_avro_schema(schema)),
        (Content.DESC_CLASSIFICATION, topics.desc_classifications, classification_schema()),
        (Content.DESC_MESSAGE, topics.desc_messages, broker_message_schema()),
    )
    for content, topic, avro in wanted_by_all:
        if topic:
            text = json.dumps(dict(avro))
            made.append(Destination(f"*{content}", topic, content, avro=text, schema_id=id_of(topic, text)))
    return tuple(made)


def _of_filter(wanted: Filter, schema: pa.Schema, topics: Topics, id_of: IdOf) -> Destination:
    """Avro, unless the filter asks for JSON alone."""
    topic = topics.subscriber.replace("{filter}", wanted.name)
    if "avro" not in wanted.formats:
        return Destination(wanted.name, topic, Content.DELIVERY, wanted)
    avro = json.dumps(delivery_avro_schema(schema, wanted.columns))
    return Destination(wanted.name, topic, Content.DELIVERY, wanted, avro, id_of(topic, avro))
