"""The subscriber's guide, done: a run from Kafka to Kafka, the consumer of examples/, and a backtest afterwards."""

import json
import shutil
import subprocess
import sys
from threading import Timer
from uuid import uuid4

import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.backtest.backtest import backtest
from broker.backtest.passed import find_passing
from broker.backtest.places import alerts_of
from broker.filters.definition import load_filters
from broker.local.registry import SchemaRegistryServer
from broker.run_directory import RunDirectory
from broker.tables.parquet import ParquetAnnotations

pytestmark = pytest.mark.slow

LIMITED = "name: limited\nowner: me\ncondition: nPoints >= 1\nlimits: {perNight: 4, perObject: 1, cooldownDays: 0.5}\n"


@pytest.fixture(scope="module")
def done(kafka, tmp_path_factory, examples_dir, sample_packets, live_run):
    """A run that has taken all real packets, with the filters of examples/ and one of tight limits; its registry."""
    folder, stem = tmp_path_factory.mktemp("guide"), f"guide-{uuid4().hex[:8]}"
    shutil.copytree(examples_dir / "filters", folder / "filters")
    (folder / "filters" / "limited.yaml").write_text(LIMITED)
    kafka.create_topic(f"{stem}-alerts", 2)
    for k, (_, packet) in enumerate(sample_packets):
        kafka.produce(f"{stem}-alerts", packet, partition=k % 2)
    with SchemaRegistryServer() as registry:
        run = live_run(
            folder,
            source={"kind": "kafka", "brokers": kafka.brokers, "topics": [f"{stem}-alerts"]},
            filters="filters",
            registry={"url": registry.url},
            deliver={"kafka": {"brokers": kafka.brokers, "topic": f"{stem}-{{filter}}", "register_schemas": True}},
        )
        run.once()
        yield run, registry, stem


def table_of(run, *columns):
    return pa.concat_tables(ParquetAnnotations(RunDirectory(run.out)).rows(columns)).to_pylist()


def test_the_consumer_prints_what_was_sent(done, kafka, examples_dir):
    run, registry, stem = done
    topic = f"{stem}-limited"
    sent = kafka.read(topic)
    command = [sys.executable, examples_dir / "consumer.py", kafka.brokers, topic, registry.url]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as consumer:
        assert consumer.stdout
        patience = Timer(60, consumer.kill)
        patience.start()
        printed = [consumer.stdout.readline().rstrip() for _ in sent]
        patience.cancel()
        consumer.terminate()
    rows = table_of(run, "survey", "alertId", "objectId", "className", "probability", "deliveredTo")
    expected = {
        f"{row['survey']}/{row['alertId']}": f"{row['objectId']} {row['className']} {round(row['probability'], 3)}"
        for row in rows
        if "limited" in row["deliveredTo"]
    }
    assert len(expected) == len(sent) > 10
    told = (line.split(" ", 1) for line in printed)
    assert {key.rsplit("/", 2)[0]: rest for key, rest in told} == expected


def test_a_backtest_tells_what_the_run_delivered(done):
    run, _, _ = done
    books = run.books()
    for place in (run.out, run.file):
        told = json.loads(run.boreal("filter", "backtest", run.folder / "filters", "--over", place, "--json"))
        assert told["alerts"] == books["annotated"]
        assert {each["name"]: each["sent"] for each in told["filters"] if each["sent"]} == books["deliveries"]
        assert {each["name"]: each["heldBack"] for each in told["filters"] if each["heldBack"]} == books["cut"]
    assert books["cut"]["limited"]["perNight"] > 0


def test_the_overlap_that_the_table_tells_is_that_of_the_filters(done):
    run, _, _ = done
    name = run.folder / "filters" / "limited.yaml"
    told = json.loads(
        run.boreal("filter", "backtest", name, "--over", run.out, "--with", run.folder / "filters", "--json")
    )
    overlap = told["filters"][0]["overlap"]
    by_file = {each["name"]: each["alerts"] for each in overlap if each["from"] == "file" and each["alerts"]}
    by_table = {each["name"]: each["alerts"] for each in overlap if each["from"] == "table"}
    assert by_table == {**by_file, "limited": told["filters"][0]["sent"]}
    assert "everything-classified" in by_file


def test_the_alerts_it_says_are_those_that_were_delivered(done, bundle):
    run, _, _ = done
    filters = load_filters(run.folder / "filters", schema_for(bundle.manifest))
    passed = find_passing(alerts_of([str(run.out)], pytest.fail), filters)
    table = table_of(run, "alertId", "deliveredTo")
    for each in filters:
        rows = backtest(each, passed).sent.rows
        sent = passed.rows["alertId"].take(pa.array(rows)).to_pylist()
        assert sorted(sent) == sorted(row["alertId"] for row in table if each.name in row["deliveredTo"])
