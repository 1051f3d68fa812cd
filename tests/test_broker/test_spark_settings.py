"""What Spark is told: on this machine, in a pod, and where spark-submit has started it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from broker.java_archives import KAFKA_CONNECTOR
from broker.spark import pod
from broker.spark.connectors import connector_jars
from broker.spark.session import settings_for

ROOT = Path(__file__).parents[2]
CLUSTER = "k8s://https://kubernetes.default.svc"


@pytest.fixture
def in_pod(monkeypatch, tmp_path):
    """A pod called boreal-driver-0 of the namespace alerts, as seen from inside."""
    addresses = {"boreal-driver-0": "10.0.0.7"}
    monkeypatch.setattr(pod.socket, "gethostname", lambda: "boreal-driver-0")
    monkeypatch.setattr(pod.socket, "gethostbyname", addresses.__getitem__)
    namespace = tmp_path / "namespace"
    namespace.write_text("alerts\n")
    monkeypatch.setattr(pod, "NAMESPACE", namespace)
    monkeypatch.setenv("BOREAL_IMAGE", "registry.example.org/boreal:0.1.0")


def test_on_one_machine_everything_stays_on_it():
    settings = settings_for("local[2]", "1g", {})
    assert settings["spark.driver.host"] == "localhost"
    assert settings["spark.master"] == "local[2,4]"
    assert not [name for name in settings if "kubernetes" in name]


@pytest.mark.usefixtures("in_pod")
def test_in_a_pod_executors_find_the_driver_and_belong_to_it():
    settings = settings_for(CLUSTER, "1g", {})
    assert settings["spark.master"] == CLUSTER
    assert settings["spark.driver.host"] == "10.0.0.7"
    assert settings["spark.driver.bindAddress"] == "0.0.0.0"  # noqa: S104
    assert settings["spark.kubernetes.driver.pod.name"] == "boreal-driver-0"
    assert settings["spark.kubernetes.namespace"] == "alerts"
    assert settings["spark.kubernetes.container.image"] == "registry.example.org/boreal:0.1.0"


@pytest.mark.usefixtures("in_pod")
def test_the_workers_of_executors_get_what_those_of_this_machine_get():
    here, there = settings_for("local[2]", "1g", {}), settings_for(CLUSTER, "1g", {})
    of_workers = {name for name in here if name.startswith("spark.executorEnv.")}
    assert len(of_workers) == 4
    assert {name: there[name] for name in of_workers} == {name: here[name] for name in of_workers}


@pytest.mark.usefixtures("in_pod")
def test_what_the_configuration_says_wins():
    extra = {"spark.driver.host": "boreal-driver.alerts.svc", "spark.kubernetes.container.image": "other:1"}
    settings = settings_for(CLUSTER, "1g", extra)
    assert extra.items() <= settings.items()


def test_outside_of_a_pod_nothing_is_said_of_a_namespace(monkeypatch, tmp_path):
    monkeypatch.setattr(pod.socket, "gethostbyname", lambda _: "127.0.0.1")
    monkeypatch.setattr(pod, "NAMESPACE", tmp_path / "none")
    monkeypatch.delenv("BOREAL_IMAGE", raising=False)
    settings = settings_for(CLUSTER, "1g", {})
    assert not {"spark.kubernetes.namespace", "spark.kubernetes.container.image"} & settings.keys()


def test_a_connector_among_sparks_own_archives_is_neither_fetched_nor_handed_on(monkeypatch, tmp_path):
    monkeypatch.setenv("BOREAL_CACHE", str(tmp_path / "empty"))
    (tmp_path / "jars").mkdir()
    for name in ("ivy-2.5.3.jar", KAFKA_CONNECTOR.proof):
        (tmp_path / "jars" / name).touch()
    monkeypatch.setattr("broker.java_archives._ivy", lambda: tmp_path / "jars/ivy-2.5.3.jar")
    assert connector_jars("kafka") == []
    assert not (tmp_path / "empty").exists()


@pytest.mark.slow
def test_spark_submit_runs_the_same_stream_and_its_settings_win(tmp_path, data_dir, examples_dir):
    source = tmp_path / "packets"
    source.mkdir()
    for path in sorted((data_dir / "packets/lsst").glob("*.avro"))[:3]:
        shutil.copy(path, source)
    import pyspark

    config = tmp_path / "run.yaml"
    config.write_text(
        f"source: {{kind: directory, path: {source}}}\nto: {tmp_path}/run\nfilters: {examples_dir}/filters\n"
        "spark: {master: 'local[1]', extra: {spark.app.name: configured, spark.ui.port: 4999}}\n"
    )
    # Told apart by what Spark writes of the run: its name, and that the master of spark-submit is at work.
    events = tmp_path / "events"
    events.mkdir()
    command = [
        Path(pyspark.__file__).parent / "bin/spark-submit", "--master", "local[2]", "--name", "submitted",
        "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.eventLog.enabled=true",
        "--conf", f"spark.eventLog.dir={events.as_uri()}", "--conf", "spark.eventLog.compress=false",
        "--conf", "spark.eventLog.rolling.enabled=false",
        ROOT / "k8s/image/stream.py", "run", config, "--once",
    ]  # fmt: skip
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    books = json.loads((tmp_path / "run/ledger.json").read_text())
    assert books["received"] == 3
    (log,) = (path for path in events.iterdir() if not path.name.startswith("."))
    said = [json.loads(line) for line in log.read_text().splitlines()]
    properties = next(event["Spark Properties"] for event in said if event["Event"] == "SparkListenerEnvironmentUpdate")
    assert properties["spark.app.name"] == "submitted"
    assert properties["spark.master"] == "local[2]"
    assert properties["spark.ui.port"] == "4999"
    assert properties["spark.executorEnv.OMP_NUM_THREADS"] == "1"
