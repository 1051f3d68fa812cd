"""A real Prometheus over a live run with a real Kafka broker: totals, rules and the dashboard's queries."""

import json
import math
import re
import shutil
import subprocess
import time
from urllib.request import urlopen
from uuid import uuid4

import pytest

from benchmarks.live.asked import Span, series_of, series_of_query
from broker.local._ports import free_ports
from broker.local.prometheus import LocalPrometheus, program

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("prometheus_programs")]

LIMITED = "name: limited\nowner: me\ncondition: nPoints >= 0\nlimits: {perNight: 2}\noutputs: {formats: [avro]}\n"
WRONG = "name: wrong\nowner: me\ncondition: pKilonov > 0.5\n"
UNKNOWN_SCHEMA = b"\0\0\0\x10\x92" + bytes(100)
SCRAPED_SECONDS = 2


class Watched:
    """A run, its Prometheus, and the time that it was watched for."""

    def __init__(self, run, server, target):
        self.run, self.server, self.target = run, server, target
        self.start = time.time()
        self.scrape = ""

    @property
    def span(self):
        return Span(self.start, time.time(), SCRAPED_SECONDS)


@pytest.fixture(scope="module")
def watched(kafka, tmp_path_factory, examples_dir, sample_packets, live_run, folder, candidate):
    """The run at work, after packets good and bad, a refused filter and a reconcile; idle by now."""
    home, stem, port = tmp_path_factory.mktemp("watched"), f"watched-{uuid4().hex[:8]}", free_ports(1)[0]
    shutil.copytree(examples_dir / "filters", home / "filters")
    (home / "filters" / "limited.yaml").write_text(LIMITED)
    kafka.create_topic(f"{stem}-alerts", 2)
    run = live_run(
        home,
        source={"kind": "kafka", "brokers": kafka.brokers, "topics": [f"{stem}-alerts"], "max_messages_per_batch": 16},
        filters="filters",
        table={"kind": "delta"},
        deliver={
            "kafka": {
                "brokers": kafka.brokers, "topic": f"{stem}-{{filter}}", "annotations": f"{stem}-all",
                "deadletter": f"{stem}-dead", "max_message_bytes": 20_000,
            }
        },
        shadow={"bundle": str(candidate)},
        metrics={"port": port, "lag_every_seconds": 1, "drift_reference": 5, "drift_window": 5},
    )  # fmt: skip
    rules = folder / "rules.yaml"
    with run.working(), LocalPrometheus(home / "prometheus", [f"127.0.0.1:{port}"], [rules], SCRAPED_SECONDS) as server:
        made = Watched(run, server, f"127.0.0.1:{port}")
        run.wait_for(lambda: server.query("boreal_ready == 1"), "the stream")
        packets = [packet for _, packet in sample_packets]
        for k, bad in enumerate((UNKNOWN_SCHEMA, b"hello", packets[0], b"")):
            sent = [*packets[k::4], bad]
            read = run.messages() + len(sent)
            kafka.produce(f"{stem}-alerts", *sent, partition=k % 2)
            run.wait_for(lambda n=read: run.messages() == n, "what was sent in the books")
            (home / "filters" / "wrong.yaml").write_text(WRONG)
        run.reconciled()
        run.wait_for(lambda: server.query("sum(boreal_lag_messages) == 0"), "a lag of 0")
        server.wait_for(f"boreal_alerts_received_total == {run.books()['received']}")
        time.sleep(3 * SCRAPED_SECONDS)
        with urlopen(f"http://{made.target}/metrics", timeout=30) as answer:
            made.scrape = answer.read().decode()
        yield made


def test_promtool_finds_nothing_wrong_with_the_metrics(watched):
    done = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=watched.scrape, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_is_scraped_without_a_fault(watched):
    watched.server.wait_for("up == 1")
    [target] = watched.server.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    assert target["lastScrapeDuration"] < SCRAPED_SECONDS


