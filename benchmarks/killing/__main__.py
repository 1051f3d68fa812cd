"""The command: start everything, kill, let it finish, hold the books against what was sent."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.folder import working_folder
from benchmarks.killing.packets import Flow
from benchmarks.killing.run import STALL_SECONDS, TOPIC, Trial, live_run
from benchmarks.processes import kill, python_workers
from broker.kafka.feed import Feed
from broker.kafka.settings import Cluster
from broker.local.kafka import LocalKafka

ROOT = Path(__file__).parents[2]


def main(
    kills: Annotated[int, typer.Option(min=0, help="Of the driver; a worker is killed as often.")] = 20,
    packets: Annotated[int, typer.Option(min=100, help="How many flow.")] = 20_000,
    rate: Annotated[float | None, typer.Option(help="Packets per second; as fast as may be if left out.")] = 40.0,
    batch: Annotated[int, typer.Option(min=1, help="The most messages of a micro-batch.")] = 400,
    seed: Annotated[int, typer.Option(help="Decides the packets and the moments.")] = 1,
    cores: Annotated[int, typer.Option(min=1, help="Of Spark.")] = 2,
    directory: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="Packets to send.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    keep: Annotated[Path | None, typer.Option(help="Work in this folder, and leave it.")] = None,
) -> None:
    """Kill a live run over and over while packets flow; exit with 1 if anything was lost or doubled."""
    flow = Flow.of(packets)
    with working_folder(keep, "chaos") as folder, LocalKafka(folder / "kafka") as kafka:
        kafka.create_topic(TOPIC, 3)
        run = live_run(folder, kafka.brokers, ROOT / "examples" / "filters", batch, cores)
        started = time.monotonic()
        fed = _feeding(kafka.brokers, flow, directory, seed, rate)
        killed = _trial(run, flow, kills, random.Random(seed), fed)  # noqa: S311  # moments, not secrets
        found = _verdict(run, flow)
    found |= {"driver kills": killed[0], "worker kills": killed[1], "seconds": round(time.monotonic() - started)}
    differences = found.pop("differences")
    typer.echo("\n".join([*(f"{name} {value}" for name, value in found.items()), f"differences {differences}"]))
    raise typer.Exit(1 if differences else 0)


def _feeding(brokers: str, flow: Flow, directory: Path, seed: int, rate: float | None) -> threading.Thread:
    def feed() -> None:
        with Feed(Cluster(brokers=brokers), TOPIC) as to:
            to.send((("", payload) for payload in flow.payloads(directory, seed)), rate, lambda _: None)

    thread = threading.Thread(target=feed, daemon=True)
    thread.start()
    return thread


def _trial(run: Trial, flow: Flow, kills: int, draw: random.Random, fed: threading.Thread) -> tuple[int, int]:
    """Kill the driver, then workers, then let the rest come through; give the number of kills of each."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("alerts in the ledger", total=flow.packets)

        def look(what: str) -> int:
            received = run.received()
            progress.update(task, completed=received, description=what)
            return received

        drivers = sum(_kill_driver(run, number, draw, look) for number in range(kills))
        workers = sum(_kill_worker(run, number, draw, look) for number in range(kills))
        _finish(run, flow, fed, look)
    return drivers, workers


Look = Callable[[str], int]


def _kill_driver(run: Trial, number: int, draw: random.Random, look: Look) -> bool:
    """Kill it at any moment of its life: half of the times while it starts, half of them while it works."""
    run.start()
    what = f"driver kill {number + 1}"
    if number % 2:
        _wait_for_progress(run, what, look)
        _pass(draw.uniform(0, 8), what, look)
    else:
        _pass(draw.uniform(0, 30), what, look)
    run.kill(with_java=draw.choice([True, False]))
    return True


def _kill_worker(run: Trial, number: int, draw: random.Random, look: Look) -> bool:
    """Kill one of the workers; the run goes on, or stops with a message and is started again."""
    what = f"worker kill {number + 1}"
    deadline = time.monotonic() + STALL_SECONDS
    while time.monotonic() < deadline:
        if not run.running:
            run.start()
        _pass(draw.uniform(0.5, 5), what, look)
        workers = python_workers(run.process.pid) if run.running and run.process else []
        if workers:
            kill([draw.choice(workers)])
            return True
    raise RuntimeError(f"no worker in {STALL_SECONDS} seconds; see {run.folder}/run.log")


def _finish(run: Trial, flow: Flow, fed: threading.Thread, look: Look) -> None:
    """Until all that was sent is in the ledger."""
    last, since = look("finishing"), time.monotonic()
    while fed.is_alive() or last < flow.packets:
        if not run.running:
            run.start()
        _pass(1, "finishing", look)
        received = look("finishing")
        if received > last:
            last, since = received, time.monotonic()
        elif time.monotonic() - since > STALL_SECONDS:
            typer.echo(f"the run takes nothing in any more; see {run.folder}/run.log", err=True)
            break
    if run.running:
        run.stop()


def _wait_for_progress(run: Trial, what: str, look: Look) -> None:
    """Until a micro-batch was committed since now; not longer than a run that hangs is given."""
    before, deadline = look(what), time.monotonic() + STALL_SECONDS
    while look(what) <= before and run.running and time.monotonic() < deadline:
        time.sleep(0.3)


def _pass(seconds: float, what: str, look: Look) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        look(what)
        time.sleep(min(0.5, left))


def _verdict(run: Trial, flow: Flow) -> dict[str, Any]:
    """The books against what was sent, and against themselves."""
    found = run.ask("reconcile", str(run.config), "--deliveries")
    total = run.ask("ledger", str(run.directory.path))
    sent = {
        "received": flow.packets,
        "annotated": flow.alerts,
        "duplicates": flow.repeated,
        "deadLettered": flow.corrupt,
    }
    off = {name: total[name] - count for name, count in sent.items() if total[name] != count}
    for name, count in off.items():
        typer.echo(f"{name}: {count:+d} against what was sent", err=True)
    topics = found["topics"]
    return {
        **{name: total[name] for name in sent},
        "messages delivered": sum(topic["messages"] for topic in topics),
        "messages repeated": sum(topic["repeats"] for topic in topics),
        "differences": found["differences"] + sum(map(abs, off.values())),
    }


if __name__ == "__main__":
    typer.run(main)
