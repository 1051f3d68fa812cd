"""The live demo in a short form: it shows deliveries, says how long they took, and leaves nothing running."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def start(to: Path, *arguments: str) -> subprocess.Popen[str]:
    packets = ROOT / "tests" / "data" / "packets" / "ztf"
    command = [sys.executable, "-m", "benchmarks.live", "--to", str(to), "--packets", str(packets), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def running(folder: Path) -> list[str]:
    """The commands of processes that name this folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_deliveries_are_shown_with_their_delays_and_the_books_balance(tmp_path: Path) -> None:
    with start(tmp_path / "demo", "--rate", "10", "--seconds", "5") as demo:
        said, _ = demo.communicate(timeout=400)
    assert demo.returncode == 0, said
    assert re.search(r"everything-classified +object ZTF\w+ +\S.* \d\.\d\d +\d+\.\d\d s", said)
    assert "50 packets were sent at" in said
    row = re.search(r"│ all +│ +(\d+) │ +(\S+) │ +(\S+) │ +(\S+) │ +(\S+) │", said)
    assert row
    assert 0 < int(row[1]) <= 50  # those of the warm-up aren't counted
    p50, p90, p99, largest = map(float, row.groups()[1:])
    assert 0 < p50 <= p90 <= p99 <= largest
    assert said.rstrip().endswith("differences 0")
    assert running(tmp_path) == []


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    with start(tmp_path / "demo", "--rate", "20") as demo:
        assert demo.stdout
        for line in demo.stdout:
            if line.startswith("warming up"):
                break
        time.sleep(5)  # the run is starting Spark, packets are on their way
        assert len(running(tmp_path)) >= 3
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=200)
    assert demo.returncode == 130
    assert running(tmp_path) == []


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with start(tmp_path) as demo:
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 2
    assert "holds something else than an earlier live demo" in said
    assert (tmp_path / "thesis.tex").exists()
