"""What a person sees when the world fails a live run: a clear message, and no alert lost."""

import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from functools import partial

import pyarrow as pa
import pytest
from confluent_kafka import TopicPartition

from broker.errors import KafkaFailedError
from broker.kafka.publisher import Publisher
from broker.kafka.run_settings import KafkaDelivery
from broker.local.kafka import LocalKafka
from broker.outgoing.outbox import OUTGOING

pytestmark = pytest.mark.slow

EVERYTHING = "name: everything\nowner: me\ncondition: nPoints < 1000000\n"
SECRETS = ("wrong-secret", "alice-secret", "bob-secret")
OUTAGE_SECONDS = 30
SOON_SECONDS = 60
NEW_ID = 4242


@pytest.fixture(scope="module")
def small(sample_packets):
    """Packets that are decoded fast."""
    return [payload for _, payload in sample_packets if len(payload) < 150_000]


@pytest.fixture
def run_of(tmp_path, live_run):
    """Make a run from topics to topics, with one filter that everything passes."""
    (tmp_path / "filters").mkdir()
    (tmp_path / "filters" / "everything.yaml").write_text(EVERYTHING)

    def make(brokers, name, source=None, deliver=None, **more):
        run = live_run(
            tmp_path,
            SECRETS,
            source={"kind": "kafka", "brokers": brokers, "topics": [name], **(source or {})},
            filters="filters",
            deliver={"kafka": {"brokers": brokers, "topic": f"{name}-{{filter}}", **(deliver or {})}},
            table={"kind": "delta"},
            **more,
        )
        run.environment = {"WRONG": "wrong-secret", "ALICE": "alice-secret", "BOB": "bob-secret"}
        return run

    return make


def login(user, variable):
    return {"user": user, "password": {"env": variable}}


def test_brokers_that_are_away_are_waited_for(tmp_path, run_of, small):
    with LocalKafka(tmp_path / "alerts") as alerts, LocalKafka(tmp_path / "deliveries") as deliveries:
        alerts.create_topic("alerts", 2)
        alerts.produce("alerts", *small[:5])
        run = run_of(alerts.brokers, "alerts", deliver={"brokers": deliveries.brokers})
        with run.working():
            run.wait_for(lambda: run.messages() == 5, "the first packets")

            run.wait_for(lambda: not outbox(run), "their delivery")
            deliveries.kill()
            alerts.produce("alerts", *small[5:8])
            run.wait_for(lambda: run.messages() == 8, "packets that can't be delivered")
            time.sleep(2)
            assert outbox(run)
            deliveries.start()
            run.wait_for(lambda: not outbox(run), "delivery after the crash")

            alerts.stop()
            time.sleep(OUTAGE_SECONDS)
            alerts.start()
            alerts.produce("alerts", *small[8:11])
            run.wait_for(lambda: run.messages() == 11, "packets after the outage")
            assert run.terminate() == 0
        assert run.printed().count(f"Kafka at {deliveries.brokers}") == 1
        assert "it is waited for" in run.printed()
        run.reconciled()


def test_a_user_who_may_write_nothing_is_told_so(tmp_path):
    (tmp_path / "password").write_text("carol-secret")
    login = {"user": "carol", "password": {"file": tmp_path / "password"}}
    with LocalKafka(tmp_path / "kafka", users={"carol": "carol-secret"}, authorize=True) as kafka:
        kafka.create_topic("closed")
        kafka.allow("carol", "topic", "closed", "describe")
        publisher = Publisher(KafkaDelivery(brokers=kafka.sasl_brokers, security=login), 1000)
        message = pa.table([["closed"], ["key"], [b"value"], [[]]], schema=OUTGOING)
        with pytest.raises(KafkaFailedError, match=r"as carol.*: the user has no right to write idempotently"):
            publisher.send(message)
        publisher.close()


def outbox(run):
    return list((run.out / "outbox").glob("part-*"))


@contextmanager
def small_disk(place, size):
    place.mkdir()
    mount = shutil.which("mount")
    mounting = [mount or "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if not mount or subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can't be mounted here; this needs root")
    try:
        yield
    finally:
        subprocess.run([shutil.which("umount") or "umount", place], check=True)


def fill(file, leave):
    """Write until the disk is full but for a few bytes."""
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with file.open("r+b") as filler:
        filler.truncate(file.stat().st_size - leave)


