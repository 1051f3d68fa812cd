"""Messages wait in the outbox until Kafka has them, whatever happens in between."""

import os

import pyarrow as pa
import pytest

from broker.books.reconcile import reconcile
from broker.commit import Committer, Settings
from broker.errors import KafkaFailedError
from broker.outgoing.outbox import OUTGOING, Outbox
from broker.run_directory import RunDirectory


def messages(*keys):
    rows = [{"topic": "t", "key": key, "value": b"x", "headers": [("a", b"1"), ("a", b"2")]} for key in keys]
    return pa.Table.from_pylist(rows, schema=OUTGOING)


@pytest.fixture
def outbox(tmp_path):
    run = RunDirectory(tmp_path)
    run.outbox.mkdir()
    return Outbox(run)


def test_what_is_sent_is_what_was_put_and_leaves_the_box(outbox, topics):
    kafka = topics()
    outbox.put("part-0123abcd-00000000", messages(*map(str, range(2500))))
    assert (len(outbox), list(outbox.run.outbox.glob("[!.]*"))) == (1, [*outbox.run.outbox.iterdir()])
    assert list(outbox.deliver(kafka.send)) == [("part-0123abcd-00000000", {"t": 2500})]
    assert [message["key"] for message in kafka.messages] == [str(k) for k in range(2500)]
    assert kafka.messages[0]["headers"] == [("a", b"1"), ("a", b"2")]
    assert (len(outbox), list(outbox.deliver(kafka.send))) == (0, [])


def test_a_later_life_and_a_second_attempt_send_what_the_first_attempt_would(outbox):
    stem, given = "part-0123abcd-00000000", messages("a", "b")
    tried = []

    def refuse(table):
        tried.append(table)
        raise KafkaFailedError("no")

    outbox.put(stem, given)
    for life in (outbox, outbox, Outbox(outbox.run)):
        with pytest.raises(KafkaFailedError):
            list(life.deliver(refuse))
    assert [table.equals(given) and table.schema.equals(OUTGOING) for table in tried] == [True] * 3
    assert len(outbox) == 1


def test_put_again_it_replaces_and_nothing_is_not_put(outbox, topics):
    kafka = topics()
    for keys in (("a", "b"), ("c",)):
        outbox.put("part-0123abcd-00000000", messages(*keys))
    outbox.put("part-0123abcd-00000001", messages())
    assert len(outbox) == 1
    list(outbox.deliver(kafka.send))
    assert list(kafka.of("t")) == ["c"]


def test_the_oldest_go_first_whatever_stream_they_are_of(outbox, topics):
    kafka = topics()
    for age, stem in enumerate(["part-0123abcd-00000009", "part-ffffffff-00000000", "part-0123abcd-00000010"]):
        outbox.put(stem, messages(stem))
        os.utime(outbox.run.outbox / f"{stem}.arrow", ns=(0, -age * 10**9))
    assert [stem[5:13] + stem[-2:] for stem, _ in outbox.deliver(kafka.send)] == [
        "0123abcd10",
        "ffffffff00",
        "0123abcd09",
    ]


def test_of_one_time_the_lower_number_goes_first(outbox, topics):
    for stem in ("part-0123abcd-00000010", "part-0123abcd-00000009"):
        outbox.put(stem, messages(stem))
        os.utime(outbox.run.outbox / f"{stem}.arrow", ns=(0, 0))
    assert [stem[-2:] for stem, _ in outbox.deliver(topics().send)] == ["09", "10"]


def test_what_kafka_refuses_stays_with_all_that_is_behind_it(outbox):
    for number in range(3):
        outbox.put(f"part-0123abcd-{number:08}", messages(str(number)))
        os.utime(outbox.run.outbox / f"part-0123abcd-{number:08}.arrow", ns=(0, number))

    def send(table):
        if table["key"].to_pylist() == ["1"]:
            raise KafkaFailedError("no")
        return {"t": 1}

    with pytest.raises(KafkaFailedError):
        list(outbox.deliver(send))
    assert len(outbox) == 2


def test_messages_of_micro_batches_that_do_not_count_are_thrown_away_unsent(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1)]))
    sent = len(opened.topics.messages)
    for stem in ("part-0123abcd-00000001", "part-fedcba98-00000000", "part-dead1e77-00000000"):
        Outbox(opened.run).put(stem, messages("never"))
    opened.open()
    assert (len(Outbox(opened.run)), len(opened.topics.messages)) == (0, sent)


@pytest.mark.parametrize("again", ["the next call", "the same batch", "a restart"])
def test_kafka_may_fail_after_any_message_and_gets_the_rest_later(desk, topics, small_packet, kafka_records, again):
    batches = [kafka_records([small_packet(k)], first=k) for k in (0, 1)]

    class Away(topics):
        left = 0

        def send(self, table):
            for row in range(table.num_rows):
                if self.left == 0:
                    raise KafkaFailedError("away")
                self.left -= 1
                super().send(table.slice(row, 1))
            return {}

    for left in range(6):
        opened = desk(f"{again} {left}", topics=Away())
        opened.topics.left = left
        if left < 5:
            with pytest.raises(KafkaFailedError):
                opened.take(0, batches[0])
        else:
            opened.take(0, batches[0])
        assert opened.committer.ledger.total.received == 1
        opened.topics.left = 1000
        if again == "a restart":
            opened.open()
            opened.check()
        elif again == "the same batch":
            assert opened.take(0, batches[0]) is None
            opened.check()
        opened.take(1, batches[1])
        opened.check()
        assert [row["diaSourceId"] for row in opened.rows()] == [0, 1]


def test_without_kafka_what_waits_stays_and_is_told(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1)]))
    Outbox(opened.run).put("part-0123abcd-00000000", messages("late"))
    Committer(opened.run, (), Settings(files=False))
    found = reconcile(opened.run, opened.table, None, lambda _: None)
    assert found.others == {"micro-batches that aren't delivered to Kafka yet": 1}
    assert found.differences == 1
    opened.open()
    assert "late" in opened.topics.of("t")
