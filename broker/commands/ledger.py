"""`boreal ledger`: the books of a run."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from broker._tables import books, subscribers
from broker.books.ledger import Ledger
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.run_directory import RunDirectory

HELP = """Print the books of a run: what was received, and what became of it.

Example: `boreal ledger build/demo --json`.
"""


def ledger(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory that the run wrote to.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the books; exit 1 where they don't balance."""
    path = RunDirectory(directory).ledger
    if not path.exists():
        stop(f"there is no ledger at {path}; give the directory that `boreal run` wrote to", GAVE_SOMETHING_WRONG)
    found = Ledger.read(path)
    if json:
        typer.echo(json_format.dumps(found.to_json(), indent=2))
    else:
        console = Console(highlight=False)
        console.print(books(found.total))
        console.print(subscribers(found.total))
    found.total.check()
