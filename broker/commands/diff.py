"""`boreal diff`: which answers changed from one run to another."""

import json as json_format
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from broker.commands._console import bars, plain_table, show
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, complain, stop

HELP = """Compare two runs over the same alerts: which changed class, by how much, per class and per filter.

Alerts are matched by survey, alertId and diaSourceId. With --page a page of plots is written. With --fail-on the
command exits with 1 where something changed, for a model's continuous integration; --at-most lets a share of the
alerts change class, --tolerance lets scores differ a little.

Examples: `boreal diff results/old results/new --page diff.html`,
`boreal diff old new --fail-on class --at-most 0.01 --fail-on missing --json`.
"""

TOP = 10
"""Alerts and moves that the terminal lists."""


class FailOn(StrEnum):
    """What makes the command exit with 1."""

    CLASS = "class"
    SCORE = "score"
    FILTER = "filter"
    MISSING = "missing"
    ANY = "any"


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A run's results, its configuration, or its table.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The run to compare with it.")],
    page: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page of plots.")] = None,
    cards: Annotated[int, typer.Option(min=0, max=64, help="Alerts shown that changed most.")] = TOP,
    tolerance: Annotated[float, typer.Option(min=0, help="Differences of scores up to this are none.")] = 0.0,
    fail_on: Annotated[
        list[FailOn] | None,
        typer.Option(help="Exit with 1 where this changed; missing: alerts that only one run has. May be repeated."),
    ] = None,
    at_most: Annotated[float, typer.Option(min=0, max=1, help="Share of alerts that may change class.")] = 0.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the comparison; exit 1 where --fail-on says so."""
    from broker.compare.comparison import compare
    from broker.compare.facts import facts
    from broker.compare.most_changed import most_changed
    from broker.tables.dataset import annotations_at

    if page and page.is_dir():
        stop(f"{page} is a directory; give the name of a file for the page", GAVE_SOMETHING_WRONG)
    runs = annotations_at(old), annotations_at(new)
    with bars() as bar:
        nights = {night for run in runs for night in run.fragments_by_night()}
        task = bar.add_task("nights", total=len(nights))
        found = compare(*runs, tolerance=tolerance, on_night=lambda: bar.advance(task))
        most = most_changed(found, cards)
    told = facts(found, most)
    if page:
        from broker.compare.page import write_page

        write_page(page, found, most)
    failed = list(_failures(told, set(fail_on or ()), at_most))
    if json:
        typer.echo(json_format.dumps({**told, "failures": failed}, indent=2, allow_nan=False))
    else:
        _print(told, page)
    for each in failed:
        complain(each)
    if failed:
        raise typer.Exit(CHECK_FAILED)


def _failures(told: dict[str, Any], asked: set[FailOn], at_most: float) -> Iterator[str]:
    """What changed although it must not, in words."""
    both, moved = told["both"], told["classChanged"]
    if asked & {FailOn.CLASS, FailOn.ANY} and moved > at_most * both:
        yield f"{moved:,} of {both:,} alerts changed class; {at_most:.4g} of them may"
    if asked & {FailOn.SCORE, FailOn.ANY} and told["same"] < both:
        yield f"{both - told['same']:,} of {both:,} alerts have other scores"
    if asked & {FailOn.FILTER, FailOn.ANY}:
        changed = sum(each["gained"] + each["lost"] for rows in told["filters"].values() for each in rows)
        if changed:
            yield f"filters gained or lost {changed:,} alerts"
    if asked & {FailOn.MISSING, FailOn.ANY}:
        old, new, elsewhere = told["onlyOld"], told["onlyNew"], told["movedNight"]
        if old or new or elsewhere:
            yield f"{old:,} alerts are only in the old run, {new:,} only in the new one, {elsewhere:,} on another night"
        elif not both:
            yield "neither run holds an alert"


def _print(told: dict[str, Any], page: Path | None) -> None:
    tables = (_runs(told), _alerts(told), _classes(told), _moves(told), _filters(told), _most(told))
    show(tables, _remarks(told), page)


def _runs(told: dict[str, Any]) -> Table:
    table = plain_table("Two runs", "", "old", "new")
    sides = told["old"], told["new"]
    rows = {
        "alerts": [f"{side['alerts']:,}" for side in sides],
        "model": [_versions(side, "model", "modelVersion", "bundleSha256") for side in sides],
        "code": [_versions(side, "broker", "brokerVersion", "featuresSha256") for side in sides],
        "filters": [", ".join(side["books"]["filters"]) or "-" if side["books"] else "-" for side in sides],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    return table


def _versions(side: dict[str, Any], name: str, version: str, sha256: str) -> str:
    found = dict.fromkeys(f"{each[name]} {each[version]} ({each[sha256][:12]})" for each in side["software"])
    return ", ".join(found) or "-"


def _alerts(told: dict[str, Any]) -> Table:
    table = plain_table("Alerts", "", numbers=("alerts", "share of both"))
    both = max(told["both"], 1)
    for name, key in (("same", "same"), ("same class, other scores", "scoreChanged"), ("other class", "classChanged")):
        table.add_row(name, f"{told[key]:,}", f"{told[key] / both:.2%}")
    table.add_row("in both", f"{told['both']:,}", "")
    table.add_row("only in the old run", f"{told['onlyOld']:,}", "")
    table.add_row("only in the new run", f"{told['onlyNew']:,}", "")
    return table


def _classes(told: dict[str, Any]) -> Table:
    table = plain_table("Per class", "class", numbers=("old", "new", "same", "gained", "lost", "mean Δp", "max |Δp|"))
    for each in told["classes"]:
        spread = each["probability"]
        if each["old"] or each["new"] or spread["largestDifference"]:
            counts = (f"{each[key]:,}" for key in ("old", "new", "same", "gained", "lost"))
            table.add_row(each["name"], *counts, *(_number(spread[k]) for k in ("meanDifference", "largestDifference")))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _moves(told: dict[str, Any]) -> Table:
    moves = [each for each in told["migration"] if each["old"] != each["new"]]
    title = "Moves" if len(moves) <= TOP else f"The {TOP} most frequent of {len(moves)} moves"
    table = plain_table(title, "from", "to", numbers=("alerts",))
    for each in moves[:TOP]:
        table.add_row(each["old"], each["new"], f"{each['alerts']:,}")
    return table


def _filters(told: dict[str, Any]) -> Table:
    table = plain_table("Per filter", "filter", "", numbers=("same", "gained", "lost"))
    for column, what in (("matchedFilters", "matched"), ("deliveredTo", "delivered")):
        for each in told["filters"][column]:
            table.add_row(each["filter"], what, *(f"{each[key]:,}" for key in ("same", "gained", "lost")))
    return table


def _most(told: dict[str, Any]) -> Table:
    table = plain_table(
        "What changed most, one an object", "survey", "alert", "old class", "new class", numbers=("distance",)
    )
    for each in told["mostChanged"][:TOP]:
        old, new = (f"{each[f'{side}ClassName']} {each[f'{side}Probability']:.3f}" for side in ("old", "new"))
        table.add_row(each["survey"], each["alertId"], old, new, f"{each['distance']:.4f}")
    return table


def _remarks(told: dict[str, Any]) -> Iterator[str]:
    for side in ("old", "new"):
        if told[side]["repeated"]:
            yield f"{told[side]['repeated']:,} rows of the {side} run repeat an alert; the first of each was compared"
    if told["movedNight"]:
        yield f"{told['movedNight']:,} alerts lie on another night in the other run; they aren't compared"
