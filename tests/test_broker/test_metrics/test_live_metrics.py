"""A live run with its metrics and its log for programs, looked at from outside: from the start, through a restart."""

import json
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from broker.local._ports import free_ports

pytestmark = pytest.mark.slow

SECRETS = ("alice-secret", "bob-secret")
STUCK_SECONDS = 40


class Night:
    """The run, its topic, and what its endpoint says."""

    def __init__(self, run, kafka, topic, port):
        self.run, self.kafka, self.topic, self.port = run, kafka, topic, port
        self.sent = 0

    def get(self, path):
        """Status and text; (0, why) where nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, OSError) as error:
            return 0, str(error)

    def metrics(self):
        """Every sample by its name and the values of its labels, which the text has sorted by their names."""
        status, text = self.get("/metrics")
        assert status == 200
        families = text_string_to_metric_families(text)
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    def by_label(self, name):
        return {labels[1]: value for labels, value in self.metrics().items() if labels[0] == name}

    def send(self, *values):
        self.kafka.produce(self.topic, *values, partition=self.sent % 2)
        self.sent += len(values)

    def wait_until_read(self):
        self.run.wait_for(lambda: self.run.messages() == self.sent, f"{self.sent} messages in the books")

    def wait_for_status(self, path, status):
        self.run.wait_for(lambda: self.get(path)[0] == status, f"{path} to say {status}")
        return self.get(path)[1]

    def lines(self):
        return [json.loads(line) for line in self.run.printed().splitlines()]


@pytest.fixture(scope="module")
def night(kafka, tmp_path_factory, examples_dir, live_run):
    """Not started yet; logins on both sides, so that there are secrets to hide."""
    folder, stem, port = tmp_path_factory.mktemp("metrics"), f"metrics-{uuid4().hex[:8]}", free_ports(1)[0]
    shutil.copytree(examples_dir / "filters", folder / "filters")
    (folder / "alice").write_text("alice-secret\n")
    kafka.allow("alice", "topic", f"{stem}-alerts", "read", "describe")
    kafka.allow("bob", "topic", f"{stem}-*", "create", "write", "describe", "read")
    kafka.create_topic(f"{stem}-alerts", 2)
    run = live_run(
        folder,
        SECRETS,
        source={
            "kind": "kafka",
            "brokers": kafka.sasl_brokers,
            "security": {"user": "alice", "password": {"file": "alice"}},
            "topics": [f"{stem}-alerts"],
            "max_messages_per_batch": 8,
        },
        filters="filters",
        deliver={
            "kafka": {
                "brokers": kafka.sasl_brokers,
                "security": {"user": "bob", "password": {"env": "BOBS"}},
                "topic": f"{stem}-{{filter}}",
            }
        },
        table={"kind": "delta"},
        metrics={"port": port, "lag_every_seconds": 0.5, "drift_reference": 4, "stuck_after_seconds": STUCK_SECONDS},
        log="json",
    )
    run.environment = {"BOBS": "bob-secret"}
    return Night(run, kafka, f"{stem}-alerts", port)


@pytest.fixture(scope="module")
def first_life(night, sample_packets):
    """What was seen of a run that took packets, damaged and repeated ones too, and was ended by SIGTERM."""
    night.send(*(packet for _, packet in sample_packets[:12]))
    night.send(b"hello", b"", sample_packets[0][1], sample_packets[0][1][:3000])
    seen = {}
    with night.run.working():
        night.run.wait_for(lambda: night.get("/readyz")[0], "an answer")
        seen["starting"] = night.get("/readyz"), night.get("/healthz")
        night.wait_for_status("/readyz", 200)
        night.wait_until_read()
        night.run.wait_for(lambda: set(night.by_label("boreal_lag_messages").values()) == {0}, "no lag")
        for cut in range(20):  # clients that go away in the middle
            with socket.create_connection(("127.0.0.1", night.port), timeout=10) as client:
                client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n"[: 4 + 2 * cut])
        night.send(*(packet for _, packet in sample_packets[12:16]))
        night.wait_until_read()
        night.run.wait_for(lambda: night.metrics()["boreal_batch_age_seconds",] == 0, "the last to be delivered")
        seen["health"] = night.get("/healthz"), night.get("/readyz")
        seen["metrics"] = night.metrics()
        seen["books"] = json.loads(night.run.boreal("ledger", night.run.out, "--json"))
        night.run.job.send_signal(signal.SIGTERM)
        seen["ending"] = ending(night)
        seen["code"] = night.run.wait_for_the_end()
    seen["lines"] = night.lines()
    return seen


def ending(night):
    """The answers of /readyz until nobody answers any more."""
    answers = []
    while answer := night.get("/readyz"):
        if not answer[0]:
            return answers
        answers.append(answer)
        time.sleep(0.05)
    return answers


def test_it_is_healthy_from_the_start_and_ready_when_it_takes_micro_batches(first_life):
    assert first_life["starting"] == ((503, "the run is starting\n"), (200, "ok\n"))
    assert first_life["health"] == ((200, "ok\n"), (200, "ok\n"))


def test_it_is_no_longer_ready_while_it_ends(first_life):
    assert first_life["code"] == 0
    assert first_life["ending"][-1] == (503, "the run is ending: it takes no more micro-batches\n")


def test_every_total_is_that_of_the_ledger(first_life):
    found, books = first_life["metrics"], first_life["books"]
    assert books["received"] == 20
    assert books["deadLettered"] == 3
    assert found["boreal_alerts_received_total",] == books["received"]
    assert found["boreal_alerts_duplicate_total",] == books["duplicates"] == 1
    assert found["boreal_dead_letters_waiting",] == books["deadLettered"]
    assert found["boreal_ledger_difference",] == 0
    for name, key in (
        ("boreal_alerts_annotated_total", "surveys"),
        ("boreal_alerts_dead_lettered_total", "rejectStages"),
        ("boreal_dead_letter_reasons_total", "rejectReasons"),
        ("boreal_not_classified_total", "notClassified"),
        ("boreal_deliveries_total", "deliveries"),
        ("boreal_filter_errors_total", "filterErrors"),
        ("boreal_undeliverable_total", "undeliverable"),
    ):
        assert {labels[1]: n for labels, n in found.items() if labels[0] == name and n} == books[key], name
    cut = {(name, limit): n for name, limits in books["cut"].items() for limit, n in limits.items()}
    assert {labels[1:]: n for labels, n in found.items() if labels[0] == "boreal_cut_total" and n} == cut
    for partition, counts in books["partitions"].items():
        place = tuple(reversed(partition.rsplit("/", 1)))  # as labels are sorted: partition, topic
        assert found["boreal_messages_total", *place] == counts["messages"]
        assert found["boreal_message_bytes_total", *place] == counts["bytes"]
        assert found["boreal_position_offset", *place] == books["positions"][partition][1]
        assert found["boreal_lag_messages", *place] == 0


def test_what_was_measured_fits_together(first_life):
    found, books = first_life["metrics"], first_life["books"]
    assert found["boreal_source_up",] == found["boreal_java_up",] == found["boreal_ready",] == 1
    assert found["boreal_batch_alerts_sum",] == books["received"]
    assert found["boreal_batch_seconds_count",] == books["lastBatch"][next(iter(books["lastBatch"]))] + 1
    assert found["boreal_kafka_latency_seconds_count",] == books["annotated"]
    newest = {"": 2026030900244, "_alerts": 4, "_detectors": 4}
    assert {name: found[f"boreal_newest_visit{name}", "lsst"] for name in newest} == newest
    surveys = {labels[1] for labels in found if labels[0] == "boreal_score_window_alerts"}
    assert surveys == books["surveys"].keys()
    stages = {labels[1]: n for labels, n in found.items() if labels[0] == "boreal_stage_seconds_total"}
    steps = {"registry", "decode", "features", "classify", "annotate", "filters", "encode", "commit", "publish"}
    assert stages.keys() == steps
    driver = stages["commit"] + stages["publish"]
    assert 0 < driver < found["boreal_batch_seconds_sum",]
    assert sum(n for labels, n in found.items() if labels[0] == "boreal_metrics_errors_total") == 0
    processes = {labels[1]: n for labels, n in found.items() if labels[0] == "boreal_process_resident_bytes"}
    assert processes.keys() == {"python", "java", "workers"}
    assert min(processes.values()) > 50e6


def test_each_micro_batch_and_each_dead_letter_is_a_line(first_life):
    lines, books = first_life["lines"], first_life["books"]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    batches = [line for line in lines if "batch" in line]
    assert sum(line["received"] for line in batches) == books["received"]
    letters = [line for line in lines if line["message"] == "dead letter"]
    assert {line["kind"] for line in letters} == {"unknown framing", "empty", "truncated"}
    assert len(letters) == books["deadLettered"]
    assert lines[-1]["message"] == "the run has ended"
    assert lines[-1]["received"] == books["received"]


def test_what_spark_says_is_a_line_too(first_life):
    # Java 17 tells that Spark's vector module is incubating.
    assert any(line["logger"] == "spark" for line in first_life["lines"])


def test_no_file_of_the_run_holds_a_secret(night, first_life):
    assert first_life["code"] == 0
    assert [path.name for secret in SECRETS for path in night.run.files_with(secret)] == ["alice"]


def test_a_restart_goes_on_and_a_standstill_is_told(night, first_life, sample_packets):
    before = first_life["metrics"]
    with night.run.working():
        night.wait_for_status("/readyz", 200)
        again = night.metrics()
        for name in ("boreal_alerts_received_total", "boreal_alerts_duplicate_total"):
            assert again[name,] == before[name,]
        for name in ("boreal_score_reference", "boreal_last_delivery_timestamp_seconds"):
            kept = {labels: n for labels, n in before.items() if labels[0] == name}
            assert {labels: n for labels, n in again.items() if labels[0] == name} == kept != {}
        night.send(sample_packets[16][1])
        night.wait_until_read()
        assert night.metrics()["boreal_alerts_received_total",] == before["boreal_alerts_received_total",] + 1
        (java,) = children(night.run.job.pid, "java")
        os.kill(java, signal.SIGSTOP)
        try:
            why = night.wait_for_status("/healthz", 503)
        finally:
            os.kill(java, signal.SIGCONT)
        assert "s" in why
        assert night.wait_for_status("/healthz", 200) == "ok\n"
    assert night.run.reconciled()["differences"] == 0


def test_a_port_in_use_is_told_before_anything_starts(night):
    with socket.create_server(("127.0.0.1", night.port)):
        told = json.loads(night.run.once(code=2).splitlines()[-1])
    assert told["message"].startswith(f"metrics can't be served at 127.0.0.1:{night.port}: the port is in use; give")


def children(process, name):
    """The processes of this name that a process started."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if f"({name})" in text and int(text.rpartition(")")[2].split()[1]) == process:
            yield int(stat.parent.name)
