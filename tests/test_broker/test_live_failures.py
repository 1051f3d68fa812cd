"""What a person sees when the world fails a live run: a clear message, and no alert lost."""

import subprocess
import time
from contextlib import suppress

import pytest
from confluent_kafka import TopicPartition

from broker.local_kafka import LocalKafka

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kafka")]

EVERYTHING = "name: everything\nowner: me\ncondition: nPoints >= 0\n"
OUTAGE_SECONDS = 30
NEW_ID = 4242


@pytest.fixture(scope="module")
def small(sample_packets):
    """Packets that are decoded fast."""
    return [payload for _, payload in sample_packets if len(payload) < 150_000]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "filters").mkdir()
    (tmp_path / "filters" / "everything.yaml").write_text(EVERYTHING)
    return tmp_path


def from_to(brokers, topics, **more):
    """The keys of a run from topics to topics of one open cluster."""
    return {
        "source": {"kind": "kafka", "brokers": brokers, "topics": topics, **more.pop("source", {})},
        "filters": "filters",
        "table": {"kind": "delta"},
        "deliver": {"kafka": {"brokers": brokers, "topic": f"{topics[0]}-{{filter}}", **more.pop("deliver", {})}},
        **more,
    }


def fill(file):
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_a_broker_that_is_away_for_half_a_minute_is_waited_for(folder, live_run, small):
    with LocalKafka(folder / "kafka") as kafka:
        kafka.create_topic("alerts", 2)
        kafka.produce("alerts", *small[:5])
        run = live_run(folder, **from_to(kafka.brokers, ["alerts"]))
        with run.working():
            run.wait_for(lambda: run.messages() == 5, "the first packets")
            kafka.stop()
            time.sleep(OUTAGE_SECONDS)
            kafka.start()
            kafka.produce("alerts", *small[5:10])
            run.wait_for(lambda: run.messages() == 10, "the packets after the outage")
            assert run.terminate() == 0
        run.reconciled()


def test_a_full_disk_stops_it_with_a_message_and_it_goes_on_when_there_is_room(folder, live_run, kafka, topic, small):
    place = folder / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system can't be mounted here; this needs root")
    try:
        name = topic("alerts")
        kafka.produce(name, *small[:6])
        run = live_run(folder, **from_to(kafka.brokers, [name], table={"kind": "delta", "path": str(place / "table")}))
        run.once()
        filler = place / "filler"
        fill(filler)
        kafka.produce(name, *small[6:12])
        told = run.once(code=1)
        assert str(place / "table") in told
        assert "No space left" in told or "os error 28" in told
        filler.unlink()
        run.once()
        assert run.messages() == 12
        run.reconciled()
    finally:
        subprocess.run(["/usr/bin/umount", place], check=True)


def test_what_kafka_refuses_is_told_in_words(folder, live_run, kafka, topic, small):
    name = topic("alerts")
    kafka.produce(name, small[0])
    run = live_run(folder, ("wrong-secret", "alice-secret"), **from_to(kafka.brokers, [name]))
    run.environment = {"WRONG": "wrong-secret", "RIGHT": "alice-secret"}
    whole = dict(run.keys)

    def refused(**keys):
        run.configure(**{**whole, **keys})
        return run.once(code=1)

    to = whole["deliver"]["kafka"]
    wrong = {"user": "alice", "password": {"env": "WRONG"}}
    told = refused(deliver={"kafka": {**to, "brokers": kafka.sasl_brokers, "security": wrong}})
    assert "the login was refused" in told
    assert "alice" in told
    told = refused(deliver={"kafka": {**to, "topic": "nowhere-{filter}", "create_topics": False}})
    assert "there is no topic nowhere-everything" in told
    right = {"user": "alice", "password": {"env": "RIGHT"}}
    told = refused(source={**whole["source"], "brokers": kafka.sasl_brokers, "security": right})
    assert f"there is no topic {name}, or the user may not see it" in told
    told = refused(source={**whole["source"], "brokers": kafka.sasl_brokers, "security": wrong})
    assert "the login was refused" in told
    run.configure(**{**whole, "deliver": {"kafka": {**to, "max_message_bytes": 100}}})
    assert "messages for everything can't be sent" in run.once()
    assert run.books()["undeliverable"] == {"everything": 1}
    run.reconciled()


def test_messages_that_expired_stop_it_or_are_counted(folder, live_run, kafka, topic, small):
    name = topic("alerts")
    kafka.produce(name, *small[:3])
    run = live_run(folder, **from_to(kafka.brokers, [name]))
    run.once()
    kafka.produce(name, *small[3:9])
    admin = kafka.admin()  # lives until the answer is there
    for deleted in admin.delete_records([TopicPartition(name, 0, 7)]).values():
        deleted.result(timeout=30)
    told = run.once(code=1)
    assert f"{name}/0" in told
    assert "on_expired" in told
    assert "4 messages" in told
    run.configure(source={**run.keys["source"], "on_expired": "count"})
    run.once()
    assert run.books()["partitions"][f"{name}/0"]["skipped"] == 4
    assert run.messages() == 5
    run.reconciled()


def test_what_needs_a_registry_that_is_down_is_replayed_when_it_is_back(
    folder, live_run, kafka, topic, registry_server, registry, make_packet, small
):
    record = make_packet.record("lsst.v9_0.alert", diaSourceId=5, diaSource={"diaSourceId": 5, "ra": 1.0, "dec": 2.0})
    record["diaSource"]["midpointMjdTai"] = 61000.0
    registry_server.register("alerts-value", registry.by_name("lsst.v9_0.alert").json, NEW_ID)
    registry_server.stop()
    name = topic("alerts")
    kafka.produce(name, *small[:4], make_packet.wire("lsst.v9_0.alert", record, schema_id=NEW_ID))
    run = live_run(folder, registry={"url": registry_server.url}, **from_to(kafka.brokers, [name]))
    assert "1 packets without their schema" in run.once()
    assert run.books()["rejectStages"] == {"schema": 1}
    assert "1 stay" in run.boreal("deadletter", "replay", run.file, code=1) or run.books()["deadLettered"] == 1
    run.reconciled()
    registry_server.start()
    run.boreal("deadletter", "replay", run.file)
    books = run.books()
    assert (books["received"], books["annotated"], books["deadLettered"]) == (5, 5, 0)
    assert books["deliveries"]["everything"] == 5
    run.reconciled()
