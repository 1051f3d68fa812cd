"""A night from Kafka to Kafka, as a person runs it: one run that works, looked at from all sides, then stopped."""

import json
import shutil
import time
from io import BytesIO
from urllib.request import urlopen
from uuid import uuid4

import fastavro
import pytest
import yaml

from broker.annotate import schema_for
from broker.local._ports import free_ports
from broker.local.registry import SchemaRegistryServer
from broker.pipeline import process
from schemas.packets import packets
from schemas.registry import BundledRegistry

pytestmark = pytest.mark.slow

REGISTRY_USERS = {"carol": "carol-secret"}
SECRETS = ("alice-secret", "bob-secret", "carol-secret")
NEW_ID = 4242
TEXT = "name: as-text\nowner: me\ncondition: nPoints >= 0\noutputs: {formats: [jsonl]}\n"


class Night:
    """The run, and what is around it."""

    def __init__(self, run, kafka, registry, stem, port):
        self.run, self.kafka, self.registry, self.stem = run, kafka, registry, stem
        self.ui = f"http://localhost:{port}"
        self.topics = []
        self.sent = 0

    def new_topic(self, name, partitions=1):
        self.kafka.create_topic(f"{self.stem}-alerts-{name}", partitions)
        self.topics.append(f"{self.stem}-alerts-{name}")
        return self.topics[-1]

    def send(self, topic, *values, partition=0):
        self.kafka.produce(topic, *values, partition=partition)
        self.sent += len(values)

    def wait_until_read(self):
        self.run.wait_for(lambda: self.run.messages() == self.sent, f"{self.sent} messages in the books")

    def came(self):
        """Every packet that was sent, under the name that a run gives it."""
        for topic in self.topics:
            for message in self.kafka.read(topic):
                yield f"{topic}/{message.partition()}/{message.offset()}", message.value() or b""

    def delivered(self, name):
        return self.kafka.read(f"{self.stem}-{name}")

    def subscribed(self, name):
        """Alerts that the books say a filter was sent."""
        return self.run.books()["deliveries"].get(name, 0)


def several_ztf(sample_packets):
    """A container of two alerts that no other packet has."""
    whole = dict(sample_packets)["ztf/v3_2_697251922015015001.avro"]
    reader = fastavro.reader(BytesIO(whole))
    alert = next(reader)
    out = BytesIO()
    fastavro.writer(out, reader.writer_schema, [{**alert, "candid": n, "objectId": f"ZTF-{n}"} for n in (1, 2)])
    return out.getvalue()


@pytest.fixture(scope="module")
def night(kafka, tmp_path_factory, examples_dir, sample_packets, live_run):
    """The run at work, with the first packets read: SASL and TLS, a registry with a login, Spark's pages, Delta."""
    folder, stem, port = tmp_path_factory.mktemp("night"), f"night-{uuid4().hex[:8]}", free_ports(1)[0]
    shutil.copytree(examples_dir / "filters", folder / "filters")
    (folder / "filters" / "as-text.yaml").write_text(TEXT)
    (folder / "alice").write_text("alice-secret\n")
    kafka.allow("alice", "topic", f"{stem}-alerts-*", "read", "describe")
    kafka.allow("bob", "topic", f"{stem}-*", "create", "write", "describe", "read")
    tls = {"tls": True, "ca_file": str(kafka.ca_file)}
    deliver = {
        "brokers": kafka.sasl_brokers,
        "security": {"user": "bob", "password": {"env": "BOBS"}},
        "topic": f"{stem}-{{filter}}",
        "annotations": f"{stem}-all",
        "deadletter": f"{stem}-dead",
        "desc_classifications": f"{stem}-classes",
        "desc_messages": f"{stem}-desc",
        "register_schemas": True,
    }
    with SchemaRegistryServer(users=REGISTRY_USERS) as registry:
        run = live_run(
            folder,
            SECRETS,
            source={
                "kind": "kafka",
                "brokers": kafka.sasl_ssl_brokers,
                "security": {"user": "alice", "password": {"file": "alice"}, **tls},
                "pattern": rf"{stem}-alerts-v\d+",
                "max_messages_per_batch": 16,
                "options": {"metadata.max.age.ms": 1000},
            },
            filters="filters",
            registry={
                "url": registry.url, "user": "carol", "password": {"env": "CAROLS"}, "retry_after_seconds": 0.5
            },
            deliver={"kafka": deliver},
            table={"kind": "delta"},
            spark={"master": "local[2]", "extra": {"spark.ui.enabled": True, "spark.ui.port": port}},
        )  # fmt: skip
        run.environment = {"BOBS": "bob-secret", "CAROLS": "carol-secret"}
        made = Night(run, kafka, registry, stem, port)
        topic = made.new_topic("v7", 3)
        for k, (_, packet) in enumerate(sample_packets[:-4]):
            made.send(topic, packet, partition=k % 3)
        broken = sample_packets[0][1][:3000]
        made.send(topic, several_ztf(sample_packets), b"hello", None, b"", broken, sample_packets[3][1], partition=2)
        with run.working():
            made.wait_until_read()
            yield made


