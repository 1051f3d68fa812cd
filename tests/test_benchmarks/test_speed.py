"""The speed benchmark in short, and the parts of it that decide what its figures mean."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.__main__ import title_of
from benchmarks.speeding.conditions import random_conditions, random_filters, write_filters
from benchmarks.speeding.course import Commit, Course, watch
from benchmarks.speeding.large import LARGE_BYTES, MANY_POINTS, large_packets
from benchmarks.speeding.synthetic import synthetic_alerts
from benchmarks.speeding.usage import Usage
from benchmarks.table import show
from benchmarks.timing import in_turns
from broker.errors import RunFailedError
from broker.filters.definition import load_filters
from broker.filters.evaluate import evaluate
from broker.pipeline import process
from schemas.decode import decode
from schemas.packets import packets

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def annotations(sample_packets, registry, bundle):
    return process(packets(sample_packets), registry, bundle).annotations


@pytest.mark.slow
def test_a_little_of_each_part(tmp_path):
    options = ["--quick", "--json", tmp_path / "speed.json", "--plots", tmp_path / "plots"]
    done = subprocess.run([ROOT / "benchmarks" / "speed", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "speed.json").read_text())
    figures = {figure["name"]: figure for figure in told["figures"]}
    assert {name.partition(".")[0] for name in figures} == {"decode", "features", "members", "filters", "growth"}
    assert told["failures"] == {}
    assert told["machine"]["cores"] >= 1
    assert told["versions"]["pyspark"]
    assert all(figure["value"] > 0 and figure["unit"] for figure in figures.values())
    assert all(figure["baseline"]["value"] > 0 and figure["ratio"] > 0 for figure in figures.values())
    assert figures["features.35-points"]["details"]["points"] == 35
    assert figures["growth.packet-20000-points"]["details"]["points"] > MANY_POINTS
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(figures)
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"decode.svg", "points.svg", "filters.svg"}


def test_a_part_that_isn_t_there_is_told():
    command = [ROOT / "benchmarks" / "speed", "--only", "decoding"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no part is called decoding" in " ".join(done.stderr.split())


def test_ratio_and_goal():
    half = Baseline("another", 2.0)
    figures = [
        Figure("a", 1.0, "s", half, Goal("ratio", ">=", 0.6)),
        Figure("b", 1.0, "s", half, Goal("value", "<=", 1.0)),
        Figure("c", 1.0, "s", None, Goal("ratio", "<=", 1.0)),
        Figure("d", 1234.5, "s", half),
    ]
    assert [figure.ratio for figure in figures] == [0.5, 0.5, None, 617.25]
    assert [figure.met for figure in figures] == [False, True, None, None]


def test_figures_are_told_in_a_table_or_a_line_each(capsys):
    figure = Figure("whole.kafka", 812.4, "alerts/s", Baseline("hand-over alone", 1000.0), Goal("ratio", ">=", 0.6))
    machine, sent = {"processor": "one of many", "cores": 2}, {"count": 29, "meanBytes": 119_612.0}
    about = {"machine": machine, "packets": sent, "date": "2025-01-02T03:04:05+00:00"}
    title = title_of(about)
    show([figure], title, Console(soft_wrap=True))
    plain = capsys.readouterr().out.splitlines()
    assert plain[0] == "one of many, 2 cores, 2025-01-02; 29 packets, 120 kB each"
    assert plain[1] == "whole.kafka 812 alerts/s, hand-over alone 1,000 alerts/s, ratio 0.812, goal ratio >= 0.6 met"
    show([figure], title, Console(force_terminal=True, width=120))
    assert "\u2502 812 alerts/s \u2502" in capsys.readouterr().out


def test_calls_take_turns_and_the_fastest_round_counts():
    order, pauses = [], iter([0.5, 0.0, 0.5])

    def first():
        order.append("first")
        time.sleep(next(pauses))
        return len(order)

    timed = in_turns(3, first, lambda: order.append("second"))
    assert order == ["first", "second"] * 3
    assert timed[0].seconds < 0.4
    assert timed[0].given == 5


def test_the_large_packets_are_read(registry):
    made = large_packets()
    read = decode(packets(list(made.items())), registry)
    assert read.rejects.num_rows == 0
    assert len(made["4-MB"]) > LARGE_BYTES
    assert read.alerts.light_curves.lengths[1] > MANY_POINTS
    assert len(set(read.alerts.table["alert_id"].to_pylist())) == 2


@pytest.mark.parametrize("points", [1, 10, 1000])
def test_made_up_light_curves_have_their_length(points):
    curves = synthetic_alerts(3, points).light_curves
    assert curves.lengths.tolist() == [points] * 3
    assert all((np.diff(curves.mjd[curves.owner == k]) >= 0).all() for k in range(3))
    assert points < 1000 or 0.1 < curves.detected.mean() < 0.9


def test_random_conditions_are_filters_that_pass_some_alerts(annotations, tmp_path):
    filters = random_filters(annotations, 40)
    assert [wanted.condition for wanted in filters[:7]] == random_conditions(annotations, 7)
    passed = np.array([np.mean(column.to_numpy()) for column in evaluate(filters, annotations).table.columns])
    assert 0.01 < passed.mean() < 0.5
    conditions = [wanted.condition for wanted in filters]
    directory = write_filters(tmp_path / "filters", [ROOT / "examples" / "filters" / "kilonovae.yaml"], conditions)
    read = load_filters(directory, annotations.schema)
    assert [wanted.condition for wanted in read] == [read[0].condition, *conditions]


RUN = """
import json, sys, time
for number in range(3):
    deadline = time.process_time() + 0.3
    while time.process_time() < deadline:
        pass
    with open(sys.argv[1], "a") as journal:
        journal.write(json.dumps({"received": 10 * number}) + "\\n")
time.sleep(0.5)  # a run closes its books before it ends
"""


def test_a_run_is_watched(tmp_path):
    # Its command line says that it is a run's driver.
    command = [sys.executable, "-c", RUN, str(tmp_path / "batches.jsonl"), "boreal", "run"]
    course = watch(command, tmp_path / "batches.jsonl", tmp_path / "log")
    assert [commit.alerts for commit in course.commits] == [0, 10, 30]
    assert course.alerts == 30
    assert 0 < course.rate < 60
    assert 10 < course.cpu["driver"] < 40
    assert course.cpu["java"] == course.cpu["workers"] == 0
    assert 2**20 < course.peak < 2**30


def test_a_run_that_fails_or_does_too_little_is_told(tmp_path):
    journal, log = tmp_path / "batches.jsonl", tmp_path / "log"
    with pytest.raises(RunFailedError, match="ended with 3:\nno answer"):
        watch([sys.executable, "-c", "print('no answer'); raise SystemExit(3)"], journal, log)
    with pytest.raises(RunFailedError, match="one micro-batch alone"):
        watch([sys.executable, "-c", f"open({str(journal)!r}, 'w').write('{{}}\\n')"], journal, log)


def test_only_what_follows_the_first_micro_batch_counts():
    def usage(at, cpu, memory):
        return Usage(at, Counter(workers=cpu), Counter(workers=memory, kafka=10**12))

    samples = [
        usage(0, 0, 9),
        usage(10, 5, 20),
        usage(12, 6, 30),
        usage(18, 9, 45),
        usage(20, 10, 40),
        usage(25, 11, 50),
    ]
    course = Course([Commit(10, 100, samples[1]), Commit(20, 600, samples[4])], samples)
    assert (course.alerts, course.seconds, course.rate) == (500, 10, 50)
    assert course.cpu["workers"] == 10.0
    assert (course.peak, course.growth) == (50, 1.5)