def test_the_totals_are_the_ledgers(watched):
    books = watched.run.books()
    received = sum(books[key] for key in ("annotated", "duplicates", "deadLettered"))
    assert received == books["received"] == total(watched, "boreal_alerts_received_total")
    assert books["annotated"] == total(watched, "sum(boreal_alerts_annotated_total)")
    assert books["duplicates"] == total(watched, "boreal_alerts_duplicate_total") == 1
    assert books["deadLettered"] == total(watched, "sum(boreal_alerts_dead_lettered_total)") == 3
    assert books["deliveries"]["limited"] == total(watched, 'boreal_deliveries_total{filter="limited"}')
    assert total(watched, "boreal_ledger_difference") == 0
    assert total(watched, "boreal_reconcile_differences") == 0


def total(watched, expression):
    [series] = watched.server.wait_for(expression)
    return float(series["value"][1])


def test_every_rule_is_evaluated(watched, rules):
    found = {rule["name"]: rule for group in watched.server.ask("rules")["groups"] for rule in group["rules"]}
    assert set(found) == set(rules)
    assert {name: rule["lastError"] for name, rule in found.items() if rule["health"] != "ok"} == {}


def test_those_rules_hold_that_should(watched):
    """An unknown schema and messages that are too large at once; the others wait to see whether it lasts."""
    watched.server.wait_for('ALERTS{alertname="BorealFilterRefused"}')
    states = {s["metric"]["alertname"]: s["metric"]["alertstate"] for s in watched.server.query("ALERTS")}
    assert states.pop("BorealUnknownSchema") == "firing"
    assert states.pop("BorealUndeliverable") == "firing"
    assert states.pop("BorealFilterRefused") == "pending"
    assert states.pop("BorealDeadLettersWait") == "pending"
    states.pop("BorealDiskFills", None)  # of the disk that the tests run on
    # A handful of packets, years old, each micro-batch after a wait for the one before:
    old, slow = {"BorealObservedLongAgo", "BorealLateArrivals"}, {"BorealBatchSlow", "BorealLatencyHigh"}
    assert set(states) <= old | slow | {"BorealNotClassified"}
    assert set(states.values()) <= {"pending"}


def test_the_texts_of_an_alert_say_what_and_how_much(watched):
    alerts = {alert["labels"]["alertname"]: alert for alert in watched.server.ask("alerts")["alerts"]}
    unknown = alerts["BorealUnknownSchema"]
    assert unknown["labels"]["severity"] == "warning"
    assert re.search(r"About \d+(\.\d+)? packets", unknown["annotations"]["description"])


def test_every_text_can_be_written(rules, tmp_path):
    """With each rule holding, and each label that it names there."""
    labels = sorted({name for rule in rules.values() for name in re.findall(r"\$labels\.(\w+)", json.dumps(rule))})
    holding = "vector(0.5)"
    for label in labels:
        holding = f'label_replace({holding}, "{label}", "a-{label}", "", "")'
    always = [{**rule, "expr": holding, "for": "0s"} for rule in rules.values()]
    file = tmp_path / "always.yaml"
    file.write_text(json.dumps({"groups": [{"name": "always", "rules": always}]}))
    with LocalPrometheus(tmp_path / "prometheus", [], [file], 1) as server:
        server.wait_for(f"count(ALERTS) == {len(rules)}")
        alerts = server.ask("alerts")["alerts"]
    for alert in alerts:
        for text in alert["annotations"].values():
            assert not re.search(r"error expanding|<no value>|{{|%!", text), text
            assert text.strip()


def test_every_query_of_the_dashboard_gives_data(watched, dashboard):
    empty = []
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            found = series_of_query(watched.server, target, watched.span)
            if not any(not math.isnan(series.last) for series in found):
                empty.append((panel["title"], target["expr"]))
    assert empty == []


def test_every_line_of_the_dashboard_has_a_name_of_its_own(watched, dashboard):
    for panel in dashboard["panels"]:
        if panel["type"] in {"timeseries", "bargauge"}:
            names = [series.name for series in series_of(watched.server, panel, watched.span)]
            assert len(set(names)) == len(names), (panel["title"], names)
            assert all(names), panel["title"]


def test_the_variables_of_the_dashboard_find_their_values(watched, dashboard):
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    metric = re.search(r"label_values\((\w+)", variables["filter"]["query"])
    assert metric
    found = watched.server.wait_for(f"count by (filter) ({metric[1]})")
    assert "limited" in {series["metric"]["filter"] for series in found}
