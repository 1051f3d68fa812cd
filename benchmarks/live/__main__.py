"""The command: a Kafka broker, a run, packets at a rate, a subscriber; then delays and books."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.live.operator import SCRAPED_SECONDS, Operator
from benchmarks.live.subscriber import Subscriber, delay_table, quantiles
from benchmarks.processes import BOREAL, started
from broker.books.ledger import Ledger
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.errors import RunFailedError, WrongInputError
from broker.local.kafka import LocalKafka
from broker.run_directory import RunDirectory

ROOT = Path(__file__).parents[2]
TOPIC = "alerts"
PARTITIONS = 4
CONFIG = "live-demo.yaml"

WARM_UP_SECONDS = 10
"""Packets of so many seconds come before those that are measured: with them Spark and numba start."""

STALL_SECONDS = 300

CONSOLE = Console(highlight=False, soft_wrap=True)


def main(
    rate: Annotated[float, typer.Option(min=0.1, help="Packets per second.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long packets are sent, after the warm-up.")] = 60.0,
    packets: Annotated[Path, typer.Option(exists=True, help="A file or directory of packets to send.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    to: Annotated[Path, typer.Option(help="Directory for everything; emptied first.")] = ROOT / "build" / "live-demo",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file, too.")] = None,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Watch it with Prometheus, and draw the dashboard.")
    ] = False,
) -> None:
    """Show alerts going from Kafka to subscribers, live; Ctrl-C ends all of it.

    Example: `scripts/live-demo --rate 100 --seconds 60`. Exits with 1 if the books don't balance.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as cleanup:
            figures = _show(cleanup, _fresh(to.resolve()), packets.resolve(), rate, seconds, metrics=metrics)
        if json_file:
            json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    except WrongInputError as error:
        stop(str(error), GAVE_SOMETHING_WRONG)
    except RunFailedError as error:
        stop(str(error), CHECK_FAILED)


def _show(
    cleanup: ExitStack, folder: Path, packets: Path, rate: float, seconds: float, *, metrics: bool
) -> dict[str, float]:
    """Show it; give the figures."""
    CONSOLE.print("starting a Kafka broker")
    # Packets and deliveries are stamped when the broker stores them.
    settings = {"log.message.timestamp.type": "LogAppendTime"}
    kafka = cleanup.enter_context(LocalKafka(folder / "kafka", settings=settings))
    kafka.create_topic(TOPIC, PARTITIONS)
    results = RunDirectory(folder / "results")
    operator = cleanup.enter_context(Operator(folder, CONSOLE.print)) if metrics else None
    config = _configure(folder, kafka.brokers, results, operator)
    subscriber = Subscriber(kafka.brokers, results.schemas, CONSOLE.print)
    cleanup.callback(subscriber.close)

    CONSOLE.print(f"starting the run; its log: {folder / 'run.log'}")
    warm_up, count = ceil(WARM_UP_SECONDS * rate), ceil(seconds * rate)
    with started([BOREAL, "run", str(config)], folder / "run.log", signal.SIGTERM) as run:
        feeding = _Feeding(folder, config, packets, rate, subscriber, run)
        CONSOLE.print(f"warming up: {warm_up:,} packets at {rate:g}/s")
        feeding.feed(warm_up)
        feeding.wait(results, warm_up)
        CONSOLE.print(f"measuring: {count:,} packets at {rate:g}/s")
        measured_from = time.time_ns() // 1_000_000
        fed = feeding.feed(count)
        behind = feeding.wait(results, warm_up + count)
        if operator:
            operator.draw()
    while subscriber.listen(2):
        pass
    CONSOLE.print(
        f"\n{fed['packets']:,} packets were sent at {fed['rate']:.1f}/s; {behind:.1f} s after the last, all were in "
        f"the books.\nThe {warm_up:,} before them, with which Spark and numba started, aren't in this table."
    )
    delays = subscriber.since(measured_from)
    CONSOLE.print(delay_table(delays))
    _close(results, config)
    return {**_figures(fed, delays), "secondsBehind": behind}


def _figures(fed: dict[str, Any], delays: dict[str, list[float]]) -> dict[str, float]:
    """What was sent, and how long the deliveries took [s]."""
    late = [*chain.from_iterable(delays.values())]
    return {
        "packets": fed["packets"],
        "meanBytes": fed["bytes"] / fed["packets"],
        "packetsPerSecond": fed["rate"],
        "deliveries": len(late),
        **dict(zip(("p50", "p90", "p99", "max"), quantiles(late), strict=True)),
    }


@dataclass(frozen=True)
class _Feeding:
    """Packets on their way to the run, and a subscriber that is listened to meanwhile."""

    folder: Path
    config: Path
    packets: Path
    rate: float
    subscriber: Subscriber
    run: subprocess.Popen[bytes]

    def feed(self, count: int) -> dict[str, Any]:
        """Send so many packets; give what `boreal replay-packets` says of them."""
        how = ["--new-ids", "--repeat", "--json", "--rate", str(self.rate), "--count", str(count)]
        log = self.folder / "replay.log"
        command = [BOREAL, "replay-packets", str(self.packets), "--config", str(self.config), *how]
        with started(command, log, signal.SIGINT) as sending:
            self._listen_until(lambda: sending.poll() is not None)
        text = log.read_text(encoding="utf-8")
        if sending.returncode:
            raise RunFailedError(f"replay-packets ended with {sending.returncode}:\n{text}")
        return dict(json.loads(text[text.index("{\n") :]))  # the progress bar comes before

    def wait(self, results: RunDirectory, received: int) -> float:
        """Until the ledger has so many alerts; give the seconds."""
        started = time.monotonic()
        self._listen_until(lambda: Ledger.read(results.ledger).total.received >= received)
        return time.monotonic() - started

    def _listen_until(self, done: Callable[[], bool]) -> None:
        """Fail where the run ends before, or nothing is delivered for long."""
        last = time.monotonic()
        while not done():
            if self.run.poll() is not None:
                raise RunFailedError(f"the run ended with {self.run.returncode}; {self.folder / 'run.log'} says why")
            if self.subscriber.listen(0.3):
                last = time.monotonic()
            if time.monotonic() - last > STALL_SECONDS:
                raise RunFailedError(f"nothing was delivered for {STALL_SECONDS} s; see {self.folder / 'run.log'}")


def _close(results: RunDirectory, config: Path) -> None:
    """The books, and whether they balance."""
    subprocess.run([BOREAL, "ledger", str(results.path)], check=True)  # noqa: S603  # Boreal's own command
    done = subprocess.run([BOREAL, "reconcile", str(config), "--deliveries"], check=False)  # noqa: S603
    if done.returncode:
        raise RunFailedError("the books don't balance")


def _fresh(folder: Path) -> Path:
    """An empty directory; what an earlier demo left in it is removed, anything else is left alone."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / CONFIG).exists():
            raise WrongInputError(f"{folder} holds something else than an earlier live demo; give another --to")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _configure(folder: Path, brokers: str, results: RunDirectory, operator: Operator | None) -> Path:
    """The run's configuration; JSON is YAML, too."""
    path = folder / CONFIG
    settings = {
        "source": {"kind": "kafka", "brokers": brokers, "topics": [TOPIC]},
        "to": str(results.path),
        "filters": str(ROOT / "examples" / "filters"),
        "table": {"kind": "delta"},
        "deliver": {"kafka": {"brokers": brokers}},
        "spark": {"master": "local[2]"},
        **({"metrics": {"port": operator.port, "lag_every_seconds": SCRAPED_SECONDS}} if operator else {}),
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    typer.run(main)
