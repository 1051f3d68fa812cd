"""The command: run, show progress, print the figures."""

import os
import time
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.fuzzing.mix import BATCH_SIZE
from benchmarks.fuzzing.tally import Tally
from benchmarks.fuzzing.watch import start_worker, watch
from benchmarks.fuzzing.worker import Done, Plan, Worker

ROOT = Path(__file__).parents[2]


def main(
    packets: Annotated[int, typer.Option(min=1, help=f"How many; rounded up to batches of {BATCH_SIZE}.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Decides the mutations, together with a batch's number.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many work at a time.")] = os.cpu_count() or 1,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many, whatever is left.")] = None,
    limit: Annotated[float, typer.Option(help="The longest that a batch may take, in seconds.")] = 30.0,
    directory: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="The packets to mutate.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    batch: Annotated[int | None, typer.Option(help="Run this batch alone, in this process.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Write the packets of --batch to this folder.")] = None,
) -> None:
    """Put mutated packets through decoding, features, classifiers and filters; exit with 1 if anything fails."""
    plan = Plan(directory.resolve(), seed)
    tally, start = Tally(), time.monotonic()
    if batch is None:
        numbers = range(-(-packets // BATCH_SIZE))
        _watch(plan, numbers, processes, limit, seconds, tally)
    else:
        tally.add(0, _alone(plan, batch, keep))
    tally.close()
    for failure in tally.failures:
        again = "" if failure.batch is None else f"; again: benchmarks/fuzz --seed {seed} --batch {failure.batch}"
        typer.echo(f"FAILED {failure.what}{again}")
    typer.echo("\n".join([*tally.lines(time.monotonic() - start), f"failures {len(tally.failures)}"]))
    raise typer.Exit(1 if tally.failures else 0)


def _watch(plan: Plan, numbers: range, processes: int, limit: float, seconds: float | None, tally: Tally) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    end = time.monotonic() + seconds if seconds else float("inf")
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("batches", total=len(numbers))
        with closing(watch(start_worker(plan), numbers, processes, limit)) as heard:
            for lane, told in takewhile(lambda _: time.monotonic() < end, heard):
                tally.add(lane, told)
                found = len(tally.failures)
                progress.update(task, advance=1, description=f"batches, {found or 'no'} failures")


def _alone(plan: Plan, number: int, keep: Path | None) -> Done:
    worker = Worker(plan)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        for k, (name, payload) in enumerate(worker.batch(number)):
            (keep / f"{k:02d}.avro").write_bytes(payload)
            typer.echo(f"{keep / f'{k:02d}.avro'}: {name}")
    return worker.run(number)


if __name__ == "__main__":
    typer.run(main)