@pytest.mark.parametrize(("full", "leave"), [("table", 64), ("out", 32)], ids=["table", "results"])
def test_a_full_disk_stops_it_and_it_goes_on_when_there_is_room(full, leave, tmp_path, run_of, kafka, topic, small):
    with small_disk(tmp_path / "disk", "12m"):
        name, filler = topic("alerts"), tmp_path / "disk" / "filler"
        kafka.produce(name, *small[:6], small[0])
        run = run_of(kafka.brokers, name)
        if full == "table":
            run.configure(table={"kind": "delta", "path": "disk/table"})
        else:
            run.configure(to="disk/out")
            run.out = tmp_path / "disk" / "out"
            fill(filler, leave=0)
            told = run.once(code=1)  # before Spark starts; with what is left below, Spark itself fails
            assert f"a disk is full ([Errno 28] No space left on device: '{run.out}" in told
        fill(filler, leave * 1024)
        told = run.once(code=1)
        assert "No space left on device" in told
        assert (str(tmp_path / "disk" / "table") if full == "table" else "make room where the results") in told
        assert run.messages() == 0
        filler.unlink()
        run.once()
        assert run.messages() == 7
        assert (run.books()["annotated"], run.books()["duplicates"]) == (6, 1)
        run.reconciled()


def test_what_kafka_or_a_registry_refuses_is_told_before_spark_starts(run_of, kafka, topic, small, registry_server):
    name, closed, seen = topic("alerts"), topic("closed"), topic("seen")
    for each in (name, closed, seen):
        kafka.produce(each, small[0])
    for each, rights in ((name, ("read", "describe")), (seen, ("describe",))):
        kafka.allow("alice", "topic", each, *rights)
    run = run_of(kafka.brokers, name)
    keys = dict(run.keys)

    def told(**changed):
        started = time.monotonic()
        run.configure(**{**keys, **changed})
        printed = run.once(code=1)
        assert time.monotonic() - started < SOON_SECONDS
        assert "incubator" not in printed  # Spark's first word
        assert len(printed.splitlines()) == 1, printed
        return printed

    def of_source(brokers=kafka.sasl_brokers, **changed):
        return told(source={**keys["source"], "brokers": brokers, "security": login("alice", "ALICE"), **changed})

    def of_delivery(**changed):
        to = {**keys["deliver"]["kafka"], "brokers": kafka.sasl_brokers, "security": login("bob", "BOB")}
        return told(deliver={"kafka": to | changed})

    assert "as alice: the login was refused" in of_source(security=login("alice", "WRONG"))
    assert "as bob: the login was refused" in of_delivery(security=login("bob", "WRONG"))
    assert "the encrypted connection failed" in of_source(
        kafka.sasl_ssl_brokers, security={**login("alice", "ALICE"), "tls": True}
    )
    assert "expects encryption or a login" in of_source(security={})
    assert "a broker can't be reached" in of_source("127.0.0.1:1")
    assert "there is no topic nowhere, or the user may not see it" in of_source(topics=["nowhere"])
    assert f"there is no topic {closed}, or the user may not see it" in of_source(topics=[closed])
    assert f"topic {seen}: the user has no right to the topic" in of_source(topics=[seen])
    assert "topic nowhere-everything: the user has no right to the topic" in of_delivery(topic="nowhere-{filter}")
    assert "there is no topic nowhere-everything" in of_delivery(topic="nowhere-{filter}", create_topics=False)

    registry_server.stop()
    registering = {"kafka": {**keys["deliver"]["kafka"], "register_schemas": True}}
    printed = told(deliver=registering, registry={"url": registry_server.url})
    assert f"the schema registry at {registry_server.url} didn't take the schema of {name}-everything-value" in printed
    assert "register_schemas: false" in printed


def test_a_topic_without_the_right_to_read_stops_it_when_messages_come(run_of, kafka, topic, small):
    name, beyond = topic("alerts"), "a-group-that-is-not-allowed"
    kafka.allow("alice", "topic", name, "describe")
    security = {"brokers": kafka.sasl_brokers, "security": login("alice", "ALICE"), "group_prefix": beyond}
    run = run_of(kafka.brokers, name, source=security)
    with run.working():
        checkpoint = run.out / "checkpoint" / "offsets"
        run.wait_for(checkpoint.exists, "the query")
        kafka.produce(name, small[0])
        assert run.wait_for_the_end() == 1
    assert "the user has no right to read a topic of the source" in run.printed()
    assert f"Not authorized to access topics: [{name}]" in run.printed()
    assert run.messages() == 0