def test_visits_are_told_while_the_run_works(night):
    printed, books = night.run.boreal("visits", night.run.file, "--all", "--json"), night.run.books()
    told = json.loads(printed[printed.index("{\n") :])  # progress is printed, too
    visits = told["visits"]
    assert sum(row["alerts"] for row in visits) + sum(told["withoutVisit"].values()) == books["annotated"]
    assert set(told["withoutVisit"]) == {"ztf"}
    assert sum(row["duplicates"] for row in visits) == books["duplicates"] > 0
    assert told["deadLettersOfUnknownVisit"] == books["deadLettered"] > 0
    for row in visits:
        first, mean, last = (row[f"kafka{which}Seconds"] for which in ("First", "Mean", "Last"))
        assert first <= mean <= last < row["annotatedLastSeconds"] < first + 600
    assert max(row["detectors"] for row in visits) > 1


def test_passwords_are_on_no_page_of_spark(night):
    applications = json.loads(page(f"{night.ui}/api/v1/applications"))
    api = f"{night.ui}/api/v1/applications/{applications[0]['id']}"
    calls = ("environment", "jobs", "stages", "sql?details=true&planDescription=true", "executors", "allexecutors")
    pages = ("jobs/", "stages/", "environment/", "executors/", "SQL/", "StreamingQuery/")
    found = {
        **{call: page(f"{api}/{call}") for call in calls},
        **{name: page(f"{night.ui}/{name}") for name in pages},
    }
    for number in {row["id"] for row in json.loads(found["sql?details=true&planDescription=true"])}:
        found[f"execution {number}"] = page(f"{night.ui}/SQL/execution/?id={number}")
    assert "spark.app.name" in found["environment"]
    assert any("MapInArrow" in text for text in found.values())
    for secret in SECRETS:
        assert not [name for name, text in found.items() if secret in text]


def page(url):
    with urlopen(url, timeout=60) as answer:  # noqa: S310  # Spark's own, on this machine
        return answer.read().decode()


def test_a_schema_that_is_new_to_the_registry_is_used_without_a_restart(night, registry, make_packet):
    record = make_packet.record("lsst.v9_0.alert", diaSourceId=77, diaSource={"diaSourceId": 77, "ra": 1.0, "dec": 2.0})
    record["diaSource"]["midpointMjdTai"] = 61000.0
    packet = make_packet.wire("lsst.v9_0.alert", record, schema_id=NEW_ID)
    before = night.run.books()
    night.send(night.topics[0], packet)
    night.wait_until_read()
    assert night.run.books()["rejectStages"]["schema"] == before["rejectStages"].get("schema", 0) + 1
    told = "1 packets without their schema: unknown schema: no schema has the id 4242"
    night.run.wait_for(lambda: told in night.run.printed(), "what is said of the micro-batch")

    night.registry.register("lsst-alerts-value", registry.by_name("lsst.v9_0.alert").json, NEW_ID)
    time.sleep(0.6)  # retry_after_seconds
    night.send(night.topics[0], packet)
    night.wait_until_read()
    assert night.run.books()["annotated"] == before["annotated"] + 1


