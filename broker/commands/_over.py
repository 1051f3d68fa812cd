"""What `boreal filter backtest` and `boreal filter diff` have in common: filters on alerts of an archive."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:  # the engines take a second to load; other commands don't wait for them
    from broker.backtest.alerts import Alerts
    from broker.backtest.passed import Passed
    from broker.filters.definition import Filter

Over = Annotated[
    list[str],
    typer.Option(
        "--over",
        metavar="WHERE",
        help="Results of a run or its configuration, Parquet files of annotations, a Delta table, or packets: files, "
        "archives, a directory, or a pattern in quotes. May be repeated.",
    ),
]


def read(files: Sequence[Path], bundle: Path | None) -> "tuple[Filter, ...]":
    """The filters in files and directories.

    Raises
    ------
    FilterError
        With everything that is wrong in any of them.
    """
    from broker.commands.filter import filter_paths, schema_of
    from broker.filters.definition import FilterError
    from broker.filters.read import read_filters

    paths = list(dict.fromkeys(path for file in files for path in filter_paths(file)))
    filters, findings = read_filters(paths, schema_of(bundle))
    errors = [finding for finding in findings if not finding.warning]
    if errors:
        raise FilterError(errors)
    return filters


def sources(over: Sequence[str], bundle: Path | None) -> "list[Alerts]":
    """The alerts of each place that was given, opened; says so meanwhile, since a table may have thousands of files."""
    from broker.backtest.places import alerts_of
    from classifiers.bundle import Bundle, default_bundle_path

    with Console(stderr=True).status("opening"):
        alerts = alerts_of(over, lambda: Bundle.load(bundle or default_bundle_path()))
        for each in alerts:
            _ = each.total
    return alerts


def try_on(alerts: "Sequence[Alerts]", filters: "Sequence[Filter]", others: "Sequence[Filter]" = ()) -> "Passed":
    """Evaluate filters on the alerts, with a progress bar."""
    from broker.backtest.passed import find_passing

    totals = [each.total for each in alerts]
    with progress(None if None in totals else sum(each or 0 for each in totals)) as on_piece:
        return find_passing(alerts, filters, others, on_piece)


@contextmanager
def progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of alerts, which goes away at the end; give what moves it on."""
    columns = TextColumn("{task.completed:,.0f} alerts"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda alerts: bar.advance(task, alerts)


def told(passed: "Passed", names: Sequence[str]) -> str:
    """What was read, in a line."""
    read, nights = passed.read, sorted(passed.read.nights)
    counts = (read.alerts, "alert"), (len(nights), "night")
    parts = [" of ".join(f"{count:,} {word}{'s' * (count != 1)}" for count, word in counts)]
    if nights:
        parts.append(f"{nights[0]} to {nights[-1]}" if len(nights) > 1 else f"{nights[0]}")
    parts += [f"{read.duplicates:,} duplicates left out"] * bool(read.duplicates)
    parts += [f"{count:,} turned away at the stage {stage}" for stage, count in sorted(read.rejected.items())]
    return ", ".join(parts) + f"; from {', '.join(names)}"
