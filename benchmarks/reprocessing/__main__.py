"""The command: write archives, reprocess them undisturbed, then under kills, and compare."""

import json
import random
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.folder import working_folder
from benchmarks.killing.packets import Flow
from benchmarks.killing.run import STALL_SECONDS, Trial
from benchmarks.reprocessing.archives import write_archives
from benchmarks.reprocessing.compare import differing_rows
from broker.books.ledger import Ledger

ROOT = Path(__file__).parents[2]


def main(
    kills: Annotated[int, typer.Option(min=0, help="Of the driver, half of them with its Java process.")] = 10,
    packets: Annotated[int, typer.Option(min=100, help="How many the archives hold.")] = 20_000,
    batch: Annotated[int, typer.Option(min=1, help="The most packets of a micro-batch.")] = 1024,
    seed: Annotated[int, typer.Option(help="Decides the packets and the moments.")] = 1,
    cores: Annotated[int, typer.Option(min=1, help="Of Spark.")] = 2,
    directory: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="Packets to pack.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    keep: Annotated[Path | None, typer.Option(help="Work in this folder, and leave it.")] = None,
) -> None:
    """Kill a reprocessing over and over; exit with 1 if its table isn't that of one that was left alone."""
    flow = Flow.of(packets)
    with working_folder(keep, "reprocess") as folder, _progress() as bar:
        bar.add_task("writing archives", total=None)
        write_archives(folder / "archives", flow, directory, seed)
        alone, killed = (_trial(folder / name, folder / "archives", batch, cores) for name in ("alone", "killed"))
        found: dict[str, Any] = {"seconds undisturbed": round(_finish(alone, bar, flow, "undisturbed"))}
        started = time.monotonic()
        draw = random.Random(seed)  # noqa: S311  # moments, not secrets
        found["kills"] = sum(_kill(killed, draw, bar, flow, number) for number in range(kills))
        _finish(killed, bar, flow, "finishing")
        found["seconds with kills"] = round(time.monotonic() - started)
        found |= _counts(killed)
        differences = differing_rows(alone.directory, killed.directory) + _off(killed, flow) + _off(alone, flow)
    typer.echo("\n".join([*(f"{name} {value}" for name, value in found.items()), f"differences {differences}"]))
    raise typer.Exit(1 if differences else 0)


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True))


def _trial(folder: Path, archives: Path, batch: int, cores: int) -> Trial:
    made = Trial(folder, "reprocess")
    made.configure(
        source={"kind": "archives", "inputs": [str(archives / "*")], "max_packets_per_batch": batch},
        filters=str(ROOT / "examples" / "filters"),
        spark={"master": f"local[{cores}]"},
    )
    return made


def _kill(run: Trial, draw: random.Random, bar: Progress, flow: Flow, number: int) -> bool:
    """Kill it at any moment of its life: half of the times while it starts, half of them while it works."""
    run.start()
    if number % 2:
        before, deadline = run.received(), time.monotonic() + STALL_SECONDS
        while run.received() <= before and run.running and time.monotonic() < deadline:
            _look(run, bar, flow, f"kill {number + 1}")
    end = time.monotonic() + draw.uniform(0, 6 if number % 2 else 25)
    while run.running and time.monotonic() < end:
        _look(run, bar, flow, f"kill {number + 1}")
    alive = run.running
    run.kill(with_java=draw.choice([True, False]))
    return alive


def _finish(run: Trial, bar: Progress, flow: Flow, what: str) -> float:
    """Let it come to its end; give the seconds."""
    started = time.monotonic()
    run.start()
    while run.running:
        _look(run, bar, flow, what)
    if run.process is None or run.process.returncode:
        raise RuntimeError(f"the run failed; see {run.folder}/run.log")
    return time.monotonic() - started


def _look(run: Trial, bar: Progress, flow: Flow, what: str) -> None:
    bar.update(bar.task_ids[0], description=what, completed=run.received(), total=flow.packets)
    time.sleep(0.2)


def _counts(run: Trial) -> dict[str, int]:
    total = Ledger.read(run.directory.ledger).total
    return {
        "received": total.received, "annotated": total.annotated, "duplicates": total.duplicates,
        "deadLettered": total.dead_lettered,
    }  # fmt: skip


def _off(run: Trial, flow: Flow) -> int:
    """How far the books are from what the archives hold, and the manifest from the books."""
    expected = {
        "received": flow.packets, "annotated": flow.alerts, "duplicates": flow.repeated, "deadLettered": flow.corrupt,
    }  # fmt: skip
    counts, manifest = _counts(run), json.loads(run.directory.manifest.read_text())
    told = {name: sum(each[name] for each in manifest["inputs"]) for name in expected}
    return sum(abs(found[name] - n) for found in (counts, told) for name, n in expected.items())


if __name__ == "__main__":
    typer.run(main)
