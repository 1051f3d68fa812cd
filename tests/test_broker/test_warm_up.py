"""After a warm-up a new process compiles nothing for real packets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ANNOTATE = """
import sys
from pathlib import Path
from broker.pipeline import process
from classifiers.bundle import Bundle, default_bundle_path
from schemas.packets import packets
from schemas.registry import BundledRegistry
found = packets([(path, Path(path).read_bytes()) for path in sys.argv[1:]])
print(process(found, BundledRegistry(), Bundle.load(default_bundle_path())).annotations.num_rows)
"""


@pytest.mark.slow
def test_after_it_nothing_is_compiled(tmp_path, data_dir):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    boreal = Path(sys.executable).with_name("boreal")
    told = subprocess.run([boreal, "warm-up"], env=environment, capture_output=True, text=True, check=True).stdout
    assert told.startswith("ready: ")
    compiled = kernels(tmp_path)
    assert len(compiled) > 50
    files = sorted(map(str, (data_dir / "packets").rglob("*.avro")))
    done = subprocess.run(
        [sys.executable, "-c", ANNOTATE, *files], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(files)
    assert kernels(tmp_path) - compiled == set()


def kernels(folder):
    return {path.relative_to(folder) for path in folder.rglob("*.nbc")}
