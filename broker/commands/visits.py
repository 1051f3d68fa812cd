"""`boreal visits`: whether each visit came whole, and in time."""

import json as json_format
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from broker.commands._console import bars, print_whole
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop

if TYPE_CHECKING:  # other commands don't wait for them
    from broker.tables.dataset import Annotations
    from broker.visits.visits import Visits

HELP = """Tell of each visit how many alerts and detectors came, how long after the observation, and what came late.

Seconds count from the visit's mid-exposure: until Kafka had its first and its last alert, and until the last one was
annotated. Late are alerts that reached Kafka after the first of a visit that was observed later. A visit is short where
it has far fewer alerts, or detectors with alerts, than the visits before and after it in the same band; clouds and
crowded fields do that, too.

Examples: `boreal visits results`, `boreal visits kafka.yaml --night 20260310 --json`,
`boreal visits results --all --out visits.html`.
"""


def visits(
    where: Annotated[
        str, typer.Argument(metavar="DIR", help="A run's results, its configuration, or its annotation table.")
    ],
    night: Annotated[
        list[int] | None,
        typer.Option(metavar="YYYYMMDD", help="An observing night; the newest if left out. May be repeated."),
    ] = None,
    all_nights: Annotated[bool, typer.Option("--all", help="Every night of the table.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page of plots.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a table, a row a visit."""
    from broker.tables.dataset import annotations_at

    if night and all_nights:
        stop("--night and --all exclude each other", GAVE_SOMETHING_WRONG)
    if out and out.is_dir():
        stop(f"{out} is a directory; give the name of a file for the page", GAVE_SOMETHING_WRONG)
    annotations = annotations_at(where)
    wanted = None if all_nights else _nights(annotations, night)
    found = _read(annotations, wanted)
    if out:
        from broker.visits.page import write_page

        write_page(out, found, annotations.name)
    if json:
        typer.echo(json_format.dumps(as_json(found, wanted), indent=2, allow_nan=False))
    else:
        _print(found, out)


def _nights(annotations: "Annotations", asked: Sequence[int] | None) -> list[int]:
    """The nights that are meant; ends the command where the table hasn't got one."""
    there = list(annotations.fragments_by_night())
    missing = sorted(set(asked or ()) - set(there))
    if missing:
        newest = f"its nights are {there[0]} to {there[-1]}" if there else "it has none"
        stop(f"{annotations.name} has no alerts of the night {missing[0]}; {newest}", GAVE_SOMETHING_WRONG)
    return list(asked) if asked else there[-1:]


def _read(annotations: "Annotations", nights: Sequence[int] | None) -> "Visits":
    from broker.visits.visits import visits_of

    by_night = annotations.fragments_by_night()
    files = sum(len(by_night[night]) for night in (by_night if nights is None else nights))
    with _progress(files) as on_file:
        return visits_of(annotations, nights, on_file)


@contextmanager
def _progress(files: int) -> Iterator[Callable[[], None]]:
    with bars() as bar:
        task = bar.add_task("files", total=files)
        yield lambda: bar.advance(task)


def as_json(found: "Visits", nights: Sequence[int] | None) -> dict[str, Any]:
    """What is printed with --json."""
    return {
        "nights": None if nights is None else list(nights),
        "visits": [{**row, "observed": _iso(row["observed"])} for row in found.to_rows()],
        "withoutVisit": found.without,
        "deadLettersOfUnknownVisit": found.dead_letters,
    }


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _print(found: "Visits", out: Path | None) -> None:
    console = Console(highlight=False)
    if len(found.rows):
        print_whole(_table(found), console)
    for line in remarks(found):
        console.print(line, markup=False, soft_wrap=True)
    if out:
        console.print(f"the page is {out}", markup=False, soft_wrap=True)


def _table(found: "Visits") -> Table:
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("visit", no_wrap=True)
    table.add_column("observed, UTC", no_wrap=True)
    table.add_column("band", no_wrap=True, min_width=len("band"))
    for heading in ("gap", "detectors", "alerts", "again", "dead", "late", "Kafka", "annotated"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in found.to_rows():
        table.add_row(*_cells(row), style="yellow" if row["short"] else None)
    table.caption = "seconds; Kafka: of the first and last alert, annotated: of the last, both from the observation"
    table.caption_justify = "left"
    return table


def _cells(row: dict[str, Any]) -> Iterator[str]:
    yield str(row["visit"])
    yield _iso(row["observed"])[:19].replace("T", " ")
    yield row["band"] or "-"
    yield _number(row["gapSeconds"], ",.0f")
    yield str(row["detectors"]) + ("" if row["allDetectors"] is None else f"/{row['allDetectors']}")
    yield f"{row['alerts']:,}"
    yield from (_number(row[name], ",") for name in ("duplicates", "deadLettered", "late"))
    first, last = (_number(row[f"kafka{end}Seconds"], ",.0f") for end in ("First", "Last"))
    yield "-" if row["kafkaLastSeconds"] is None else f"{first} to {last}"
    yield _number(row["annotatedLastSeconds"], ",.0f")
    yield ", ".join(_short_of(row))


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _short_of(row: dict[str, Any]) -> Iterator[str]:
    for what in row["short"]:
        yield f"short of {what}: {row[f'expected{what.capitalize()}']:,.0f} around it"


def remarks(found: "Visits") -> Iterator[str]:
    """What there is to say beside the table."""
    n, short = len(found.rows), sum(bool(row["short"]) for row in found.to_rows())
    if n:
        yield f"{n:,} visit{'s' * (n != 1)}, {short:,} of them short beside their neighbours."
    for survey, count in sorted(found.without.items()):
        yield f"{count:,} alerts of {survey} don't tell their visit."
    if found.dead_letters:
        yield f"{found.dead_letters:,} packets in the dead-letter, of any night, don't tell their visit."
