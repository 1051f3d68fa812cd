"""What the messages of each topic hold, and which of them go out."""

import json
from io import BytesIO

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.outgoing.destinations import Content, Topics, destinations
from broker.outgoing.dispatch import dispatch, keys_of
from broker.outgoing.messages import Sources, encode
from broker.outgoing.schema_ids import local_id
from broker.sources.intake import Intake
from broker.sources.kafka import messages_of, packets_of, published
from schemas.annotation import DELIVERED_TO
from schemas.delivery import annotation_records, delivery_records

READ = 1_750_000_100_000
LARGE = 10**9
SHARED = ("*annotation", "*brokerClassification", "*BrokerMessage")
BROKER_MESSAGE = "fastdb.v10_0_0.BrokerMessage"


@pytest.fixture(scope="module")
def records(sample_packets, kafka_records):
    """Kafka's records of every real packet."""
    return kafka_records([payload for _, payload in sample_packets])


@pytest.fixture(scope="module")
def harvest(records, kafka_worker):
    return kafka_worker.harvest(Intake(packets_of(records), messages=messages_of(records)))


@pytest.fixture(scope="module")
def annotations(harvest):
    return harvest.outcome.annotations


@pytest.fixture(scope="module")
def to(kafka_worker):
    """The destinations by name."""
    return {each.name: each for each in kafka_worker.destinations}


@pytest.fixture(scope="module")
def sources(records):
    packets = packets_of(records)
    payloads = dict(zip(packets["origin"].to_pylist(), packets["payload"].to_pylist(), strict=True))
    return Sources(payloads, published(messages_of(records)), READ)


@pytest.fixture(scope="module")
def encoded(annotations, to, sources):
    """The messages of each destination, as pairs of row and bytes."""
    table = encode(annotations, tuple(to.values()), sources)
    found = {name: [] for name in to}
    for row in table.to_pylist():
        found[row["destination"]].append((row["row"], row["value"]))
    return found


class Case:
    """What a law is about, without a repr of megabytes, which hypothesis would print."""

    def __init__(self, harvest, to, sources):
        self.harvest, self.to, self.sources = harvest, to, sources


@pytest.fixture(scope="module")
def case(harvest, to, sources):
    return Case(harvest, tuple(to.values()), sources)


def opened(destination, value):
    """The record in an Avro message, which must be all that is in it."""
    body = BytesIO(value)
    assert body.read(5) == b"\0" + destination.schema_id.to_bytes(4, "big")
    record = fastavro.schemaless_reader(body, fastavro.parse_schema(json.loads(destination.avro)), None)
    assert body.read() == b""
    return record


def with_deliveries(annotations, names):
    return annotations.append_column(DELIVERED_TO, pa.array(names, DELIVERED_TO.type))


def test_every_topic_has_its_own_content_and_form(to):
    assert {name: (each.topic, each.content, each.avro is None) for name, each in to.items()} == {
        "all": ("boreal-all", Content.DELIVERY, False),
        "few": ("boreal-few", Content.DELIVERY, True),
        "*annotation": ("everything", Content.ANNOTATION, False),
        "*brokerClassification": ("classes", Content.DESC_CLASSIFICATION, False),
        "*BrokerMessage": ("packets", Content.DESC_MESSAGE, False),
    }


def test_topics_that_are_not_wanted_are_not_there(limited, annotation_columns):
    made = destinations(limited[:1], annotation_columns, Topics("{filter}-x"), lambda _, avro: local_id(avro))
    assert [each.topic for each in made] == ["all-x"]


def test_the_number_of_a_schema_is_asked_for_by_topic(limited, annotation_columns):
    asked = {}
    topics = Topics("boreal-{filter}", "everything")
    made = destinations(limited, annotation_columns, topics, lambda topic, avro: asked.setdefault(topic, len(avro)))
    assert list(asked) == ["boreal-all", "everything"]
    assert [each.schema_id for each in made] == [asked["boreal-all"], None, asked["everything"]]


