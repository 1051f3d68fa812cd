"""`boreal compact`: fewer and larger files in a Delta table."""

import json as json_format
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.commands._console import bars
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.config import load_config
from broker.object_store import is_address
from broker.run_directory import RunDirectory

if TYPE_CHECKING:  # the table's engine takes a while to load; other commands don't wait for it
    from broker.tables.compact import CompactedNight, Files

HELP = """Merge the small files of each night in a Delta table, and delete the files that it no longer needs.

A run may write to the table at the same time. Plain Parquet tables aren't compacted: there a file belongs to its
micro-batch, so that the ledger can tell which count.

Examples: `boreal compact results`, `boreal compact lsst.yaml`,
`boreal compact s3://bucket/table --keep-hours 48 --json`.
"""


def compact(
    where: Annotated[
        str,
        typer.Argument(metavar="WHERE", help="The table's directory or address, a run's results or configuration."),
    ],
    keep_hours: Annotated[
        int, typer.Option(min=1, help="Age from which files that are no longer needed are deleted.")
    ] = 168,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compact a Delta table."""
    location, options = _table(where)
    from broker.tables.compact import compact

    with bars() as progress:
        task = progress.add_task("nights", total=None)
        nights = compact(
            location,
            keep_hours=keep_hours,
            storage_options=options,
            on_night=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if json:
        typer.echo(json_format.dumps({"nights": [asdict(night) for night in nights]}, indent=2))
    else:
        _show(nights, Console(highlight=False))


def _table(where: str) -> tuple[str, Mapping[str, str]]:
    """The Delta table that is meant, and its store's options; ends the command where there is none."""
    if is_address(where):
        return where, {}
    path = Path(where)
    config = load_config(path) if path.is_file() else None
    if config and config.table.kind == "delta":
        return config.table.path or str(RunDirectory(config.to).annotations), config.table.options
    annotations = RunDirectory(config.to if config else path).annotations
    found = [folder for folder in (path, annotations) if (folder / "_delta_log").is_dir()]
    if not found and any(annotations.glob("night=*/*.parquet")):
        stop(f"{annotations} is plain Parquet, which isn't compacted; only Delta tables are", GAVE_SOMETHING_WRONG)
    if not found:
        stop(f"there is no Delta table at {where}; give its directory, or the results of a run", GAVE_SOMETHING_WRONG)
    return str(found[0]), {}


def _show(nights: Sequence["CompactedNight"], console: Console) -> None:
    if not nights:
        console.print("no night has files to merge")
        return
    table = Table("night", title="Merged")
    for heading in ("files before", "after", "MB before", "after"):
        table.add_column(heading, justify="right")
    for night in nights:
        table.add_row(str(night.night), *_cells(night.before, night.after))
    console.print(table)


def _cells(before: "Files", after: "Files") -> tuple[str, ...]:
    return (f"{before.count:,}", f"{after.count:,}", f"{before.size / 1e6:,.1f}", f"{after.size / 1e6:,.1f}")
