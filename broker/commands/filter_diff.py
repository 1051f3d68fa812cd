"""`boreal filter diff`: what another version of a filter would send."""

import json as json_format
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.commands import _over
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.commands.filter_backtest import as_json

if TYPE_CHECKING:  # the engines take a second to load; other commands don't wait for them
    from broker.backtest.difference import Change, Difference
    from broker.backtest.examples import Example
    from broker.backtest.passed import Passed
    from broker.filters.definition import Filter

HELP = """Tell what a new version of a filter would send and the old one wouldn't, and the other way round.

Limits are applied to both, in the order of time. An object is gained where only the new version sends alerts of it.
Exits with 1 where a filter could not be evaluated; `boreal filter explain` tells more of one alert.

Example: `boreal filter diff filters/mine.yaml mine-new.yaml --over results`.
"""

NIGHTS_SHOWN = 20


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The file of the old filter.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The file of the new one.")],
    over: _over.Over,
    examples: Annotated[int, typer.Option(min=0, help="Alerts to show that were gained, and as many lost.")] = 5,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what two versions of a filter send and don't."""
    from broker.backtest.backtest import backtest
    from broker.backtest.difference import difference
    from broker.backtest.examples import read_examples

    given = {"old": _one(old, bundle), "new": _one(new, bundle)}
    before, after = (replace(each, name=which) for which, each in given.items())  # both may have the same name
    alerts = _over.sources(over, bundle)
    passed = _over.try_on(alerts, [before, after])
    found = difference(backtest(before, passed), backtest(after, passed), passed)
    shown = {
        "gained": read_examples(alerts, passed, found.gained[:examples], found.old),
        "lost": read_examples(alerts, passed, found.lost[:examples], found.new),
    }
    if json:
        told = _as_json(found, shown, given)
        typer.echo(
            json_format.dumps({"over": over, "alerts": passed.read.alerts, **told}, indent=2, ensure_ascii=False)
        )
    else:
        _print(found, shown, passed, over)
    if passed.read.failed:
        raise typer.Exit(CHECK_FAILED)


def _one(path: Path, bundle: Path | None) -> "Filter":
    filters = _over.read([path], bundle)
    if len(filters) != 1:
        stop(f"{path} holds {len(filters)} filters; give the file of one", GAVE_SOMETHING_WRONG)
    return filters[0]


def _print(
    found: "Difference", shown: "Mapping[str, Sequence[Example]]", passed: "Passed", over: Sequence[str]
) -> None:
    console = Console(highlight=False)
    changes: list[tuple[str, Mapping[Any, Change]]] = [
        ("By observing night", dict(_last(found.nights))),
        ("By best class", found.classes),
        ("Alerts (objects)", {"all": found.total}),
    ]
    for title, rows in changes:
        if rows:
            console.print(_changes(title, rows))
    left_out = len(found.nights) - NIGHTS_SHOWN
    if left_out > 0:
        console.print(f"{left_out:,} earlier nights are left out; --json tells them")
    plain = Console(highlight=False, markup=False, soft_wrap=True)
    for which, examples in shown.items():
        for line in _lines(which, examples) if examples else ():
            plain.print(line)
    for each in (found.old, found.new):
        cut = ", ".join(f"{limit} {count:,}" for limit, count in sorted(each.sent.cut.items()))
        held = f"; held back by {cut}" if cut else ""
        plain.print(f"{each.filter.name}: {each.matched:,} match, {len(each.sent.rows):,} sent{held}")
    for name, error in passed.read.failed.items():
        plain.print(f"the {name} filter could not be evaluated on some alerts: {error}", style="red")
    plain.print(_over.told(passed, over))


def _last(nights: "Mapping[int, Change]") -> "Iterator[tuple[int, Change]]":
    yield from list(nights.items())[-NIGHTS_SHOWN:]


def _changes(title: str, rows: "Mapping[Any, Change]") -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("", overflow="fold")
    for heading in ("gained", "lost", "same"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, change in rows.items():
        table.add_row(Text(str(name)), *(f"{count.alerts:,} ({count.objects:,})" for count in change))
    return table


def _lines(which: str, examples: "Sequence[Example]") -> "Iterator[str]":
    other = "old" if which == "gained" else "new"
    yield f"{which}, for example (alert, object, night, best class, why the {other} filter doesn't send it)"
    for each in examples:
        name = "no object" if each.object_id is None else each.object_id
        yield f"  {each.alert_id} {name} {each.night} {each.class_name} {each.probability:.3f}"
        yield from (f"    {why}" for why in each.why)


def _as_json(
    found: "Difference", shown: "Mapping[str, Sequence[Example]]", given: "Mapping[str, Filter]"
) -> dict[str, Any]:
    return {
        "old": {**as_json(found.old), "name": given["old"].name, "sha256": given["old"].sha256},
        "new": {**as_json(found.new), "name": given["new"].name, "sha256": given["new"].sha256},
        "total": _plain(found.total),
        "nights": [{"night": night, **_plain(change)} for night, change in found.nights.items()],
        "classes": [{"className": name, **_plain(change)} for name, change in found.classes.items()],
        "examples": {which: list(map(_example, examples)) for which, examples in shown.items()},
    }


def _plain(change: "Change") -> dict[str, Any]:
    return {what: count._asdict() for what, count in change._asdict().items()}


def _example(each: "Example") -> dict[str, Any]:
    return {
        "survey": each.survey,
        "alertId": str(each.alert_id),
        "objectId": each.object_id,
        "night": each.night,
        "className": each.class_name,
        "probability": each.probability,
        "why": list(each.why),
    }