def test_a_topic_that_is_made_later_is_read(night, sample_packets):
    late = night.new_topic("v10", 2)
    for k, (_, packet) in enumerate(sample_packets[-4:-2]):
        night.send(late, packet, partition=k)
    night.wait_until_read()
    assert night.run.books()["partitions"][f"{late}/1"]["annotated"] == 1
    night.kafka.create_topic(f"{night.stem}-alerts-other")  # doesn't match
    night.kafka.produce(f"{night.stem}-alerts-other", b"not wanted")


def test_filters_change_while_it_works_and_disturb_no_other(night, sample_packets):
    folder, run = night.run.folder / "filters", night.run
    before = night.subscribed("everything-classified")
    changed = yaml.safe_load((folder / "as-text.yaml").read_text()) | {"condition": "survey = 'ztf'", "version": "2"}
    texts = night.subscribed("as-text")
    write(folder / "as-text.yaml", yaml.safe_dump(changed))
    write(folder / "kilonovae.yaml", "name: kilonovae\nowner: me\ncondition: pKilonov > 0.5\n")
    write(folder / "newcomer.yaml", "name: newcomer\nowner: you\ncondition: nPoints >= 0\noutputs: {formats: [avro]}\n")
    night.send(night.topics[0], sample_packets[-2][1], lsst_copy(sample_packets, 91))
    night.wait_until_read()
    printed = run.printed()
    assert "filters new: newcomer" in printed
    assert "filters changed: as-text" in printed
    assert printed.count("not taken: ") == 1
    assert "kilonovae.yaml:3:12" in printed
    assert night.subscribed("newcomer") == 2
    assert night.subscribed("as-text") == texts + 1
    assert night.subscribed("everything-classified") >= before + 1
    run.wait_for(lambda: len(night.delivered("newcomer")) == 2, "what the newcomer is sent")
    assert {message.key() for message in night.delivered("newcomer")} <= {m.key() for m in night.delivered("all")}


def write(path, text):
    """As docs/operations.md asks for."""
    hidden = path.with_name(f".{path.name}")
    hidden.write_text(text)
    hidden.replace(path)


def lsst_copy(sample_packets, source):
    """A real packet under another id."""
    schema = BundledRegistry().by_name("lsst.v9_0.alert")
    whole = next(packet for origin, packet in sample_packets if origin.startswith("lsst/v9_0"))
    record = fastavro.schemaless_reader(BytesIO(whole[5:]), schema.parsed, None)
    record["diaSourceId"] = record["diaSource"]["diaSourceId"] = source
    out = BytesIO(whole[:5])
    out.seek(5)
    fastavro.schemaless_writer(out, schema.parsed, record)
    return out.getvalue()


@pytest.fixture(scope="module")
def ended(night, sample_packets):
    """The same run, sent SIGTERM while many micro-batches waited: more than it can take while they are sent."""
    night.send(night.topics[0], *(packet for _, packet in sample_packets[:25] for _ in range(6)))
    before = len(night.run.pages())
    night.run.wait_for(lambda: len(night.run.pages()) > before, "the next micro-batch")
    at_the_signal = len(night.run.pages())
    night.code = night.run.terminate()
    night.batches_after_the_signal = len(night.run.pages()) - at_the_signal
    return night


def test_sigterm_ends_it_within_a_micro_batch(ended):
    assert ended.code == 0
    assert ended.batches_after_the_signal <= 1
    assert ended.run.messages() < ended.sent
    assert "The books: received is the sum of the rest" in ended.run.printed()
    ended.run.reconciled()


def test_passwords_are_in_no_file_of_the_run(ended):
    assert ended.run.files_with("alice-secret") == [ended.run.folder / "alice"]
    assert not ended.run.files_with("bob-secret")
    assert not ended.run.files_with("carol-secret")
    assert not ended.run.boreal("run", "--help").count("secret")


