"""The command: a Kafka broker, a run, packets at a rate, a subscriber; then delays and books."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.live.subscriber import Subscriber, delay_table
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.errors import RunFailedError, WrongInputError
from broker.ledger import Ledger
from broker.local_kafka import LocalKafka
from broker.run_directory import RunDirectory

ROOT = Path(__file__).parents[2]
BOREAL = str(Path(sys.executable).with_name("boreal"))
TOPIC = "alerts"
PARTITIONS = 4
CONFIG = "live-demo.yaml"

WARM_UP_SECONDS = 10
"""Packets of so many seconds come before those that are measured: with them Spark and numba start."""

STALL_SECONDS = 300
STOP_SECONDS = 180

CONSOLE = Console(highlight=False, soft_wrap=True)


def main(
    rate: Annotated[float, typer.Option(min=0.1, help="Packets per second.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=1, help="How long packets are sent, after the warm-up.")] = 60.0,
    packets: Annotated[Path, typer.Option(exists=True, help="A file or directory of packets to send.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    to: Annotated[Path, typer.Option(help="Directory for everything; emptied first.")] = ROOT / "build" / "live-demo",
) -> None:
    """Show alerts going from Kafka to subscribers, live; Ctrl-C ends all of it.

    Example: `scripts/live-demo --rate 100 --seconds 60`. Exits with 1 if the books don't balance.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as cleanup:
            _show(cleanup, _fresh(to.resolve()), packets.resolve(), rate, seconds)
    except WrongInputError as error:
        stop(str(error), GAVE_SOMETHING_WRONG)
    except RunFailedError as error:
        stop(str(error), CHECK_FAILED)


def _show(cleanup: ExitStack, folder: Path, packets: Path, rate: float, seconds: float) -> None:
    CONSOLE.print("starting a Kafka broker")
    # Packets and deliveries are stamped when the broker stores them.
    settings = {"log.message.timestamp.type": "LogAppendTime"}
    kafka = cleanup.enter_context(LocalKafka(folder / "kafka", settings=settings))
    kafka.create_topic(TOPIC, PARTITIONS)
    results = RunDirectory(folder / "results")
    config = _configure(folder, kafka.brokers, results)
    subscriber = Subscriber(kafka.brokers, results.schemas, CONSOLE.print)
    cleanup.callback(subscriber.close)

    CONSOLE.print(f"starting the run; its log: {folder / 'run.log'}")
    with _process("run", str(config), log=folder / "run.log", end=signal.SIGTERM) as run:
        feed = [str(packets), "--config", str(config), "--new-ids", "--repeat", "--json", "--rate", str(rate)]

        def feed_and_watch(what: str, count: int, total: int) -> dict[str, Any]:
            CONSOLE.print(f"{what}: {count:,} packets at {rate:g}/s")
            said = folder / "replay.log"
            with _process("replay-packets", *feed, "--count", str(count), log=said, end=signal.SIGINT) as sending:
                _watch(subscriber, run, lambda: sending.poll() is not None)
            fed = _said(said, sending)
            _watch(subscriber, run, lambda: Ledger.read(results.ledger).total.received >= total)
            return fed

        warm_up, count = ceil(WARM_UP_SECONDS * rate), ceil(seconds * rate)
        feed_and_watch("warming up", warm_up, warm_up)
        measured_from = time.time_ns() // 1_000_000
        fed = feed_and_watch("measuring", count, warm_up + count)
    while subscriber.listen(2):
        pass
    CONSOLE.print(
        f"\n{fed['packets']:,} packets were sent at {fed['rate']:.1f}/s. The first {warm_up:,}, during which Spark and "
        "numba started, aren't in this table."
    )
    CONSOLE.print(delay_table(subscriber.since(measured_from)))
    _close(results, config)


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


def _configure(folder: Path, brokers: str, results: RunDirectory) -> Path:
    """The run's configuration; JSON is YAML, too."""
    path = folder / CONFIG
    settings = {
        "source": {"kind": "kafka", "brokers": brokers, "topics": [TOPIC]},
        "to": str(results.path),
        "filters": str(ROOT / "examples" / "filters"),
        "table": {"kind": "delta"},
        "deliver": {"kafka": {"brokers": brokers}},
        "spark": {"master": "local[2]"},
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return path


@contextmanager
def _process(*arguments: str, log: Path, end: signal.Signals) -> Iterator[subprocess.Popen[bytes]]:
    """A `boreal` command that is ended, in order, when the block ends; Ctrl-C reaches it only that way."""
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603  # Boreal's own command
            [BOREAL, *arguments], stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(end)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(subscriber: Subscriber, run: subprocess.Popen[bytes], done: Callable[[], bool]) -> None:
    """Show deliveries until it is done; fail where the run ends before, or nothing is delivered for long."""
    last = time.monotonic()
    while not done():
        if run.poll() is not None:
            raise RunFailedError(f"the run ended with {run.returncode}; its log says why")
        if subscriber.listen(0.3):
            last = time.monotonic()
        if time.monotonic() - last > STALL_SECONDS:
            raise RunFailedError(f"nothing was delivered for {STALL_SECONDS} s; see the run's log")


def _said(log: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What a command printed as JSON, behind its progress bar."""
    text = log.read_text(encoding="utf-8")
    if process.returncode:
        raise RunFailedError(f"replay-packets ended with {process.returncode}:\n{text}")
    return dict(json.loads(text[text.index("{") :]))


if __name__ == "__main__":
    typer.run(main)
