"""The Spark session: every setting with its reason."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from broker.errors import JavaMissingError, StreamStoppedError
from broker.logs import LogForm
from broker.spark.java_log import JavaLog
from broker.spark.pod import on_kubernetes, pod_settings

JAVA_OPTIONS = (
    # Java only moves bytes here: code of the first compiler moves them as fast as that of the second, which would take
    # as much time as the moving during a run's first minutes.
    "-XX:TieredStopAtLevel=1",
    # Messages are large and die young; the default collector works beside them all the time.
    "-XX:+UseParallelGC",
)

SETTINGS = {
    # Nothing is shuffled; a small number keeps the rest of Spark from making 200 tasks.
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.executor.extraJavaOptions": " ".join(JAVA_OPTIONS),
    # A native library that dies in a worker leaves its stack in the log.
    "spark.python.worker.faulthandler.enabled": "true",
    # One thread a worker: workers are as many as cores, and sums over threads would round by their number.
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",
    # A worker keeps the memory that it will need again for the next packets; given back, each page costs a fault.
    "spark.executorEnv.MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "spark.executorEnv.MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
    # Packets cross to Python in pieces; a piece of 10,000, Spark's own size, would be 3 GB of them.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "64",
    "spark.sql.execution.arrow.maxBytesPerBatch": str(64 * 2**20),
    # A stop finishes the micro-batch in hand.
    "spark.sql.streaming.stopTimeout": "120s",
}

LOCAL_SETTINGS = {
    # A laptop's host name may not resolve; the driver and its workers are all on this machine.
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
}

LAUNCHED_BY_JAVA = "PYSPARK_GATEWAY_PORT"
"""The environment variable that `spark-submit` sets for a driver that it starts itself."""

LOCAL_MASTER = re.compile(r"local(\[(?P<cores>\d+|\*)\])?")
TASK_ATTEMPTS = 4

LOG_SETTINGS: Mapping[LogForm, Path] = {
    "text": Path(__file__).with_name("log4j2.properties"),
    "json": Path(__file__).with_name("log4j2-json.properties"),
}
"""How Java logs; beside this file on every machine where the same image runs."""


def check_java() -> None:
    """Raise a `JavaMissingError` that says what to install, where there is no Java."""
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java") and not (home and Path(home, "bin", "java").exists()):
        raise JavaMissingError(
            "Spark needs Java 17, and there is no `java` on the path nor in JAVA_HOME; "
            "on Debian: apt-get install openjdk-17-jre-headless"
        )


def patient(master: str) -> str:
    """The master, but a task whose worker died is tried again on this machine, too, as it is on a cluster."""
    local = LOCAL_MASTER.fullmatch(master)
    return f"local[{local['cores'] or 1},{TASK_ATTEMPTS}]" if local else master


def start_session(
    master: str, driver_memory: str, extra: Mapping[str, str], jars: Sequence[Path] = (), log: LogForm = "text"
) -> SparkSession:
    """The session of a run.

    Parameters
    ----------
    master : Spark master URL: ``local[*]``.
    driver_memory : for the JVM: ``2g``.
    extra : further Spark settings; they win over those of this module.
    jars : Java archives that Spark needs beside its own.
    log : how Java logs.

    Raises
    ------
    JavaMissingError
        If there is no Java.
    StreamStoppedError
        If Spark doesn't start.
    """
    check_java()
    # Workers take `python3` from the path unless told, and would miss the environment's packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = settings_for(master, driver_memory, extra, jars, log)
    try:
        gateway = _launched(SparkConf().setAll(list(settings.items())), log)
        # Java that spark-submit has started was given settings of its own, perhaps another master: they win.
        conf = SparkConf(_jvm=gateway.jvm)
        wanted = settings_for(conf.get("spark.master", master) or master, driver_memory, extra, jars, log)
        conf.setAll([(name, value) for name, value in wanted.items() if not conf.contains(name)])
        session = SparkSession(SparkContext(conf=conf, gateway=gateway))
    except (PySparkRuntimeError, Py4JError) as error:
        raise StreamStoppedError(f"Spark could not be started: {str(error).splitlines()[0]}") from error
    if LAUNCHED_BY_JAVA in os.environ:
        _log_as(session, LOG_SETTINGS[log])
    session.sparkContext.setLogLevel("ERROR")
    return session


def settings_for(
    master: str, driver_memory: str, extra: Mapping[str, str], jars: Sequence[Path] = (), log: LogForm = "text"
) -> dict[str, str]:
    """Every setting of a session; the parameters are those of `start_session`."""
    return {
        **SETTINGS,
        **(LOCAL_SETTINGS if master.startswith("local") else {}),
        **(pod_settings() if on_kubernetes(master) else {}),
        "spark.master": patient(master),
        "spark.app.name": "boreal",
        "spark.driver.memory": driver_memory,
        **_java_options(master, LOG_SETTINGS[log].as_uri()),
        **({"spark.jars": ",".join(map(str, jars))} if jars else {}),
        **extra,
    }


def _log_as(session: SparkSession, settings: Path) -> None:
    """Have a Java process that was started without our options log as one that was started with them."""
    java: Any = session.sparkContext._jvm  # noqa: SLF001  # pyspark's way to classes of Java
    java.org.apache.logging.log4j.core.config.Configurator.reconfigure(java.java.net.URI(settings.as_uri()))


def _java_options(master: str, log_settings: str) -> dict[str, str]:
    """Options of the Java processes; executors on Kubernetes have the driver's image, and so its files."""
    with_log = " ".join([*JAVA_OPTIONS, f"-Dlog4j2.configurationFile={log_settings}"])
    of_executors = {"spark.executor.extraJavaOptions": with_log} if on_kubernetes(master) else {}
    return {"spark.driver.extraJavaOptions": with_log, **of_executors}


def _launched(conf: SparkConf, log: LogForm) -> Any:
    """The gateway to a Java process that is started, or to the one that started this process.

    It has a process group of its own: Ctrl-C, or a SIGTERM to the group, must not take Java from under the micro-batch.
    """
    output = JavaLog() if log == "json" and LAUNCHED_BY_JAVA not in os.environ else None
    options = {"start_new_session": True, **(output.options if output else {})}
    try:
        return launch_gateway(conf, options)  # type: ignore[no-untyped-call]  # pyspark's own
    finally:
        if output:
            output.started()


def java_process(session: SparkSession) -> int | None:
    """The number of Spark's Java process: the one that was started, or the one that started this process."""
    gateway: Any = session.sparkContext._gateway  # noqa: SLF001  # pyspark keeps the process there
    started = getattr(gateway, "proc", None)
    if started is not None:
        return int(started.pid)
    return os.getppid() if LAUNCHED_BY_JAVA in os.environ else None


def stop_session(session: SparkSession) -> None:
    """Stop Spark; where its Java process is gone, it has stopped."""
    with suppress(Py4JError, OSError):
        session.stop()
