"""Dead letters once more: what succeeds is annotated, delivered and marked, what fails stays, and the books balance."""

import json
from collections import Counter
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from broker.harvest import join
from broker.shadow.model import ShadowModel
from broker.sources.files import read_files
from broker.sources.intake import Intake
from schemas.registry_settings import RegistrySettings

NEW = 1200


@pytest.fixture(params=["parquet", "delta"])
def opened(desk, request):
    return desk(table=request.param)


def sources(desk):
    return [row["diaSourceId"] for row in desk.rows()]


def test_a_letter_says_all_that_is_known_of_it(desk, small_packet, kafka_records):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1), b"noise"], topic="alerts-2", partition=3, first=40))
    (letter,) = opened.waiting()
    assert letter["id"] == "0123abcd-00000000-0"
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("alerts-2", 3, 41)
    assert (letter["origin"], letter["timestamp"]) == ("alerts-2/3/41", 1_750_000_000_001)
    assert (letter["stage"], letter["payload"], letter["bundleSha256"]) == ("decode", b"noise", "ab" * 32)
    assert letter["reason"].startswith("unknown framing")
    assert len(letter["featuresSha256"]) == 64
    assert letter["brokerVersion"]


def test_what_a_registry_learns_later_is_annotated_delivered_and_marked(
    desk, small_packet, kafka_records, registry_server, registry, monkeypatch
):
    opened = desk()
    settings = RegistrySettings(registry_server.url, timeout_seconds=2, retry_after_seconds=1e-6)
    monkeypatch.setattr(opened, "_worker", replace(opened.worker(), registry=settings))
    opened.take(0, kafka_records([small_packet(1), small_packet(2, schema_id=NEW), b"noise"]))
    assert [letter["stage"] for letter in opened.waiting()] == ["schema", "decode"]
    again = opened.replay()
    assert (again.tried, again.annotated, again.failed.total()) == (2, 0, 2)
    assert sources(opened) == [1]
    registry_server.register("alerts", json.loads(json.dumps(dict(registry.by_name("lsst.v10_0.alert").json))), NEW)
    done = opened.replay()
    assert (done.tried, done.annotated, done.duplicates, done.failed.total()) == (2, 1, 0, 1)
    assert sources(opened) == [1, 2]
    assert [letter["payload"] for letter in opened.waiting()] == [b"noise"]
    opened.check()


def test_a_replay_is_as_if_it_had_been_understood_at_once(opened, desk, small_packet, kafka_records, taught):
    payloads = [small_packet(1), small_packet(2, schema_id=NEW), small_packet(3, schema_id=NEW), small_packet(4)]
    opened.take(0, kafka_records(payloads))
    taught(NEW)
    opened.replay()
    at_once = desk("at once")
    at_once.take(0, kafka_records(payloads))
    assert [{**row, "deliveredTo": None} for row in opened.rows()] == [
        {**row, "deliveredTo": None} for row in at_once.rows()
    ]
    assert opened.topics.of("boreal-all") == at_once.topics.of("boreal-all")
    assert opened.topics.of("classes") == at_once.topics.of("classes")
    one, other = opened.committer.ledger.total, at_once.committer.ledger.total
    assert (one.received, one.annotated, one.dead_lettered) == (other.received, other.annotated, 0)
    assert one.partition_nights == other.partition_nights
    assert +one.partitions["alerts/0"] == +other.partitions["alerts/0"]


def test_replayed_twice_is_replayed_once(opened, small_packet, kafka_records, taught):
    opened.take(0, kafka_records([small_packet(1, schema_id=NEW), b"noise"]))
    taught(NEW)
    opened.replay()
    before, sent = opened.committer.ledger, len(opened.topics.messages)
    for desk in (opened, opened.open()):
        again = desk.replay()
        assert (again.tried, again.annotated, again.duplicates) == (1, 0, 0)
        assert desk.committer.ledger == before
        assert len(desk.topics.messages) == sent
        desk.check()


def test_alerts_that_came_again_meanwhile_are_duplicates(opened, small_packet, kafka_records, taught):
    opened.take(0, kafka_records([small_packet(k, schema_id=NEW) for k in (1, 2, 2)]))
    opened.take(1, kafka_records([small_packet(1)], first=3))
    taught(NEW)
    done = opened.replay()
    assert (done.tried, done.annotated, done.duplicates, done.failed.total()) == (3, 1, 2, 0)
    assert opened.waiting() == []
    assert sources(opened) == [1, 2]
    opened.check()


