"""A short form of `benchmarks/reprocess-kills`: a reprocessing that is killed, and one that is left alone."""

import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.killing.packets import Flow
from benchmarks.reprocessing.archives import write_archives
from benchmarks.reprocessing.compare import differing_rows
from broker.run_directory import RunDirectory
from broker.sources.files import read_files

ROOT = Path(__file__).parents[2]
PACKETS = ROOT / "tests" / "data" / "packets"


def test_the_archives_hold_all_that_flows(tmp_path: Path) -> None:
    flow = Flow.of(300)
    write_archives(tmp_path, flow, PACKETS, seed=3)
    names = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*") if path.suffix != ".parquet"]
    read = sum(found.num_rows for found, _ in read_files(tmp_path, names))
    assert read + pq.read_metadata(tmp_path / "packets.parquet").num_rows == 300
    assert len(list(tmp_path.iterdir())) == 5


def test_rows_that_differ_are_counted_and_those_in_another_order_don_t(tmp_path: Path) -> None:
    tables = {
        "one": pa.table({"x": [[1.0], [2.0, 3.0], None], "id": ["a", "b", "c"]}),
        "same": pa.table({"x": [None, [1.0], [2.0, 3.0]], "id": ["c", "a", "b"]}),
        "other": pa.table({"x": [[1.0], [2.0, 3.0000000000000004]], "id": ["a", "b"]}),
    }
    for name, table in tables.items():
        for folder in ("annotations", "deadletter"):
            (tmp_path / name / folder).mkdir(parents=True)
            pq.write_table(table, tmp_path / name / folder / "part.parquet")
    one, same, other = (RunDirectory(tmp_path / name) for name in tables)
    assert differing_rows(one, same) == 0
    assert differing_rows(one, other) == 2 * 3


@pytest.mark.slow
def test_a_reprocessing_that_is_killed_gives_the_table_of_one_that_isn_t() -> None:
    command = [ROOT / "benchmarks" / "reprocess-kills", "--kills", "2", "--packets", "600", "--batch", "100"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.stdout.splitlines()[-1:] == ["differences 0"], done.stdout + done.stderr
    assert done.returncode == 0
    assert "annotated 582" in done.stdout
