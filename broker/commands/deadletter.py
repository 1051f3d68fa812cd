"""`boreal deadletter`: what could not be annotated, why, and once more."""

import json as json_format
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.commands._where import run_of
from broker.config import load_config
from broker.deadletter import DEADLETTER, waiting
from broker.replay import Replayed, Wanted, replay
from broker.run_directory import RunDirectory

app = typer.Typer(
    help="Look at what could not be annotated, and try it again.\n\nExample: `boreal deadletter list results`.",
    no_args_is_help=True,
)

Run = Annotated[Path, typer.Argument(metavar="RUN", help="The run's directory, or its configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Stage = Annotated[str | None, typer.Option("--stage", help="Only what this step gave up on: schema, decode, ...")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only reasons that hold this text.")]

WITHOUT_BYTES = [name for name in DEADLETTER.names if name != "payload"]
HEAD = 64


@app.command("list")
def list_(
    run: Run,
    stage: Stage = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to print.")] = 50,
    as_json: Json = False,
) -> None:
    """List what waits in the dead-letter, oldest first.

    Example: `boreal deadletter list results --stage schema --limit 10`.
    """
    wanted = chosen((), stage, reason)
    tables = [table.filter(wanted(table)) for table in waiting(run_of(run), WITHOUT_BYTES)]
    letters = pa.concat_tables([DEADLETTER.empty_table().select(WITHOUT_BYTES), *tables])
    rows = letters.slice(0, limit).to_pylist()
    if as_json:
        typer.echo(json_format.dumps(rows, indent=2))
        return
    table = Table(title=f"The dead-letter: {letters.num_rows:,} waiting" + _shown(letters.num_rows, limit))
    for heading in ("id", "time", "origin", "stage", "reason"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row["id"], _time(row["timestamp"]), row["origin"], row["stage"], row["reason"])
    Console(highlight=False, markup=False).print(table)


@app.command()
def show(
    run: Run,
    letter: Annotated[str, typer.Argument(metavar="ID", help="As `boreal deadletter list` prints it.")],
    save: Annotated[Path | None, typer.Option("--save", help="Write the packet's bytes to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Show one dead letter with the beginning of its bytes; with --save, write them to a file.

    Example: `boreal deadletter show results 0a1b2c3d-00000007-0 --save packet.avro`.
    """
    found = _the(run_of(run), letter)
    payload: bytes = found.pop("payload")
    if save:
        save.write_bytes(payload)
    shown = {**found, "bytes": len(payload), "begins": payload[:HEAD].hex(" ")}
    if as_json:
        typer.echo(json_format.dumps(shown, indent=2))
        return
    table = Table(show_header=False, title=f"Dead letter {letter}")
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in shown.items():
        table.add_row(name, "" if value is None else str(value))
    Console(highlight=False, markup=False).print(table)


@app.command("replay")
def replay_(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's configuration file.")],
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these; all if none.")] = None,
    stage: Stage = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """Process what waits in the dead-letter again. What succeeds is delivered and marked; what fails stays.

    The run itself must be stopped. Exit code 1 if any of them failed again.

    Example: `boreal deadletter replay examples/kafka.yaml --stage schema`.
    """
    settings = load_config(config)
    run = run_of(config)
    wanted = chosen(ids or (), stage, reason)
    tables = (table.filter(wanted(table)) for table in waiting(run, WITHOUT_BYTES))
    count = sum(table.num_rows for table in tables)
    result = _replay(settings, run, wanted, count) if count else Replayed()
    _print(result, as_json)
    if result.failed:
        raise typer.Exit(CHECK_FAILED)


def chosen(ids: "tuple[str, ...] | list[str]", stage: str | None, reason: str | None) -> Wanted:
    """What picks dead letters by id, stage and reason."""

    def wanted(letters: pa.Table) -> pa.Array:
        keep = pa.array([True] * letters.num_rows, pa.bool_())
        if ids:
            keep = pc.and_(keep, pc.is_in(letters["id"], value_set=pa.array(list(ids), pa.utf8())))
        if stage:
            keep = pc.and_(keep, pc.equal(letters["stage"], stage))
        if reason:
            keep = pc.and_(keep, pc.match_substring(letters["reason"], reason))
        return keep

    return wanted


def _replay(settings: Any, run: RunDirectory, wanted: Wanted, count: int) -> Replayed:
    from broker.progress import tell_filters
    from broker.service import Model, Service
    from broker.sources.intake import KafkaReader

    model = Model.of(settings)
    console = Console(stderr=True)
    with (
        run.locked(),
        Service(settings, model, KafkaReader(), lambda change: tell_filters(console, change)) as service,
        Progress(console=console) as progress,
    ):
        task = progress.add_task("replaying", total=count)
        return replay(service, run, wanted, lambda n: progress.advance(task, n))


def _print(result: Replayed, as_json: bool) -> None:
    stay = sum(result.failed.values())
    if as_json:
        counts = {"tried": result.tried, "annotated": result.annotated, "duplicates": result.duplicates}
        typer.echo(json_format.dumps({**counts, "failed": dict(result.failed)}, indent=2))
        return
    table = Table("tried", "annotated", "duplicates", "stay", title="Replayed dead letters")
    table.add_row(*(f"{n:,}" for n in (result.tried, result.annotated, result.duplicates, stay)))
    console = Console(highlight=False, markup=False)
    console.print(table)
    for reason, count in result.failed.most_common(10):
        console.print(f"{count:,} x {reason}")


def _the(run: RunDirectory, letter: str) -> dict[str, Any]:
    for table in waiting(run):
        found: list[dict[str, Any]] = table.filter(pc.equal(table["id"], letter)).to_pylist()
        if found:
            return found[0]
    return stop(
        f"no dead letter {letter} waits in {run.path}; `boreal deadletter list` shows those that do",
        GAVE_SOMETHING_WRONG,
    )


def _time(stamp: int | None) -> str:
    return "" if stamp is None else datetime.fromtimestamp(stamp / 1000, UTC).isoformat(timespec="seconds")


def _shown(count: int, limit: int) -> str:
    return f", the first {limit:,} shown" if count > limit else ""
