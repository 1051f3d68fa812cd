"""`boreal features`: which numbers are computed from a light curve."""

import json as json_format
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    help="The numbers that are computed from a light curve.\n\nExample: `boreal features list`.", no_args_is_help=True
)


@app.callback()
def _features() -> None:
    """Keep `list` a word of its own while it is the only command."""


@app.command("list")
def list_features(
    family: Annotated[str | None, typer.Option(help="Print this family only.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/features.md.")] = False,
) -> None:
    """Print each feature's name, meaning, unit and source.

    Example: `boreal features list --family times`.
    """
    if markdown:
        from features.page import render

        typer.echo(render())
        return
    rows = list(_rows(family))
    if json:
        typer.echo(json_format.dumps(rows, indent=2))
    else:
        Console(highlight=False).print(_table(rows))


def _rows(family: str | None) -> Iterator[dict[str, str]]:
    from features.families import discover

    names = [each.name for each in discover()]
    if family is not None and family not in names:
        raise typer.BadParameter(f"no family is called {family!r}; there are {', '.join(names)}", param_hint="--family")
    for each in discover():
        if family in {None, each.name}:
            yield from ({"family": each.name, **asdict(feature)} for feature in each.features)


def _table(rows: list[dict[str, str]]) -> Table:
    table = Table(title=f"{len(rows)} features")
    table.add_column("name", no_wrap=True)
    for column in ("meaning", "unit", "source"):
        table.add_column(column)
    for before, row in zip([None, *rows], rows, strict=False):
        if before is None or before["family"] != row["family"]:
            table.add_section()
            table.add_row(f"[bold]{row['family']}[/bold]")
        table.add_row(row["name"], row["meaning"], row["unit"], row["source"])
    return table
