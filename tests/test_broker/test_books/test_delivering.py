"""What goes to which topic once duplicates, limits and sizes are taken into account; dead letters as messages."""

import json
from dataclasses import replace

from broker.commit import Committer, Publishing, Settings
from broker.deadletter import Versions, letters
from broker.outgoing.destinations import Topics, destinations
from broker.outgoing.letter_messages import letter_messages
from broker.outgoing.outbox import OUTGOING
from broker.outgoing.schema_ids import local_id
from broker.sources.kafka import MESSAGES, messages_of
from schemas.packets import rejects


def numbers(opened, topic):
    """The alerts in a topic, in its order."""
    return [int(key.split("/")[2]) for key in opened.topics.of(topic)]


def test_duplicates_are_not_sent_whenever_they_come(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([small_packet(k) for k in (1, 2, 1)]))
    opened.take(
        1, kafka_records([small_packet(k) for k in (2, 3)], first=3), kafka_records([small_packet(3)], partition=1)
    )
    opened.open().take(2, kafka_records([small_packet(k) for k in (3, 4)], first=5))
    for topic in ("boreal-all", "everything", "classes", "packets"):
        assert numbers(opened, topic) == [1, 2, 3, 4]
        assert len([m for m in opened.topics.messages if m["topic"] == topic]) == 4
    assert opened.committer.ledger.total.duplicates == 4
    opened.check()


def test_what_a_limit_holds_back_is_not_sent_to_that_one_and_to_the_others_it_is(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1, 61000.2), small_packet(2, 61000.1), small_packet(3, 61001.2)]))
    opened.take(1, kafka_records([small_packet(4, 61000.0), small_packet(5, 61002.2)], first=3))
    assert numbers(opened, "boreal-few") == [2, 3, 5]
    assert numbers(opened, "boreal-all") == [2, 1, 3, 4, 5]
    total = opened.committer.ledger.total
    assert (total.deliveries, total.cut["few"]["perNight"]) == ({"all": 5, "few": 3}, 2)
    opened.check()


def test_messages_carry_kafka_s_time_of_their_packet(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([b"noise", small_packet(1)], first=40))
    headers = [dict(message["headers"]) for message in opened.topics.messages if message["topic"] == "boreal-all"]
    assert [header["publishedMs"] for header in headers] == [b"1750000000001"]


def test_what_is_too_large_is_in_the_table_and_counted_but_not_sent(desk, small_packet, kafka_records):
    opened = desk()
    publishing = Publishing(opened.topics.send, 500, opened.worker().destinations, "dead")
    opened.committer = Committer(opened.run, opened.worker().filters, Settings(), publishing)
    opened.take(0, kafka_records([small_packet(1), b"noise", b"x" * 501]))
    total = opened.committer.ledger.total
    assert total.undeliverable == {"few": 1, "*annotation": 1}
    assert {message["topic"] for message in opened.topics.messages} == {"boreal-all", "classes", "packets", "dead"}
    assert [len(message["value"]) for message in opened.topics.of("dead").values()] == [5, 0]
    assert (total.deliveries["few"], [row["diaSourceId"] for row in opened.rows()]) == (1, [1])


def test_filters_that_change_between_two_micro_batches(
    desk, small_packet, kafka_records, annotation_columns, monkeypatch
):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1)]))
    all_, few = opened.worker().filters
    filters = (replace(all_, name="new"), few)
    to = destinations(filters, annotation_columns, Topics("boreal-{filter}"), lambda _, avro: local_id(avro))
    made = replace(opened.worker(), filters=filters, destinations=tuple(replace(d, avro=None) for d in to))
    monkeypatch.setattr(opened, "_worker", made)
    opened.committer.change_filters(filters, made.destinations)
    opened.take(1, kafka_records([small_packet(2), small_packet(3, 61001.2)], first=1))
    assert (numbers(opened, "boreal-all"), numbers(opened, "boreal-new")) == ([1], [2, 3])
    assert numbers(opened, "boreal-few") == [1, 3]
    record = json.loads(next(iter(opened.topics.of("boreal-new").values()))["value"])
    assert record["filter"] == {"name": "new", "version": filters[0].version}
    assert (opened.run.subscribers / "new").is_dir()


def test_a_dead_letter_s_message_is_the_packet_with_the_reason_in_its_headers(kafka_records):
    records = kafka_records([b"noise", b"x" * 100], topic="alerts", partition=2, first=7)
    turned_away = rejects(
        [("alerts/2/7", "decode", "wh\u00fc", b"noise"), ("alerts/2/8#1", "schema", "why", b"x" * 100)]
    )
    dead = letters(turned_away, messages_of(records), "part-0123abcd-00000003", Versions("1.2", "f" * 64, "b" * 64))
    made = letter_messages(dead, "dead", 50)
    assert made.schema.equals(OUTGOING)
    first, second = made.to_pylist()
    assert (first["topic"], first["key"], first["value"]) == ("dead", "alerts/2/7", b"noise")
    assert dict(first["headers"]) == {
        "id": b"0123abcd-00000003-0", "origin": b"alerts/2/7", "stage": b"decode", "reason": "wh\u00fc".encode(),
        "topic": b"alerts", "partition": b"2", "offset": b"7", "timestamp": b"1750000000000",
        "brokerVersion": b"1.2", "bundleSha256": b"b" * 64, "payloadBytes": b"5",
    }  # fmt: skip
    assert (second["key"], second["value"], dict(second["headers"])["payloadBytes"]) == ("alerts/2/8#1", b"", b"100")
    assert dict(second["headers"])["offset"] == b"8"


def test_a_dead_letter_of_a_file_has_no_place_in_kafka():
    dead = letters(
        rejects([("a", "read", "why", b"")]), MESSAGES.empty_table(), "part-0123abcd-00000000", Versions("", "", "")
    )
    (message,) = letter_messages(dead, "dead", 50).to_pylist()
    assert {name for name, _ in message["headers"]}.isdisjoint({"topic", "partition", "offset", "timestamp"})
    assert letter_messages(dead.slice(0, 0), "dead", 50).num_rows == 0
