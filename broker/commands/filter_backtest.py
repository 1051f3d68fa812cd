"""`boreal filter backtest`: what filters would have sent."""

import json as json_format
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.commands import _over
from broker.commands._exit import CHECK_FAILED

if TYPE_CHECKING:  # the engines take a second to load; other commands don't wait for them
    from broker.backtest.backtest import Backtest, Night
    from broker.backtest.passed import Passed

HELP = """Tell what filters would have sent: by night and class, what their limits cut, and what else matches.

The alerts come from an archive, and pass through what the stream calls. Limits are applied in the order of time.
Of one filter the nights, classes and overlaps are printed, of several a line each; --json and --page have all.
Exits with 1 where a filter could not be evaluated.

Examples: `boreal filter backtest mine.yaml --over results`,
`boreal filter backtest mine.yaml --over packets --with filters --page backtest.html`.
"""

NIGHTS_SHOWN = 25
BAR_WIDTH = 24


def backtest(
    files: Annotated[list[Path], typer.Argument(help="Filter files, or directories of them.", metavar="FILE...")],
    over: _over.Over,
    other: Annotated[
        list[Path] | None, typer.Option("--with", metavar="DIR_OR_FILE", help="Filters to see the overlap with.")
    ] = None,
    page: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with light curves.")] = None,
    first: Annotated[int, typer.Option(min=0, help="Alerts of each filter on the page.")] = 10,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print what each filter would have sent."""
    from broker.backtest.backtest import backtest

    filters = _over.read(files, bundle)
    others = [each for each in _over.read(other or [], bundle) if each not in filters]
    alerts = _over.sources(over, bundle)
    passed = _over.try_on(alerts, filters, others)
    tests = [backtest(each, passed, others) for each in filters]
    if page:
        _write_page(page, tests, passed, alerts, first)
    if json:
        typer.echo(json_format.dumps(_as_json(tests, passed, over), indent=2, ensure_ascii=False))
    else:
        _print(tests, passed, over)
        if page:
            typer.echo(f"page: {page}")
    if any(each.failed for each in tests):
        raise typer.Exit(CHECK_FAILED)


def _write_page(page: Path, tests: "Sequence[Backtest]", passed: "Passed", alerts: Any, first: int) -> None:
    from broker._atomic import write_text
    from broker.backtest.page import write_page
    from broker.errors import WrongInputError

    try:
        write_text(page, write_page(tests, passed, alerts, first))
    except OSError as error:
        raise WrongInputError(f"{page} can't be written: {error.strerror}") from None


def _print(tests: "Sequence[Backtest]", passed: "Passed", over: Sequence[str]) -> None:
    """One filter in detail; of several a line each."""
    console, plain = Console(highlight=False), Console(highlight=False, markup=False, soft_wrap=True)
    for table in _details(tests[0]) if len(tests) == 1 else ():
        console.print(table)
    console.print(_summary(tests))
    for each in tests:
        if each.failed:
            plain.print(f"{each.filter.name} could not be evaluated on some alerts: {each.failed}", style="red")
    plain.print(_over.told(passed, over))


def _details(tested: "Backtest") -> Iterator[Table]:
    yield _by_night(tested)
    if tested.classes:
        table = _table("By best class", "class", "alerts", "objects")
        for each in tested.classes:
            table.add_row(Text(each.name), f"{each.alerts:,}", f"{each.objects:,}")
        yield table
    if tested.overlap:
        table = _table("Other filters that match what is sent", "filter", "alerts", "as told by")
        for overlap in tested.overlap:
            if overlap.alerts:
                told_by = "the table" if overlap.stored else "its file"
                table.add_row(Text(overlap.name), f"{overlap.alerts:,}", told_by)
        none = sum(not overlap.alerts for overlap in tested.overlap)
        table.caption = f"{none} more match{'es' * (none == 1)} none of it" if none else None
        yield table


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _by_night(tested: "Backtest") -> Table:
    """A histogram; where there are many nights, several to a line."""
    groups = list(_grouped(tested.nights))
    table = Table(title="By observing night", title_justify="left")
    for heading in ("night", "read", "match", "sent", ""):
        table.add_column(heading, justify="left" if heading in ("night", "") else "right", no_wrap=True)
    most = max((sum(night.sent for night in group) for group in groups), default=0)
    for group in groups:
        numbers = [sum(getattr(night, what) for night in group) for what in ("read", "matched", "sent")]
        nights = f"{group[0].night}" + (f"-{group[-1].night}" if len(group) > 1 else "")
        table.add_row(nights, *(f"{number:,}" for number in numbers), _bar(numbers[-1], most))
    return table


def _bar(number: int, most: int) -> str:
    return "\N{FULL BLOCK}" * max(round(number / most * BAR_WIDTH), 1) if number else ""


def _grouped(nights: "Sequence[Night]") -> "Iterator[Sequence[Night]]":
    size = -(-len(nights) // NIGHTS_SHOWN)
    return (nights[k : k + size] for k in range(0, len(nights), max(size, 1)))


def _summary(tests: "Sequence[Backtest]") -> Table:
    table = _table("What would have been sent", "filter", "match", "sent", "objects", "most a night")
    table.add_column("held back by")
    for each in tests:
        most = max((night.sent for night in each.nights), default=0)
        numbers = (each.matched, len(each.sent.rows), each.objects, most)
        cut = ", ".join(f"{limit} {count:,}" for limit, count in sorted(each.sent.cut.items())) or "-"
        table.add_row(each.filter.name, *(f"{number:,}" for number in numbers), cut)
    return table


def _as_json(tests: "Sequence[Backtest]", passed: "Passed", over: Sequence[str]) -> dict[str, Any]:
    read = passed.read
    told = {"over": list(over), "alerts": read.alerts, "duplicates": read.duplicates, "rejected": dict(read.rejected)}
    return {**told, "filters": [as_json(each) for each in tests]}


def as_json(tested: "Backtest") -> dict[str, Any]:
    """What a filter would have sent, as plain data."""
    return {
        "name": tested.filter.name,
        "version": tested.filter.version,
        "sha256": tested.filter.sha256,
        "matched": tested.matched,
        "sent": len(tested.sent.rows),
        "objects": tested.objects,
        "heldBack": dict(sorted(tested.sent.cut.items())),
        "nights": [asdict(night) for night in tested.nights],
        "classes": [
            {"classId": each.class_id, "className": each.name, "alerts": each.alerts, "objects": each.objects}
            for each in tested.classes
        ],
        "overlap": [
            {"name": each.name, "alerts": each.alerts, "from": "table" if each.stored else "file"}
            for each in tested.overlap
        ],
        "error": tested.failed or None,
    }