def test_a_subscriber_s_avro_and_json_are_what_files_would_hold(annotations, to, encoded):
    for name, read in (("all", lambda v: opened(to["all"], v)), ("few", json.loads)):
        wanted = delivery_records(annotations, to[name].filter.stamp, to[name].filter.columns)
        assert [row for row, _ in encoded[name]] == list(range(annotations.num_rows))
        assert [read(value) for _, value in encoded[name]] == wanted


def test_the_topic_of_all_annotations_has_every_column(annotations, to, encoded):
    found = [opened(to["*annotation"], value) for _, value in encoded["*annotation"]]
    assert found == annotation_records(annotations)
    assert list(found[0]) == annotations.column_names


def test_a_broker_classification_tells_the_classes_of_any_survey(annotations, to, encoded):
    rows = annotations.to_pylist()
    messages = [opened(to["*brokerClassification"], value) for _, value in encoded["*brokerClassification"]]
    assert {row["survey"] for row in rows} == {"lsst", "ztf"}
    for row, message in zip(rows, messages, strict=True):
        offset = int(row["origin"].rpartition("/")[2])
        assert (message["alertId"], message["diaSourceId"]) == (row["alertId"], row["diaSourceId"])
        assert message["elasticcPublishTimestamp"].timestamp() * 1000 == 1_750_000_000_000 + offset
        assert message["brokerIngestTimestamp"].timestamp() * 1000 == READ
        assert (message["brokerName"], message["classifierName"]) == ("Boreal", row["classifier"]["name"])
        assert row["classifier"]["bundleSha256"] in message["classifierParams"]
        probabilities = {c["classId"]: c["probability"] for c in message["classifications"]}
        assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert probabilities[row["classId"]] == max(probabilities.values()) == pytest.approx(row["probability"])
        assert len(probabilities) == len(row["classifications"]) == len(message["classifications"])


def test_a_packet_of_a_file_was_published_when_it_was_read(annotations, to, sources):
    (value,) = encode(annotations.slice(0, 1), [to["*brokerClassification"]], Sources(sources.payloads, {}, READ))[
        "value"
    ].to_pylist()
    message = opened(to["*brokerClassification"], value)
    assert message["elasticcPublishTimestamp"] == message["brokerIngestTimestamp"]


def test_a_broker_message_is_the_packet_with_the_classes_behind_it(annotations, to, encoded, sources, registry):
    """Compared in plain numbers and text: one of the two schemas would make dates of some."""
    rows, messages = annotations.to_pylist(), dict(encoded["*BrokerMessage"])
    assert list(messages) == [k for k, row in enumerate(rows) if row["schemaVersion"] == "10.0"]
    assert len(messages) == 12
    for k, value in messages.items():
        row = rows[k]
        whole, message = opened(to["*BrokerMessage"], value), unlabelled(registry, BROKER_MESSAGE, value)
        assert whole["diaSourceId"] == row["diaSourceId"]
        own = {name: message.pop(name) for name in ("brokerName", "classifierName", "classifierVersion")}
        classes = message.pop("classifications")
        assert repr(message) == repr(unlabelled(registry, "lsst.v10_0.alert", sources.payloads[row["origin"]]))
        assert own == {
            "brokerName": "Boreal",
            "classifierName": row["classifier"]["name"],
            "classifierVersion": row["classifier"]["version"],
        }
        assert [c["classId"] for c in classes] == [c["classId"] for c in row["classifications"]]
        assert sum(c["probability"] for c in classes) == pytest.approx(1, abs=1e-5)


def unlabelled(registry, schema, value):
    """The record behind a header, dates as plain numbers."""
    return fastavro.schemaless_reader(BytesIO(value[5:]), registry.by_name(schema).parsed, None)


def test_no_destination_no_message(annotations, sources):
    assert encode(annotations, (), sources).num_rows == 0


