"""The backtest's benchmark, in short."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def test_it_counts_right_and_names_a_baseline_for_each_figure(tmp_path: Path) -> None:
    command = [ROOT / "benchmarks" / "backtest", "--rows", "2000", "--rounds", "1", "--nights", "4", "--keep", tmp_path]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "differences 0"
    assert len(lines) == 10
    assert all(re.search(r": [\d.,]+ (s|MB at most); .+ [\d.,]+ (s|MB), ratio [\d.]+$", line) for line in lines[1:-1])
    assert len(list((tmp_path / "whole").glob("night=*/*.parquet"))) == 16
