"""`boreal model compare`: two bundles on the same held-out light curves."""

import json as json_format
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from broker.commands._console import plain_table, print_whole, show
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.model_report.comparison import SCORES, Comparison, Row, compare
from classifiers.evaluation import Evaluation, read_evaluation

HELP = """Compare two bundles' scores on the same held-out light curves, by host and days since the first detection.

Each is a bundle's directory, or a file of `boreal-train evaluate`. Of every score the second's is told, and how much
more it is than the first's; of the log-loss also the mean difference in pairs, object by object, with its error.

Example: `boreal model compare bundles/first bundles/mine`.
"""

HEADINGS = {"nll": "log-loss", "weighted": "weighted", "ece": "ECE", "macro_f1": "F1", "macro_auc": "AUC"}


def model_compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A bundle, or an evaluation.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the tables."""
    a, b = read_evaluation(first), read_evaluation(second)
    found = compare(a, b)
    advice = _advice(first, second)
    if not found.rows:
        stop(
            f"{first} and {second} have no light curves in common ({'; '.join(found.apart)}); {advice}",
            GAVE_SOMETHING_WRONG,
        )
    if json:
        typer.echo(json_format.dumps(_facts(a, b, found), indent=1, allow_nan=False))
        return
    remarks = [f"not comparable: {line}" for line in found.apart]
    console = Console(highlight=False)
    for table in _tables(a, b, found):
        print_whole(table, console)
    show([], [*remarks, advice] if remarks else [], None)


def _advice(first: Path, second: Path) -> str:
    commands = " and ".join(
        f"`boreal-train evaluate {path} --out {name}.json`" for path, name in ((first, "a"), (second, "b"))
    )
    return f"score both on the same objects, with {commands}, and compare the two files"


def _facts(first: Evaluation, second: Evaluation, found: Comparison) -> dict[str, object]:
    sides = {
        name: {"bundle": each.bundle, "version": each.version} for name, each in (("first", first), ("second", second))
    }
    rows = [
        {
            **asdict(row),
            "scores": {
                score: {
                    "first": row.scores[score][0],
                    "second": row.scores[score][1],
                    "difference": row.difference(score),
                }
                for score in SCORES
            },
        }
        for row in found.rows
    ]
    return {**sides, "groups": rows, "notComparable": list(found.apart)}


def _tables(first: Evaluation, second: Evaluation, found: Comparison) -> Iterator[Table]:
    """One a sample and host."""
    for sample, host in dict.fromkeys((row.sample, row.host) for row in found.rows):
        title = f"{second.bundle} {second.version} beside {first.bundle} {first.version}: {sample}, {host} host"
        numbers = ("curves", *(name for score in SCORES for name in (HEADINGS[score], "±")), "in pairs", "error")
        table = plain_table(title, "days", numbers=numbers)
        for row in found.rows:
            if (row.sample, row.host) == (sample, host):
                table.add_row(row.days, f"{row.light_curves:,}", *_cells(row))
        yield table


def _cells(row: Row) -> Iterator[str]:
    for score in SCORES:
        yield _number(row.scores[score][1], "")
        yield _number(row.difference(score), "+")
    yield _number(row.paired.mean, "+")
    yield _number(row.paired.error, "")


def _number(value: float | None, sign: str) -> str:
    return "" if value is None else f"{value:{sign}.3f}"
