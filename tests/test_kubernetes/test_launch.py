"""The image's entry point, with programs in place of Java, Spark and Boreal that tell how they were called."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parents[2] / "k8s/image/launch"
TELL = '#!/bin/bash\nprintf "%s\\n" "${0##*/}" "$@"\n'

EXECUTOR = {
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@10.0.0.7:7078",
    "SPARK_EXECUTOR_ID": "3",
    "SPARK_EXECUTOR_CORES": "2",
    "SPARK_EXECUTOR_MEMORY": "1024m",
    "SPARK_APPLICATION_ID": "spark-abc",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.9",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "boreal-exec-3",
}


@pytest.fixture
def image(tmp_path):
    """The part of the image that the launcher touches."""
    home = tmp_path / "opt"
    for path in ("bin/tini", "bin/java", "opt/venv/bin/boreal", "opt/spark/bin/spark-submit"):
        program = tmp_path / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(TELL)
        program.chmod(0o755)
    kept = home / "warm/numba/features_1/loop.nbc"
    kept.parent.mkdir(parents=True)
    kept.write_text("compiled")
    shutil.copy(LAUNCH, home / "launch")
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.fixture
def launch(image):
    def call(*arguments, **environment):
        given = {
            "PATH": f"{image}/bin:{os.environ['PATH']}",
            "SPARK_HOME": str(image / "opt/spark"),
            "NUMBA_CACHE_DIR": str(image / "tmp/warm/numba"),
            **environment,
        }
        return subprocess.run(
            [image / "opt/launch", *arguments], env=given, capture_output=True, text=True, check=False
        )

    return call


def told(done):
    """What tini was asked to run."""
    assert done.returncode == 0, done.stderr
    name, *rest = done.stdout.splitlines()
    assert (name, rest[:2]) == ("tini", ["-s", "--"])
    return rest[2:]


def test_anything_else_is_a_command_of_boreal(launch, image):
    command = told(launch("run", "/etc/boreal/run.yaml", "--once"))
    assert command == [f"{image}/opt/venv/bin/boreal", "run", "/etc/boreal/run.yaml", "--once"]


def test_without_arguments_boreal_says_what_there_is(launch, image):
    assert told(launch()) == [f"{image}/opt/venv/bin/boreal"]


def test_an_argument_with_spaces_stays_one(launch):
    assert told(launch("filter", "check", "a b.yaml"))[-1] == "a b.yaml"


def test_a_driver_is_submitted_in_client_mode_with_the_address_that_spark_gives(launch, image):
    given = ["--properties-file", "/opt/spark/conf/spark.properties", "local:///opt/boreal/stream.py", "run"]
    submit, *arguments = told(launch("driver", *given, SPARK_DRIVER_BIND_ADDRESS="10.0.0.7"))
    assert submit == f"{image}/opt/spark/bin/spark-submit"
    assert arguments[:2] == ["--deploy-mode", "client"]
    assert "spark.driver.bindAddress=10.0.0.7" in arguments
    assert "spark.executorEnv.SPARK_DRIVER_POD_IP=10.0.0.7" in arguments
    assert arguments[-4:] == given


def test_an_executor_is_told_what_spark_put_into_its_environment(launch, image):
    java, *arguments = told(launch("executor", **EXECUTOR))
    assert java == "java"
    at = arguments.index("org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend")
    assert dict(zip(arguments[at + 1 :: 2], arguments[at + 2 :: 2], strict=True)) == {
        "--driver-url": "spark://CoarseGrainedScheduler@10.0.0.7:7078",
        "--executor-id": "3",
        "--cores": "2",
        "--app-id": "spark-abc",
        "--hostname": "10.0.0.9",
        "--resourceProfileId": "0",
        "--podName": "boreal-exec-3",
    }
    assert arguments[:at] == ["-Xms1024m", "-Xmx1024m", "-cp", f"{image}/opt/spark/jars/*"]


def test_options_for_java_keep_their_order_and_their_spaces(launch):
    options = {f"SPARK_JAVA_OPT_{n}": f"-Dn={n}" for n in range(12)} | {"SPARK_JAVA_OPT_1": "-Dwords=a b"}
    arguments = told(launch("executor", **EXECUTOR, **options))
    assert arguments[1:13] == ["-Dn=0", "-Dwords=a b", *(f"-Dn={n}" for n in range(2, 12))]


def test_further_classes_and_the_folder_of_settings_come_first(launch, image):
    arguments = told(launch("executor", **EXECUTOR, SPARK_CLASSPATH="/more/*", SPARK_CONF_DIR="/opt/spark/conf"))
    assert f"/opt/spark/conf:/more/*:{image}/opt/spark/jars/*" in arguments


def test_an_executor_that_lacks_something_says_what(launch):
    given = {name: value for name, value in EXECUTOR.items() if name != "SPARK_DRIVER_URL"}
    done = launch("executor", **given)
    assert done.returncode
    assert "SPARK_DRIVER_URL" in done.stderr


def test_compiled_code_is_copied_to_where_it_may_be_written(launch, image):
    told(launch("version"))
    assert [path.name for path in (image / "tmp").iterdir()] == ["warm"]
    copied = image / "tmp/warm/numba/features_1/loop.nbc"
    assert copied.read_text() == "compiled"
    copied.write_text("compiled since")
    told(launch("version"))  # a container that is started again in its pod
    assert copied.read_text() == "compiled since"


def test_without_a_place_to_write_it_says_what_to_mount(launch, image):
    done = launch("version", NUMBA_CACHE_DIR=str(image / "nowhere/warm/numba"))
    assert done.returncode == 2
    assert "nowhere can't be written: mount a volume there" in done.stderr


def test_no_processor_is_asked_for_more_than_the_image_was_built_for(launch):
    assert told(launch("version", NUMBA_CPU_NAME="generic"))
