"""What Java logs where `spark-submit` starts the driver, as it does on Kubernetes: lines as the run's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os
from broker.spark.session import java_process, start_session, stop_session
session = start_session("local[1]", "512m", {}, log="json")
assert java_process(session) == os.getppid()
java = session.sparkContext._jvm
java.org.apache.logging.log4j.LogManager.getLogger("org.example.A").error('it "failed"')
java.org.apache.logging.log4j.LogManager.getLogger("org.apache.spark.executor.Executor").error("told elsewhere")
stop_session(session)
"""


@pytest.mark.slow
def test_a_driver_that_spark_submit_started_logs_objects(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    command = [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[1]", str(program)]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "org.example.A" in line]
    (told,) = map(json.loads, lines)
    assert (told["level"], told["logger"], told["message"]) == ("ERROR", "org.example.A", 'it "failed"')
    assert told["time"].endswith("Z")
    assert "told elsewhere" not in done.stdout + done.stderr