def test_its_answers_are_those_of_the_pure_function(ended, bundle, filters):
    schema = schema_for(bundle.manifest)
    here = [field.name for field in schema if field.name != "matchedFilters"]  # filters changed meanwhile
    known = learned()
    outcome = process(packets(list(ended.came())), known, bundle, filters)
    expected = {row["origin"]: row for row in outcome.annotations.select(here).to_pylist()}
    found = ended.run.table(schema.remove(schema.get_field_index("matchedFilters")))
    assert len(found) == ended.run.books()["annotated"]
    assert found == {origin: expected[origin] for origin in found}


def learned():
    """The bundled schemas, and the one that the registry has."""

    class Learned(BundledRegistry):
        def by_id(self, schema_id):
            return self.by_name("lsst.v9_0.alert") if schema_id == NEW_ID else super().by_id(schema_id)

    return Learned()


def test_subscribers_can_read_what_they_get(ended):
    run, read = ended.run, {}
    for name in ("everything-classified", "as-text", "newcomer", "all", "classes", "desc"):
        for message in ended.delivered(name):
            value = message.value()
            if value[:1] == b"\0":
                schema = schema_of(ended, int.from_bytes(value[1:5], "big"))
                body = BytesIO(value[5:])
                record = fastavro.schemaless_reader(body, schema, None)
                assert not body.read()
            else:
                record = json.loads(value)
            read.setdefault(name, []).append((message, record))
    assert len(read["all"]) == len(read["classes"]) == run.books()["annotated"]
    assert len(read["desc"]) == run.books()["schemas"]["lsst 10.0"]
    assert all(message.value()[:1] == b"{" for message, _ in read["as-text"])
    for name in ("everything-classified", "as-text", "newcomer"):
        assert len(read[name]) == ended.subscribed(name)
        for message, record in read[name]:
            assert message.key().decode().split("/")[:2] == [record["survey"], str(record["alertId"])]
            assert dict(message.headers())["filter"].decode() == record["filter"]["name"] == name
            assert message.timestamp()[1] >= int(dict(message.headers())["publishedMs"])


def schema_of(night, number):
    """The schema in the results, which is the registry's."""
    kept = json.loads((night.run.out / "schemas" / f"{number}.avsc").read_text())
    status, told = night.registry._store.answer("GET", f"/schemas/ids/{number}", b"")
    assert status == 200
    assert json.loads(told["schema"]) == kept
    return fastavro.parse_schema(kept)


def test_what_was_turned_away_is_there_whole(ended):
    dead = {dict(message.headers())["origin"].decode(): message for message in ended.delivered("dead")}
    came = dict(ended.came())
    listed = json.loads(ended.run.boreal("deadletter", "list", ended.run.out, "--json"))
    assert {row["origin"] for row in listed} == dead.keys()
    assert all((message.value() or b"") == came[origin] for origin, message in dead.items())
    assert sorted({row["stage"] for row in listed}) in (["decode"], ["decode", "schema"])
    assert len({row["reason"] for row in listed}) >= 3


def test_started_again_it_goes_on_with_its_checkpoint_and_without_it(ended):
    run, before = ended.run, ended.run.books()
    run.once()
    after = run.books()
    assert run.messages() == ended.sent
    assert after["annotated"] == before["annotated"]
    assert after["duplicates"] > before["duplicates"]

    (run.out / "checkpoint").rename(run.out / "checkpoint.old")
    ended.send(ended.topics[0], b"one more")
    run.once()
    assert run.messages() == ended.sent
    assert run.books()["received"] == after["received"] + 1
    assert len(run.books()["lastBatch"]) == 2
    found = run.reconciled()
    assert sum(topic["repeats"] for topic in found["topics"]) == 0
    assert sum(partition["waiting"] for partition in found["partitions"]) == 0


def test_a_checkpoint_of_another_source_is_refused(ended):
    run, keys = ended.run, dict(ended.run.keys)
    (run.folder / "in").mkdir()
    try:
        run.configure(source={"kind": "directory", "path": "in"})
        told = run.boreal("run", run.file, "--once", code=2)
    finally:
        run.configure(**keys)
    assert "can't be used: it reads from a source of kind kafka, and this run from directory" in told
    assert f"mv {run.out / 'checkpoint'} {run.out / 'checkpoint'}.old" in told
