"""`boreal schema`: the Avro schemas that Boreal knows."""

import difflib
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from schemas.registry import BundledRegistry, UnknownSchemaError, WriterSchema

app = typer.Typer(
    help="List and show the Avro schemas that Boreal knows.\n\nExample: `boreal schema show 1000`.",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every schema: survey, version, id in the wire format, record name, number of fields.

    Example: `boreal schema list --json`.
    """
    rows = [_row(schema) for schema in BundledRegistry()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table()
    table.add_column("name", no_wrap=True)
    for heading in ("survey", "version", "id", "fields"):
        table.add_column(heading, justify="left" if heading == "survey" else "right")
    for row in rows:
        table.add_row(
            *("" if row[key] is None else str(row[key]) for key in ("name", "survey", "version", "id", "fields"))
        )
    Console().print(table)


@app.command()
def show(
    name_or_id: Annotated[str, typer.Argument(help="A name as `boreal schema list` prints it, or a wire id.")],
    as_json: Json = False,
) -> None:
    """Show a schema's fields and their types; with --json, the Avro schema itself.

    Example: `boreal schema show lsst.v10_0.alert`, or `boreal schema show 1000`.
    """
    schema = _look_up(name_or_id)
    if as_json:
        typer.echo(json.dumps(schema.json, indent=2))
        return
    table = Table("field", "type", title=f"{schema.name}: {schema.survey} {schema.version}")
    for path, kind in schema.fields:
        table.add_row(path, kind)
    Console().print(table)


def _row(schema: WriterSchema) -> dict[str, str | int | None]:
    return {
        "name": schema.name,
        "survey": schema.survey,
        "version": schema.version,
        "id": schema.id,
        "record": schema.record_name,
        "fields": len(schema.fields),
    }


def _look_up(name_or_id: str) -> WriterSchema:
    registry = BundledRegistry()
    try:
        if name_or_id.isdecimal():
            return registry.by_id(int(name_or_id))
        return registry.by_name(name_or_id)
    except UnknownSchemaError as error:
        known = [*registry.names, *(str(schema.id) for schema in registry if schema.id is not None)]
        near = difflib.get_close_matches(name_or_id, known, n=3, cutoff=0.4)
        hint = f"\nnearest: {', '.join(near)}" if near else ""
        stop(f"{error}{hint}", GAVE_SOMETHING_WRONG)
