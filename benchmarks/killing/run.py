"""The run under trial: its configuration, its process, how far it is."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import BOREAL, descendants, kill
from broker.books.ledger import Ledger
from broker.run_directory import RunDirectory

TOPIC = "alerts"
STALL_SECONDS = 300
"""A run that takes in nothing for so long, with packets waiting, hangs."""


@dataclass
class Trial:
    """A run that may be started, and killed, again and again.

    Parameters
    ----------
    folder : for its configuration, results and log.
    command : of boreal, which takes the configuration.
    """

    folder: Path
    command: str = "run"
    process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> RunDirectory:
        """Where its results are."""
        return RunDirectory(self.folder / "results")

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "chaos.yaml"

    def configure(self, **settings: Any) -> None:
        """Write the configuration."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps({"to": str(self.directory.path), **settings}, indent=2))

    def start(self) -> None:
        """Start it; what it prints goes to a log."""
        with (self.folder / "run.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own command
                [BOREAL, self.command, str(self.config)], stdout=log, stderr=log, start_new_session=True
            )

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    def received(self) -> int:
        """Alerts that the ledger has."""
        return Ledger.read(self.directory.ledger).total.received

    def kill(self, *, with_java: bool) -> None:
        """Kill the driver; with its Java process and the workers at the same moment, or leave those to notice."""
        if self.process is None:
            return
        below = descendants(self.process.pid)
        kill([self.process.pid, *(below if with_java else [])])
        self.process.wait()
        kill(below) if with_java else _wait_for_the_end(below)

    def stop(self) -> int:
        """Ask it to stop, as an operator would; give its exit code."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(timeout=STALL_SECONDS)

    def ask(self, *command: str) -> Any:
        """What another of Boreal's commands says of the run, as JSON."""
        done = subprocess.run(  # noqa: S603  # our own command
            [BOREAL, *command, "--json"], capture_output=True, text=True, check=False
        )
        if not done.stdout:
            raise RuntimeError(f"boreal {' '.join(command)} failed: {done.stderr}")
        return json.loads(done.stdout)


def live_run(folder: Path, brokers: str, filters: Path, batch: int, cores: int) -> Trial:
    """A run of `boreal run` from Kafka to Kafka, with its configuration.

    Parameters
    ----------
    folder : as of `Trial`.
    brokers : ``host:port`` of the Kafka broker.
    filters : directory of filter files.
    batch : the most messages of a micro-batch.
    cores : of Spark.
    """
    made = Trial(folder)
    made.configure(
        source={"kind": "kafka", "brokers": brokers, "topics": [TOPIC], "max_messages_per_batch": batch},
        filters=str(filters),
        table={"kind": "delta"},
        deliver={
            "kafka": {
                "brokers": brokers,
                "annotations": "boreal-annotations",
                "deadletter": "boreal-deadletter",
            }
        },
        spark={"master": f"local[{cores}]"},
        poll_seconds=0.5,
    )
    return made


def _wait_for_the_end(pids: list[int]) -> None:
    """A Java process ends by itself once its driver is gone; one that doesn't is a fault, and is told."""
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            kill(pids)
            raise RuntimeError("processes of a killed run still live after a minute")
        time.sleep(0.2)
