"""The Java process of a Kafka broker on this machine: its settings, its directory, its start and its end."""

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from broker.errors import RunFailedError
from broker.java_archives import KAFKA_BROKER, fetched, java
from broker.local._process import tied_to_this_process
from broker.local._tls import certificate

LARGEST_MESSAGE = 16 * 1024 * 1024
"""Alerts with cutouts and long histories reach megabytes; Kafka's own limit is one."""

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512",
    "message.max.bytes": str(LARGEST_MESSAGE),
    "replica.fetch.max.bytes": str(LARGEST_MESSAGE),
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    # One broker holds everything, and one partition of each internal topic is soon there.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A killed broker is let in again when its old session has ended; the default is 9 s.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # The default takes a quarter of the heap.
    "log.cleaner.dedupe.buffer.size": "8388608",
}

AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # who comes in through PLAINTEXT, and the broker itself
    "allow.everyone.if.no.acl.found": "false",
}

SCRAM_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"

JVM = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The broker moves bytes: the second compiler costs more than it gives back in a run of minutes.
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

STOP_SECONDS = 30


def encryption(directory: Path) -> dict[str, str]:
    """The settings of listeners with TLS, and the files they name."""
    made = certificate(directory)
    store = directory / "keystore.pem"
    store.write_text(made.key.read_text() + made.public.read_text())
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(store)}


def listening(ports: Mapping[str, int]) -> dict[str, str]:
    """The settings of listeners on 127.0.0.1 that are named for their protocol; ``CONTROLLER`` is one of them."""
    named = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()}
    return {
        "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
        "listeners": ",".join(named.values()),
        "advertised.listeners": ",".join(url for name, url in named.items() if name != "CONTROLLER"),
        "listener.security.protocol.map": ",".join(
            f"{name}:{'PLAINTEXT' if name == 'CONTROLLER' else name}" for name in named
        ),
        "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": SCRAM_LOGIN,
    }


class KafkaProcess:
    """One process, broker and controller at once, over a directory that holds its data, settings and log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log_file = directory / "server.log"
        self._properties = directory / "server.properties"
        self._data = directory / "data"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, settings: Mapping[str, str], users: Mapping[str, str]) -> None:
        """Start the process; the users are made when the directory is used for the first time."""
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        with self._properties.open("a") as properties:
            properties.write(f"log.dirs={self._data}\n")
        if not (self._data / "meta.properties").exists():
            self._format(users)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # Kafka's own main class
                [*tied_to_this_process(), *_java("kafka.Kafka"), str(self._properties)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # what signals the group of a test or a job leaves the broker alone
            )

    def end(self, by: signal.Signals) -> None:
        """Send a signal that ends the process, and wait for the end; kill it where that takes too long."""
        if self._process is None:
            return
        self._process.send_signal(by)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def log_tail(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-20:])

    def _format(self, users: Mapping[str, str]) -> None:
        credentials = [f'SCRAM-SHA-512=[name="{name}",password="{password}"]' for name, password in users.items()]
        command = [
            *_java("kafka.tools.StorageTool"), "format", "--config", str(self._properties),
            "--cluster-id", "AAAAAAAAQABoreal-AAAAA", *(part for user in credentials for part in ("--add-scram", user)),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # Kafka's own tool
        if done.returncode:
            raise RunFailedError(f"Kafka can't use {self.directory}:\n{done.stdout}{done.stderr}")


def _java(main: str) -> list[str]:
    return [java(), *JVM, "-cp", f"{fetched(KAFKA_BROKER)}/*", main]
