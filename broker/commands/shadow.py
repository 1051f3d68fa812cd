"""`boreal shadow`: how a second bundle did beside the first."""

import json as json_format
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from broker.commands._console import bars, plain_table, show
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop

app = typer.Typer(help="A second model bundle that runs beside the first.", no_args_is_help=True)

HELP = """Compare what the two bundles of a run said of the same alerts: agreement, by class, night and number of
detections, and what each filter would have sent with the shadow in place of the first.

Without --filters those are tried that the run used. With --out a page of plots is written. The last shadow is shown, or
the one whose hash --bundle begins.

Example: `boreal shadow report results --out shadow.html`.
"""

LISTED = 10
"""Alerts, moves and nights that the terminal lists."""


@app.command("report", help=HELP)
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's results, or its configuration.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page.")] = None,
    filters: Annotated[Path | None, typer.Option(metavar="DIR", help="Filters to try; the run's if left out.")] = None,
    bundle: Annotated[str | None, typer.Option(metavar="HASH", help="Which shadow, where several ran.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the comparison, and write the page."""
    from broker.commands._where import run_of
    from broker.errors import WrongInputError
    from broker.filters.definition import filter_files
    from broker.shadow import report as reporting
    from broker.shadow.facts import facts
    from broker.shadow.stored import stored_shadow
    from broker.tables.dataset import annotations_at

    if out and out.is_dir():
        stop(f"{out} is a directory; give the name of a file for the page", GAVE_SOMETHING_WRONG)
    stored = stored_shadow(run_of(run), bundle)
    files = filter_files(filters) if filters else reporting.kept_filters(stored.run)
    try:
        table = annotations_at(run)
    except WrongInputError:  # the filters can't be tried without it; the rest can be told
        table = None
    with bars() as bar:
        task = bar.add_task("nights", total=len(stored.files()))
        found = reporting.report(stored, table, files, lambda: bar.advance(task))
    told = facts(found)
    if out:
        from broker.shadow.page import write_page

        write_page(out, found)
    if json:
        typer.echo(json_format.dumps(told, indent=2, allow_nan=False))
    else:
        _print(told, out)


def _print(told: dict[str, Any], out: Path | None) -> None:
    tables = (_bundles(told), _classes(told), _moves(told), _nights(told), _filters(told), _most(told))
    show(tables, _remarks(told), out)


def _bundles(told: dict[str, Any]) -> Table:
    table = plain_table("Two bundles on the same alerts", "", "")
    for side in ("first", "shadow"):
        each = told[side]
        table.add_row(side, f"{each['name'] or '?'} {each['version'] or ''} ({each['sha256']})")
    table.add_row("alerts", f"{told['alerts']:,}")
    table.add_row("same best class", f"{told['same']:,} ({_share(told['agreement'])})")
    table.add_row("mean distance", _number(told["meanDistance"]))
    table.add_row("failures", f"{told['failures']:,}")
    seconds = told["secondsPerAlert"]
    table.add_row("cost", "-" if seconds is None else f"{1000 * seconds:.2f} ms an alert")
    return table


def _classes(told: dict[str, Any]) -> Table:
    table = plain_table(
        "Per class", "class", numbers=("first", "shadow", "both", "mean distance", "mean p first", "mean p shadow")
    )
    for each in told["classes"]:
        counts = (f"{each[key]:,}" for key in ("first", "shadow", "same"))
        means = (_number(each[key]) for key in ("meanDistance", "meanProbabilityFirst", "meanProbabilityShadow"))
        table.add_row(each["name"], *counts, *means)
    return table


def _moves(told: dict[str, Any]) -> Table:
    moves = [each for each in told["moves"] if each["first"] != each["shadow"]]
    title = "Moves" if len(moves) <= LISTED else f"The {LISTED} most frequent of {len(moves)} moves"
    table = plain_table(title, "first", "shadow", numbers=("alerts",))
    for each in moves[:LISTED]:
        table.add_row(each["first"], each["shadow"], f"{each['alerts']:,}")
    return table


def _nights(told: dict[str, Any]) -> Table:
    nights = told["nights"]
    title = "By night" if len(nights) <= LISTED else f"The last {LISTED} of {len(nights)} nights"
    table = plain_table(title, "night", numbers=("alerts", "same class", "mean distance", "failures"))
    for each in nights[-LISTED:]:
        counts = f"{each['alerts']:,}", _share(each["agreement"]), _number(each["meanDistance"])
        table.add_row(str(each["night"]), *counts, f"{each['failures']:,}")
    return table


def _filters(told: dict[str, Any]) -> Table:
    table = plain_table(
        "What each filter would have sent", "filter", numbers=("first", "shadow", "same", "gained", "lost")
    )
    for each in (told["filters"] or {}).get("sent", ()):
        table.add_row(each["filter"], *(f"{each[key]:,}" for key in ("first", "shadow", "same", "gained", "lost")))
    return table


def _most(told: dict[str, Any]) -> Table:
    table = plain_table("Where they differ most", "survey", "alert", "first", "shadow", numbers=("distance",))
    for each in told["mostDifferent"][:LISTED]:
        first = f"{each['className']} {each['probability']:.3f}"
        second = f"{each['shadowClassName']} {each['shadowProbability']:.3f}"
        table.add_row(each["survey"], each["alertId"], first, second, f"{each['distance']:.4f}")
    return table


def _remarks(told: dict[str, Any]) -> Iterator[str]:
    for reason, count in told["failureReasons"].items():
        yield f"the shadow failed on {count:,} alerts: {reason}"
    for name, why in (told["filters"] or {}).get("refused", {}).items():
        yield f"with the shadow as the run's bundle, the filter {name} would be refused: {why}"
    for name, column in (told["filters"] or {}).get("untried", {}).items():
        yield f"the filter {name} was not tried: the annotation table has no column {column}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