@settings(max_examples=40)
@given(st.permutations(range(29)), st.lists(st.sampled_from([(), ("all",), ("few",), ("all", "few")]), max_size=8))
def test_to_encode_and_then_pick_is_to_pick_and_then_encode(case, order, names):
    """But for the workers' clock, which is in the messages of the topic `classes`."""
    annotations, rows = case.harvest.outcome.annotations, order[: len(names)]
    kept = annotations.take(pa.array(rows, pa.int64()))
    delivered = with_deliveries(kept, names)
    picked = dispatch(case.harvest.records, np.array(rows, np.int64), delivered, {}, case.to, LARGE)
    everything = encode(kept, case.to, case.sources).to_pylist()
    records = [r for r in everything if r["destination"] in (*names[r["row"]], *SHARED)]
    places, keys = {each.name: k for k, each in enumerate(case.to)}, keys_of(kept).to_pylist()
    records.sort(key=lambda record: (record["row"], places[record["destination"]]))
    wanted = [(keys[r["row"]], case.to[places[r["destination"]]].topic, r["value"]) for r in records]
    found = [(m["key"], m["topic"], m["value"]) for m in picked.messages.to_pylist()]
    assert [m[:2] for m in found] == [m[:2] for m in wanted]
    assert [m for m in found if m[1] != "classes"] == [m for m in wanted if m[1] != "classes"]
    assert not picked.undeliverable


def test_within_a_topic_messages_keep_the_order_of_the_alerts(harvest, annotations, to, sources):
    rows = np.arange(annotations.num_rows)[::-1].copy()
    kept = with_deliveries(annotations.take(pa.array(rows)), [["few", "all"]] * len(rows))
    messages = dispatch(harvest.records, rows, kept, sources.published, tuple(to.values()), LARGE).messages.to_pylist()
    keys = keys_of(kept).to_pylist()
    for topic in ("boreal-all", "boreal-few", "everything", "classes"):
        assert [m["key"] for m in messages if m["topic"] == topic] == keys


def test_keys_name_the_alert_and_the_bundle_and_no_two_are_alike(annotations, bundle):
    keys = keys_of(annotations).to_pylist()
    row = annotations.slice(0, 1).to_pylist()[0]
    assert keys[0] == f"lsst/{row['alertId']}/{row['diaSourceId']}/{bundle.sha256[:12]}"
    assert len(set(keys)) == annotations.num_rows
    assert keys_of(annotations.slice(3, 2)).to_pylist() == keys[3:5]


def test_headers_tell_what_it_is_and_when_it_was_published(harvest, annotations, to, sources):
    kept = with_deliveries(annotations.slice(0, 1), [["all"]])
    messages = dispatch(harvest.records, np.array([0]), kept, sources.published, tuple(to.values()), LARGE).messages
    headers = {message["topic"]: dict(message["headers"]) for message in messages.to_pylist()}
    assert headers["boreal-all"] == {
        "content": b"delivery",
        "filter": b"all",
        "filterVersion": to["all"].filter.version.encode(),
        "publishedMs": b"1750000000000",
    }
    assert headers["classes"] == {"content": b"brokerClassification", "publishedMs": b"1750000000000"}


@pytest.mark.parametrize("room", [0, 1])
def test_a_message_that_is_too_large_is_counted_and_the_others_go(harvest, annotations, to, room):
    largest = max(len(value) for value in harvest.records["value"].to_pylist())
    names = [["all", "few"]] * annotations.num_rows
    everything = np.arange(annotations.num_rows)
    made = dispatch(
        harvest.records, everything, with_deliveries(annotations, names), {}, tuple(to.values()), largest - 1 + room
    )
    assert made.undeliverable.total() == 1 - room
    assert made.messages.num_rows == harvest.records.num_rows - made.undeliverable.total()
    little = dispatch(harvest.records, everything, with_deliveries(annotations, names), {}, tuple(to.values()), 0)
    counts = {row["values"]: row["counts"] for row in harvest.records["destination"].value_counts().to_pylist()}
    assert (little.messages.num_rows, little.undeliverable) == (0, counts)
