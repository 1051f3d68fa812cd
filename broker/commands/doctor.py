"""`boreal doctor`: everything that can be checked before a night."""

import json as json_format
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.commands._exit import CHECK_FAILED
from broker.config import load_config

if TYPE_CHECKING:  # Kafka's client and the classifiers take a second to import; `--help` doesn't wait for them
    from broker.doctor import Result

HELP = """Check brokers, topics, rights, registry, model, filters and disk before a night; exit 1 if anything failed.

It changes nothing: no message is written, no topic made, no offset committed.

Example: `boreal doctor examples/kafka.yaml`.
"""

COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red", "not checked": "dim"}


def doctor(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's configuration file.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what was found; exit 1 if a check failed."""
    settings = load_config(config)
    # What the clients log while they try is in the findings, too.
    logging.getLogger().addHandler(logging.NullHandler())
    with Console(stderr=True).status("checking") as status:
        from broker.doctor import examine

        results = examine(settings, on_done=lambda done, of: status.update(f"{done} of {of} checks done"))
    failures = sum(result.outcome.verdict == "failed" for result in results)
    if json:
        told = {"ok": not failures, "checks": [result.to_json() for result in results]}
        typer.echo(json_format.dumps(told, indent=2, ensure_ascii=False))
    else:
        _print(results)
    if failures:
        raise typer.Exit(CHECK_FAILED)


def _print(results: "list[Result]") -> None:
    table = Table(show_lines=True)
    table.add_column("check", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("found", overflow="fold", ratio=3)
    table.add_column("what to do", overflow="fold", ratio=2)
    for result in results:
        outcome = result.outcome
        verdict = Text(outcome.verdict, COLOURS[outcome.verdict])
        table.add_row(result.check, verdict, Text(outcome.found), Text(outcome.remedy))
    console = Console(highlight=False)
    console.print(table)
    verdicts = [result.outcome.verdict for result in results]
    counts = (f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts))
    console.print(", ".join(counts))