def test_deliveries_that_kafka_refuses_stay_in_the_outbox_until_it_takes_them(run_of, kafka, topic, small):
    name = topic("alerts")
    everything, annotations = f"{name}-everything", f"{name}-annotations"
    kafka.create_topic(everything)
    kafka.create_topic(annotations, 1, {"max.message.bytes": "300"})
    for each in (everything, annotations):
        kafka.allow("bob", "topic", each, "describe", "read")
    kafka.allow("bob", "topic", f"{name}-another", "write")  # so that it is the topics that are refused
    kafka.produce(name, *small[:3])
    to = {"brokers": kafka.sasl_brokers, "security": login("bob", "BOB"), "annotations": annotations}
    run = run_of(kafka.brokers, name, deliver=to)
    printed = run.once(code=1)
    assert "as bob, topic " in printed
    assert ": the user has no right to the topic" in printed
    assert run.messages() == 3

    for each in (everything, annotations):
        kafka.allow("bob", "topic", each, "write")
    printed = run.once(code=1)
    assert f"topic {annotations}: a message is larger than the topic allows" in printed
    assert "max_message_bytes" in printed
    assert "incubator" not in printed  # what is in the outbox is sent before Spark starts

    lift(kafka, annotations)
    kafka.produce(name, *small[3:5])
    run.once()
    assert not outbox(run)
    topics = {found["topic"]: found for found in run.reconciled()["topics"]}
    assert topics[everything]["wanted"] == topics[annotations]["messages"] == 5
    assert topics[everything]["messages"] == 5 + topics[everything]["repeats"]


def lift(kafka, name):
    """Let a topic take messages of the usual size."""
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    entry = ConfigEntry("max.message.bytes", "1000000", incremental_operation=AlterConfigOpType.SET)
    admin = kafka.admin()
    wanted = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin.incremental_alter_configs([wanted])[wanted].result()


def test_limits_are_kept_and_what_expired_stops_it_or_is_counted(run_of, kafka, topic, small):
    name = topic("alerts")
    place, admin = TopicPartition(name, 0), kafka.admin()
    kafka.produce(name, *(b"\xff" * 1000 for _ in range(20)), small[0])
    limits = {"max_messages_per_batch": 7, "max_bytes_per_batch": 1_000_000}
    run = run_of(kafka.brokers, name, source=limits, deliver={"max_message_bytes": 100})
    with run.working():
        run.wait_for(lambda: run.messages() == 21, "small messages")
        kafka.produce(name, *(b"\xff" * 300_000 for _ in range(40)))
        run.wait_for(lambda: run.messages() == 61, "large messages")
        assert run.terminate() == 0
    batches = [page["partitions"][f"{name}/0"] for page in run.pages()]
    assert max(batch["messages"] for batch in batches) == 7
    large = [batch for batch in batches if batch["bytes"] > 200_000 * batch["messages"]]
    assert len(large) > 6
    assert all(batch["messages"] <= 3 and batch["bytes"] <= 1_000_000 for batch in large[4:])
    assert "1 messages for everything can't be sent" in run.printed()
    assert run.books()["undeliverable"] == {"everything": 1}
    run.reconciled()

    kafka.produce(name, *small[1:7])
    admin.delete_records([TopicPartition(name, 0, 65)])[place].result()
    told = run.once(code=1)
    assert f"4 messages of {name}/0 expired before they were read" in told
    assert "`source.on_expired: count`" in told
    run.configure(source={**run.keys["source"], "on_expired": "count"})
    run.once()
    assert run.books()["partitions"][f"{name}/0"]["skipped"] == 4
    assert run.messages() == 63
    run.reconciled()

    admin.delete_topics([name])[name].result()
    time.sleep(1)
    create(kafka, name)
    assert f"{name}/0 ends at 0, and the ledger has read it up to 67" in run.once(code=1)


def create(kafka, name):
    """Make a topic that was deleted just now; Kafka may take a moment to see that."""
    deadline = time.monotonic() + SOON_SECONDS
    while True:
        try:
            return kafka.create_topic(name)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def test_what_needs_a_registry_that_is_down_is_replayed_when_it_is_back(
    run_of, kafka, topic, registry_server, registry, make_packet, small
):
    record = make_packet.record("lsst.v9_0.alert", diaSourceId=5, diaSource={"diaSourceId": 5, "ra": 1.0, "dec": 2.0})
    record["diaSource"]["midpointMjdTai"] = 61000.0
    registry_server.register("alerts-value", registry.by_name("lsst.v9_0.alert").json, NEW_ID)
    registry_server.stop()
    name = topic("alerts")
    kafka.produce(name, *small[:4], make_packet.wire("lsst.v9_0.alert", record, schema_id=NEW_ID))
    run = run_of(kafka.brokers, name, registry={"url": registry_server.url})
    printed = run.once()
    assert "1 packets without their schema" in printed
    assert f"the registry at {registry_server.url} can't be reached" in printed
    assert (run.books()["annotated"], run.books()["rejectStages"]) == (4, {"schema": 1})
    run.reconciled()

    replay = partial(run.boreal, "deadletter", "replay", run.file, "--stage", "schema")
    assert f"the registry at {registry_server.url} can't be reached" in replay(code=1)
    run.reconciled()
    registry_server.start()
    replay()
    books = run.books()
    assert (books["received"], books["annotated"], books["deadLettered"]) == (5, 5, 0)
    assert books["deliveries"]["everything"] == 5
    run.reconciled()
