"""The main job as a person runs it: `boreal run`, through Spark, on real packets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from broker.annotate import schema_for
from broker.pipeline import process
from schemas.packets import packets

pytestmark = pytest.mark.slow

BOREAL = Path(sys.executable).with_name("boreal")


def boreal(*arguments):
    return subprocess.run([BOREAL, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


def run_once(config):
    done = boreal("run", config, "--once")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def books(directory):
    return json.loads(boreal("ledger", directory, "--json").stdout)


def four(directory):
    found = books(directory)
    numbers = found["received"], found["annotated"], found["duplicates"], found["deadLettered"]
    assert numbers[0] == sum(numbers[1:])
    return numbers


def configure(folder, examples_dir, **settings):
    config = {
        "source": {"kind": "directory", "path": str(folder / "in"), "max_files_per_batch": 12},
        "to": str(folder / "out"),
        "filters": str(examples_dir / "filters"),
        "poll_seconds": 1,
        **settings,
    }
    path = folder / f"config-{len(list(folder.iterdir()))}.yaml"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def folder(tmp_path, sample_packets):
    for origin, payload in sample_packets:
        path = tmp_path / "in" / origin
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)
    return tmp_path


def annotations(directory, schema):
    """The table of a run by origin, in the columns and types of the pure function."""
    found = ds.dataset(
        directory / "annotations", partitioning=ds.partitioning(pa.schema([("night", pa.int32())]), flavor="hive")
    )
    table = found.to_table(columns=schema.names).cast(schema)
    return {row["origin"]: row for row in table.to_pylist()}


def test_one_partition_two_partitions_and_no_spark_give_the_same(
    folder, examples_dir, sample_packets, registry, bundle, filters
):
    schema = schema_for(bundle.manifest)
    outcome = process(packets(sample_packets), registry, bundle, filters)
    expected = {row["origin"]: row for row in outcome.annotations.to_pylist()}
    for cores in (1, 2):
        to = folder / f"out-{cores}"
        run_once(configure(folder, examples_dir, to=str(to), spark={"master": f"local[{cores}]"}))
        assert annotations(to, schema) == expected


def test_again_adds_nothing_more_files_add_just_those_and_bad_ones_are_told_apart(
    folder, examples_dir, data_dir, sample_packets, make_packet
):
    config, out = configure(folder, examples_dir), folder / "out"
    n = len(sample_packets)
    run_once(config)
    assert four(out) == (n, n, 0, 0)
    before = {path: path.read_bytes() for path in out.rglob("part-*")}
    run_once(config)
    assert four(out) == (n, n, 0, 0)

    whole = sample_packets[0][1]
    record = make_packet.record("lsst.v9_0.alert", diaSourceId=1, diaSource={"diaSourceId": 1, "ra": 1.0, "dec": 2.0})
    record["diaSource"]["midpointMjdTai"] = 61000.0
    bad = {
        "empty.avro": b"",
        "_underscore.avro": b"",
        "cut.avro": whole[: len(whole) // 2],
        "noise.avro": bytes(range(255, 0, -1)) * 20,
        "unknown.avro": make_packet.wire("lsst.v9_0.alert", record, schema_id=4242),
        "trailing.avro": whole + b"\x00\x01",
        "README.md": b"# not a packet\n",
    }
    good = {"copy.avro": whole, "no-object-no-points.avro": make_packet.wire("lsst.v9_0.alert", record)}
    for name, content in {**bad, **good}.items():
        (folder / "in" / name).write_bytes(content)
    shutil.copy(data_dir / "archives" / "ztf_public_20181129_sample.tar.gz", folder / "in")
    run_once(config)

    received, annotated, duplicates, dead = four(out)
    assert dead == len(bad)
    assert received == n + len(bad) + len(good) + 3
    assert duplicates >= 1
    assert annotated + duplicates == n + len(good) + 3
    assert {path: path.read_bytes() for path in before} == before
    rejects = {row["origin"]: row for row in pq.read_table(out / "deadletter").to_pylist()}
    assert rejects.keys() == bad.keys()
    assert all(rejects[name]["payload"] == content for name, content in bad.items())
    assert len({row["reason"] for row in rejects.values()}) >= 5
    assert "4242" in rejects["unknown.avro"]["reason"]
    assert "2 " in rejects["trailing.avro"]["reason"]
    assert books(out)["notClassified"]["no usable light-curve point"] == 1


def test_after_a_power_failure_that_took_the_plan_of_a_batch_no_file_is_passed_over(
    folder, examples_dir, sample_packets
):
    config, out = configure(folder, examples_dir), folder / "out"
    run_once(config)
    last = str(max(int(file.name) for file in (out / "checkpoint" / "offsets").iterdir() if file.name.isdecimal()))
    for log in ("offsets", "commits"):
        for file in (out / "checkpoint" / log).glob(f"*{last}*"):
            file.unlink()
    (folder / "in" / "late.avro").write_bytes(b"late")
    stopped = boreal("run", config, "--once")
    assert stopped.returncode == 2
    assert f"micro-batch {last} counts already, and comes again with 1 alerts more" in " ".join(stopped.stderr.split())
    n = len(sample_packets)
    assert four(out) == (n, n, 0, 0)
    (out / "checkpoint").rename(out / "checkpoint.old")
    run_once(config)
    assert four(out) == (2 * n + 1, n, n, 1)


def test_killed_in_mid_run_and_started_again_it_loses_and_doubles_nothing(folder, examples_dir, sample_packets, bundle):
    config, out = configure(folder, examples_dir), folder / "out"
    running = subprocess.Popen(
        [BOREAL, "run", config], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, process_group=0
    )
    deadline = time.monotonic() + 200
    while not (out / "ledger.json").exists():
        assert running.poll() is None, running.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    run_once(config)
    n = len(sample_packets)
    assert four(out) == (n, n, 0, 0)
    assert len(annotations(out, schema_for(bundle.manifest))) == n
    for name, count in books(out)["deliveries"].items():
        lines = [
            line for path in (out / "subscribers" / name).glob("*.jsonl") for line in path.read_text().splitlines()
        ]
        assert len(lines) == count


def test_watching_takes_what_comes_and_ends_on_sigterm_to_its_group_with_a_report(folder, examples_dir, sample_packets):
    config, out = configure(folder, examples_dir), folder / "out"
    late = folder / "in" / sample_packets[0][0]
    content = late.read_bytes()
    late.unlink()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([BOREAL, "run", config], process_group=0, **pipes) as job:
        wait_for(lambda: (out / "ledger.json").exists() and four(out)[0] == len(sample_packets) - 1, job)
        late.write_bytes(content)
        wait_for(lambda: four(out)[0] == len(sample_packets), job)
        os.killpg(job.pid, signal.SIGTERM)
        printed, _ = job.communicate(timeout=120)
    assert job.returncode == 0, printed
    assert "Traceback" not in printed
    assert (out / "report.html").stat().st_size > 10_000


def test_a_run_whose_words_nobody_reads_any_more_ends_with_the_batch_in_hand(folder, examples_dir, sample_packets):
    config, out = configure(folder, examples_dir), folder / "out"
    with subprocess.Popen([BOREAL, "run", config], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        wait_for(lambda: (out / "ledger.json").exists() and four(out)[0] == len(sample_packets), job)
        job.stdout.close()
        job.stderr.close()
        (folder / "in" / "late.avro").write_bytes(b"late")
        job.wait(timeout=120)
    assert four(out) == (len(sample_packets) + 1, len(sample_packets), 0, 1)


def wait_for(condition, job):
    deadline = time.monotonic() + 200
    while not condition():
        assert job.poll() is None, job.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(1)
