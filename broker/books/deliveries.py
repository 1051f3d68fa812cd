"""Whether every topic holds just what the annotation table says was sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from broker.books.ledger import Ledger
from broker.config import Config
from broker.errors import WrongInputError
from broker.kafka.client import Client, partition_list
from broker.kafka.run_settings import FILTER_PLACE, KafkaDelivery
from broker.outgoing.destinations import Content
from broker.outgoing.dispatch import keys_of
from broker.run_directory import RunDirectory
from broker.tables.table import AnnotationTable

COLUMNS = ["survey", "alertId", "diaSourceId", "classifier", "deliveredTo"]


@dataclass(frozen=True)
class TopicCheck:
    """A topic against the table.

    Parameters
    ----------
    topic : its name.
    wanted : alerts that the table says were sent to it.
    messages : in the topic, since its beginning as far as it is kept.
    repeats : messages whose key came before.
    missing, unwanted : alerts of the table that the topic lacks, and the other way round.
    undeliverable : of those that it lacks, how many the ledger says could not be sent; they aren't among the missing.
    """

    topic: str
    wanted: int
    messages: int
    repeats: int
    missing: int
    unwanted: int
    undeliverable: int

    def to_json(self) -> dict[str, Any]:
        """The numbers as plain data."""
        return asdict(self)


def compare_deliveries(config: Config, run: RunDirectory, table: AnnotationTable) -> Sequence[TopicCheck]:
    """Compare the topics of all subscribers, and that of all annotations, with the annotation table.

    Parameters
    ----------
    config : of the run.
    run : its directory.
    table : its annotation table.

    Raises
    ------
    WrongInputError
        If the run doesn't deliver to Kafka.
    KafkaFailedError
        If a topic can't be read.
    """
    to = config.deliver.kafka
    if to is None:
        raise WrongInputError(
            f"the run in {run.path} doesn't deliver to Kafka: its configuration has no `deliver.kafka`"
        )
    wanted, unsent = _wanted(to, table), _unsent(to, Ledger.read(run.ledger))
    client = Client(to)
    try:
        topics = client.topics()
        return [_compare(client, topics, topic, keys, unsent[topic]) for topic, keys in sorted(wanted.items())]
    finally:
        client.close()


def _wanted(to: KafkaDelivery, table: AnnotationTable) -> dict[str, set[str]]:
    """The keys that each topic should hold."""
    wanted: dict[str, set[str]] = {to.annotations: set()} if to.annotations else {}
    for rows in table.rows(COLUMNS):
        keys = keys_of(rows)
        if to.annotations:
            wanted[to.annotations].update(keys.to_pylist())
        for name, sent in _by_filter(rows["deliveredTo"], keys).items():
            wanted.setdefault(to.topic.replace(FILTER_PLACE, name), set()).update(sent)
    return wanted


def _unsent(to: KafkaDelivery, ledger: Ledger) -> Counter[str]:
    """Alerts that could not be sent, by topic."""
    counts = ledger.total.undeliverable
    topics = {f"*{Content.ANNOTATION}": to.annotations or ""}
    return Counter({topics.get(name, to.topic.replace(FILTER_PLACE, name)): count for name, count in counts.items()})


def _by_filter(delivered: pa.ChunkedArray, keys: pa.ChunkedArray) -> dict[str, list[str]]:
    column = delivered.combine_chunks()
    names, owners = column.flatten(), column.value_parent_indices()
    return {name: keys.take(owners.filter(pc.equal(names, name))).to_pylist() for name in pc.unique(names).to_pylist()}


def _compare(client: Client, topics: Mapping[str, int], topic: str, wanted: set[str], unsent: int) -> TopicCheck:
    found: Counter[str] = Counter()
    for partition in partition_list(topics, lambda name: name == topic):
        bounds = client.bounds(partition)
        if bounds.next > bounds.first:
            found.update((message.key() or b"").decode() for message in client.read(partition, bounds))
    repeats = found.total() - len(found)
    missing, unwanted = len(wanted - found.keys()), len(found.keys() - wanted)
    explained = min(missing, unsent)
    return TopicCheck(topic, len(wanted), found.total(), repeats, missing - explained, unwanted, explained)
