"""The decoding benchmark, in short."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def test_decoding_by_machine_is_faster_and_gives_the_same(tmp_path: Path) -> None:
    command = [ROOT / "benchmarks" / "decode", "--rounds", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    ratios = {name: float(ratio) for name, ratio in re.findall(r"  (\w+) .* ratio ([\d.]+)", done.stdout)}
    assert lines[-1] == "differences 0"
    assert set(ratios) == {"fields", "decode"}
    assert min(ratios.values()) > 1.5  # far below what it is: other work on the machine mustn't fail this


def test_a_folder_without_packets_is_told(tmp_path: Path) -> None:
    command = [ROOT / "benchmarks" / "decode", "--from", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "no LSST packets below" in done.stderr