def test_a_container_may_succeed_in_part_and_the_rest_waits_alone(opened, make_packet, kafka_records, not_understood):
    fields = [{"diaSourceId": k, "midpointMjdTai": 61000.0, "ra": 10.0, "dec": -5.0 - 99 * (k == 2)} for k in (1, 2, 3)]
    records = [make_packet.record("lsst.v10_0.alert", diaSourceId=f["diaSourceId"], diaSource=f) for f in fields]
    whole, hopeless = (make_packet.container("lsst.v10_0.alert", *some) for some in (records, records[1:2]))
    opened.committer.commit(0, not_understood(kafka_records([whole, hopeless], first=5)))
    assert opened.committer.ledger.total.received == 2
    done = opened.replay()
    assert (done.tried, done.annotated, done.failed.total()) == (2, 2, 2)
    assert sources(opened) == [1, 3]
    assert [letter["origin"] for letter in opened.waiting()] == ["alerts/0/6", "alerts/0/5#1"]
    new = opened.waiting()[1]
    assert (new["id"], new["offset"], new["timestamp"]) == ("dead1e77-00000000-0", 5, 1_750_000_000_000)
    assert opened.committer.ledger.total.received == 4
    opened.check()
    again = opened.replay()
    assert (again.tried, again.annotated, again.failed.total()) == (2, 0, 2)
    assert len(opened.waiting()) == 2
    opened.check()


def test_only_what_is_chosen_is_tried(desk, small_packet, kafka_records, taught):
    opened = desk()
    payloads = [small_packet(1, schema_id=NEW), small_packet(2, schema_id=NEW + 1), b"noise", b""]
    opened.take(0, kafka_records(payloads))
    taught(NEW, NEW + 1)
    assert opened.replay(stage="decode", reason="empty").tried == 1
    assert opened.replay(ids=["0123abcd-00000000-2"]).tried == 1
    assert opened.replay(ids=["nothing"]).tried == 0
    assert sources(opened) == []
    assert opened.replay(stage="schema", reason=str(NEW + 1)).annotated == 1
    assert sources(opened) == [2]
    opened.check()


def test_hundreds_of_letters_even_of_one_origin_each_once(desk, small_packet, kafka_records, not_understood):
    opened = desk()
    records = kafka_records([small_packet(k) for k in range(70)])
    more = kafka_records([small_packet(k) for k in range(200, 203)], first=70)
    opened.committer.commit(0, not_understood(records))
    opened.committer.commit(1, join([not_understood(more), not_understood(more)]), stream="4567cdef")
    done = opened.replay()
    assert (done.tried, done.annotated, done.duplicates) == (76, 73, 3)
    assert opened.waiting() == []
    assert len(opened.rows()) == 73
    opened.committer.ledger.total.check()
    assert opened.committer.ledger.last_batch["dead1e77"] == 3


def test_limits_count_what_was_sent_before(desk, small_packet, kafka_records, taught):
    opened = desk()
    opened.take(0, kafka_records([small_packet(1), small_packet(2, schema_id=NEW), small_packet(3, 61005.0, NEW)]))
    taught(NEW)
    opened.replay()
    assert [row["diaSourceId"] for row in opened.rows() if "few" in row["deliveredTo"]] == [1, 3]
    assert opened.committer.ledger.total.cut["few"] == Counter(perNight=1)


def test_letters_of_files_are_replayed_too(desk, kafka_worker, small_packet, taught, tmp_path):
    (tmp_path / "in").mkdir()
    for name, payload in (("a", small_packet(1, schema_id=NEW)), ("b", b"noise")):
        (tmp_path / "in" / name).write_bytes(payload)
    opened = desk()
    ((packets, unread),) = read_files(tmp_path / "in", ["a", "b", "gone"])
    opened.committer.commit(0, kafka_worker.harvest(Intake(packets, unread)))
    assert [letter["stage"] for letter in opened.waiting()] == ["schema", "decode", "read"]
    assert {letter["topic"] for letter in opened.waiting()} == {None}
    taught(NEW)
    done = opened.replay()
    assert (done.tried, done.annotated, done.failed.total()) == (3, 1, 2)
    assert opened.committer.ledger.positions == {}
    opened.check()


def test_a_shadow_classifies_what_is_replayed_too(desk, small_packet, kafka_records, taught, bundle, monkeypatch):
    opened = desk()
    shadow = ShadowModel(bundle.path, bundle.sha256)
    monkeypatch.setattr(opened, "_worker", replace(opened.worker(), shadow=shadow))
    opened.take(0, kafka_records([small_packet(1), small_packet(2, schema_id=NEW)]))
    assert opened.committer.ledger.total.shadow[bundle.sha256[:12]]["alerts"] == 1
    taught(NEW)
    assert opened.replay().annotated == 1
    assert opened.committer.ledger.total.shadow == {bundle.sha256[:12]: {"alerts": 2, "same": 2, "failures": 0}}
    parts = sorted(opened.run.shadow.glob("night=*/part-*.parquet"))
    rows = [row for part in parts for row in pq.read_table(part, partitioning=None).to_pylist()]
    assert sorted(row["diaSourceId"] for row in rows) == [1, 2]
    assert {row["distance"] for row in rows} == {0.0}
    opened.check()
