"""A short form of `benchmarks/chaos`: a live run that is killed, against a real Kafka broker."""

import random
import subprocess
from pathlib import Path

import pytest

from benchmarks.killing.packets import Flow
from benchmarks.processes import descendants, kill
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry

ROOT = Path(__file__).parents[2]


def test_what_flows_is_what_is_told(registry: BundledRegistry) -> None:
    flow = Flow.of(700)
    sent = list(flow.payloads(ROOT / "tests" / "data" / "packets", seed=3))
    decoded = decode(packets([(str(k), payload) for k, payload in enumerate(sent)]), registry)
    names = ("survey", "alert_id", "source_id")
    ids = list(zip(*(decoded.alerts.table[name].to_pylist() for name in names), strict=True))
    assert (len(sent), decoded.rejects.num_rows) == (700, flow.corrupt)
    assert (len(set(ids)), len(ids) - len(set(ids))) == (flow.alerts, flow.repeated)
    assert sent == list(flow.payloads(ROOT / "tests" / "data" / "packets", seed=3))


def test_the_processes_below_one_are_found_and_ended() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 60 & sleep 60; true"]) as shell:
        while len(descendants(shell.pid)) < 2:
            pass
        below = descendants(shell.pid)
        kill([*below, shell.pid, random.choice(below)])
    assert len(below) == 2


@pytest.mark.slow
def test_a_live_run_that_is_killed_loses_and_doubles_nothing() -> None:
    command = [ROOT / "benchmarks" / "chaos", "--kills", "2", "--packets", "600", "--batch", "80", "--rate", "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.stdout.splitlines()[-1:] == ["differences 0"], done.stdout + done.stderr
    assert done.returncode == 0
    assert "driver kills 2" in done.stdout
