"""`boreal filter fields`: what a condition may use."""

import json as json_format
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pyarrow as pa
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.commands import _over

if TYPE_CHECKING:  # other commands don't wait for it
    from broker.filters.nulls import Nulls

HELP = """List the columns that a condition may use: name, kind, unit, how often it is NULL in each survey, and meaning.

How often is counted in a sample of real and simulated alerts; with --over in alerts of your own.

Examples: `boreal filter fields`, `boreal filter fields --over results`.
"""


def fields(
    over: Annotated[
        list[str] | None,
        typer.Option("--over", metavar="WHERE", help="Results of a run, annotations, or packets to count NULLs in."),
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the counts of NULLs as JSON.")] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a table, a row a column."""
    from broker.commands.filter import schema_of
    from broker.filters.nulls import as_json, shipped

    schema = schema_of(bundle)
    nulls = _count(over, bundle, schema) if over else shipped()
    if save:
        _write(save, as_json(nulls) + "\n")
    rows = list(_rows(schema, nulls))
    if json:
        typer.echo(json_format.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print(rows, nulls)


def _count(over: Sequence[str], bundle: Path | None, schema: pa.Schema) -> "Mapping[str, Nulls]":
    from broker.filters.kinds import Columns
    from broker.filters.nulls import count

    alerts = _over.sources(over, bundle)
    usable = list(Columns(schema).usable())
    totals = [each.total for each in alerts]
    with _over.progress(None if None in totals else sum(each or 0 for each in totals)) as on_piece:

        def tables() -> Iterator[pa.Table]:
            for each in alerts:
                for piece in each.pieces([name for name in usable if name in each.columns]):
                    yield piece.rows
                    on_piece(piece.rows.num_rows)

        return count(tables())


def _write(path: Path, text: str) -> None:
    from broker._atomic import write_text
    from broker.errors import WrongInputError

    try:
        write_text(path, text)
    except OSError as error:
        raise WrongInputError(f"{path} can't be written: {error.strerror}") from None


def _rows(schema: pa.Schema, nulls: "Mapping[str, Nulls]") -> Iterator[dict[str, Any]]:
    from broker.filters.kinds import kind_of

    for field in schema:
        kind, told = kind_of(field.type), field.metadata or {}
        if kind is not None:
            unit, meaning = (told.get(key, b"").decode() for key in (b"unit", b"meaning"))
            shares = {survey: each.share(field.name) for survey, each in nulls.items()}
            yield {
                "name": field.name,
                "kind": kind.value.removeprefix("a "),
                "unit": unit,
                "meaning": meaning,
                "nulls": {survey: share for survey, share in shares.items() if share is not None},
            }


def _print(rows: Sequence[Mapping[str, Any]], nulls: "Mapping[str, Nulls]") -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("name, and what it is", overflow="fold")
    table.add_column("kind, unit", no_wrap=True)
    for survey in nulls:
        table.add_column(survey, justify="right", no_wrap=True)
    for row in rows:
        name = Text.assemble((row["name"], "bold"), "\n  ", (row["meaning"], "dim"))
        shares = [_percent(row["nulls"].get(survey)) for survey in nulls]
        table.add_row(name, f"{row['kind']}\n{row['unit']}", *shares)
    console = Console(highlight=False)
    console.print(table)
    counted = ", ".join(f"{each.alerts:,} of {survey}" for survey, each in nulls.items())
    console.print(
        f"{len(rows)} columns. In percent: how often each is NULL in a survey; counted in {counted or 'no alert'}"
    )


def _percent(share: float | None) -> str:
    if share is None:
        return "-"
    return "<1%" if 0 < share < 0.005 else ">99%" if 0.995 <= share < 1 else f"{share:.0%}"  # noqa: PLR2004 - rounds to 0 or 100
