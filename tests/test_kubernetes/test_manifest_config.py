"""The stream's configuration in every overlay can be used, and asks for what its pods have."""

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from broker.annotate import schema_for
from broker.config import ArchivesSource, Config, read_config
from broker.kafka.run_settings import KafkaSource
from broker.kubernetes.folder import difference
from broker.kubernetes.render import render
from broker.kubernetes.subscriber import Delivering
from broker.spark.pod import IMAGE_VARIABLE, SETTINGS
from classifiers.bundle import Bundle

if TYPE_CHECKING:
    from conftest import Build, Pod

K8S = Path(__file__).parents[2] / "k8s"


def mounts(pod: "Pod") -> list[str]:
    return [mount["mountPath"] for mount in pod.containers[0]["volumeMounts"]]


def below(path: Path | None, places: list[str]) -> bool:
    return path is None or any(path.is_relative_to(place) for place in places)


def config_of(build: "Build", folder: Path) -> Config:
    (folder / "run.yaml").write_text(build.config_text("boreal-run", "run.yaml"), encoding="utf-8")
    return read_config(folder / "run.yaml")


def by_component(build: "Build", component: str) -> "Pod":
    (found,) = (pod for pod in build.pods if pod.labels.get("app.kubernetes.io/component") == component)
    return found


def test_the_configuration_names_paths_that_pods_have(build: "Build", tmp_path: Path) -> None:
    config = config_of(build, tmp_path)
    driver, executor = mounts(by_component(build, "driver")), mounts(by_component(build, "executor"))
    compaction = mounts(by_component(build, "compaction"))
    assert below(config.to, driver)
    assert below(config.to, compaction)
    assert str(config.filters) in driver
    assert str(config.filters) in compaction
    assert config.deliver.kafka is not None
    assert isinstance(config.source, KafkaSource)
    for security in (config.source.security, config.deliver.kafka.security):
        assert security.password is None or below(security.password.file, driver)
        assert below(security.ca_file, driver)
        assert below(security.ca_file, executor)


def test_metrics_are_where_probes_and_the_service_look(build: "Build") -> None:
    data = YAML(typ="safe").load(build.config_text("boreal-run", "run.yaml"))
    (port,) = (p for p in by_component(build, "driver").containers[0]["ports"] if p["name"] == "metrics")
    assert data["metrics"] == {"port": port["containerPort"], "address": "0.0.0.0"}  # noqa: S104  # in a pod
    assert build.of_kind("Service")["boreal-metrics"]["spec"]["ports"][0]["port"] == port["containerPort"]


def test_the_drivers_pod_is_what_boreal_takes_it_for(builds: dict[str, "Build"]) -> None:
    driver = by_component(builds["overlays/spark-scheduler"], "driver").containers[0]
    ports = {port["name"]: str(port["containerPort"]) for port in driver["ports"]}
    assert ports["driver"] == SETTINGS["spark.driver.port"]
    assert ports["blocks"] == SETTINGS["spark.driver.blockManager.port"]
    assert IMAGE_VARIABLE in {each["name"] for each in driver["env"]}


@pytest.mark.parametrize(("own", "operators"), [("spark-scheduler", "production"), ("spark-scheduler-dev", "dev")])
def test_the_stream_is_configured_alike_with_the_operator_and_without(
    own: str, operators: str, builds: dict[str, "Build"]
) -> None:
    first, second = (
        YAML(typ="safe").load(builds[f"overlays/{name}"].config_text("boreal-run", "run.yaml"))
        for name in (own, operators)
    )
    spark = first.pop("spark")
    assert first == second
    application = builds[f"overlays/{operators}"].of_kind("SparkApplication")["boreal"]["spec"]
    executor, extra = application["executor"], spark["extra"]
    assert [
        extra["spark.executor.instances"],
        extra["spark.executor.cores"],
        str(extra["spark.kubernetes.executor.request.cores"]),
        str(extra["spark.kubernetes.executor.limit.cores"]),
        extra["spark.executor.memory"],
        extra["spark.executor.memoryOverhead"],
        spark["driver_memory"],
    ] == [
        *(executor[name] for name in ("instances", "cores", "coreRequest", "coreLimit", "memory", "memoryOverhead")),
        application["driver"]["memory"],
    ]
    assert str(extra["spark.blockManager.port"]) == application["sparkConf"]["spark.blockManager.port"]


@pytest.fixture(scope="module")
def spark_names() -> bytes:
    """The classes in which Spark names its settings."""
    spec = find_spec("pyspark")
    assert spec is not None
    jars = Path(str(spec.origin)).parent / "jars"
    (core,), (kubernetes,) = jars.glob("spark-core_*.jar"), jars.glob("spark-kubernetes_*.jar")
    with zipfile.ZipFile(core) as first, zipfile.ZipFile(kubernetes) as second:
        return first.read("org/apache/spark/internal/config/package$.class") + second.read(
            "org/apache/spark/deploy/k8s/Config$.class"
        )


def test_settings_are_those_that_spark_knows(build: "Build", spark_names: bytes) -> None:
    data = YAML(typ="safe").load(build.config_text("boreal-run", "run.yaml"))
    used = [*data.get("spark", {}).get("extra", ())]
    used += [name for each in build.of_kind("SparkApplication").values() for name in each["spec"]["sparkConf"]]
    assert used
    unknown = [name for name in used if name.encode() not in spark_names]
    # What an account is for is written behind the prefix of all that logs in.
    assert unknown in ([], ["spark.kubernetes.authenticate.executor.serviceAccountName"])


def test_topics_that_nobody_makes_are_there(builds: dict[str, "Build"], tmp_path: Path) -> None:
    made = builds["overlays/production"]
    delivery = config_of(made, tmp_path).deliver.kafka
    assert delivery is not None
    assert delivery.create_topics is False
    topics = {each["spec"].get("topicName", name): each["spec"] for name, each in made.of_kind("KafkaTopic").items()}
    filters = [path.stem for path in (K8S / "subscribers" / "filters").glob("*.yaml")]
    wanted = {*delivery.shared_topics, *(delivery.topic.replace("{filter}", name) for name in filters)}
    assert wanted <= set(topics)
    assert all(topics[name]["config"]["max.message.bytes"] > delivery.max_message_bytes for name in wanted)


def test_the_subscribers_that_are_kept_are_up_to_date(bundle: Bundle) -> None:
    delivery = read_config(K8S / "overlays" / "production" / "run.yaml").deliver.kafka
    assert delivery is not None
    rendered = render(K8S / "subscribers" / "filters", schema_for(bundle.manifest), Delivering(delivery))
    assert not difference(K8S / "subscribers" / "generated", rendered.files)


def test_a_reprocessing_reads_and_writes_volumes_of_its_job(builds: dict[str, "Build"], tmp_path: Path) -> None:
    (pod,) = builds["reprocess"].pods
    (tmp_path / "reprocess.yaml").write_text(builds["reprocess"].config_text("boreal-reprocess-2026", "reprocess.yaml"))
    config = read_config(tmp_path / "reprocess.yaml")
    assert isinstance(config.source, ArchivesSource)
    assert all(below(path, mounts(pod)) for path in (*config.source.inputs, config.to, config.filters))
    assert config.spark.master == f"local[{pod.containers[0]['resources']['limits']['cpu']}]"
