"""The command: make a table, time backtests over it, and check what they say."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import typer

from benchmarks.backtesting.table import write_table
from benchmarks.folder import working_folder
from benchmarks.timing import Timed, in_turns
from broker.annotate import schema_for
from broker.backtest.alerts import KEYS
from broker.backtest.backtest import Backtest, backtest
from broker.backtest.page import write_page
from broker.backtest.passed import Passed, find_passing
from broker.backtest.places import alerts_of
from broker.filters.definition import Filter, load_filters
from broker.filters.evaluate import evaluate
from broker.filters.limits import Limits
from broker.filters.needed import columns_needed
from broker.pipeline import process
from broker.replay_packets import read_packets
from classifiers.bundle import Bundle, default_bundle_path
from schemas.packets import packets
from schemas.registry import BundledRegistry

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "filters"
ONE, EVERYTHING = "kilonovae", "everything-classified"
TIGHT = Limits(per_night=5000, per_object=2, cooldown_days=3.0)
SHOWN = 10
MILLION = 1_000_000

MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Run by a small process: a child's memory counts from its parent's at its start."""

Tried = tuple[Passed, list[Backtest]]


def main(
    rows: Annotated[int, typer.Option(min=1000, help="Alerts in the table.")] = MILLION,
    directory: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="Where packets are.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    rounds: Annotated[int, typer.Option(min=1, help="How often to time each; the fastest counts.")] = 3,
    nights: Annotated[int, typer.Option(min=1, help="Of the table.")] = 60,
    keep: Annotated[Path | None, typer.Option(help="Make the table in this folder, and leave it.")] = None,
) -> None:
    """Time backtests over a table of annotations like those of real packets; exit with 1 if they don't count right."""
    with working_folder(keep, "backtest") as folder:
        filters = _tables(directory, folder, rows, nights)
        differences = _tell(folder, filters, rounds)
    typer.echo(f"differences {differences}")
    raise typer.Exit(1 if differences else 0)


def _tables(directory: Path, folder: Path, rows: int, nights: int) -> dict[str, Filter]:
    """Make the table, and one of a tenth of its rows; give the filters of the examples by name."""
    bundle = Bundle.load(default_bundle_path())
    annotations = process(packets(list(read_packets([directory]))), BundledRegistry(), bundle).annotations
    started = time.monotonic()
    write_table(annotations, folder / "tenth", rows // 10, nights)
    write_table(annotations, folder / "whole", rows, nights)
    size = sum(file.stat().st_size for file in (folder / "whole").rglob("*.parquet")) / 1e6
    seconds = time.monotonic() - started
    typer.echo(f"table: {rows:,} alerts of {nights} nights, {size:,.0f} MB, made in {seconds:.0f} s (no figure)")
    return {each.name: each for each in load_filters(EXAMPLES, schema_for(bundle.manifest))}


def _tell(folder: Path, filters: dict[str, Filter], rounds: int) -> int:
    """Print the figures; how many counts were wrong."""
    one, everything = filters[ONE], filters[EVERYTHING]
    whole, tenth = folder / "whole", folder / "tenth"
    tight = replace(everything, name="tight", limits=TIGHT)
    read, single, ten, loose, limited, paged, small = in_turns(
        rounds,
        lambda: _read(whole, one),
        lambda: _try(whole, [one]),
        lambda: _try(whole, list(filters.values())),
        lambda: _try(whole, [everything]),
        lambda: _try(whole, [tight]),
        lambda: _page(whole, [one]),
        lambda: _try(tenth, [one]),
    )
    _figure("one filter", single, "reading the same columns with pyarrow alone", read)
    _figure("one filter", single, "a tenth of the alerts", small)
    _figure(f"{len(filters)} filters", ten, "one filter", single)
    _figure("a filter that nearly all pass", loose, "one filter", single)
    _figure("the same with three limits", limited, "without limits", loose)
    _figure(f"one filter with a page of {SHOWN} alerts", paged, "without the page", single)
    _commands(whole, tenth)
    return _differences(read.given, single.given, one) + _differences(read.given, ten.given, one)


def _figure(what: str, timed: Timed, baseline: str, other: Timed) -> None:
    ratio = timed.seconds / other.seconds
    typer.echo(f"{what}: {timed.seconds:.2f} s; {baseline} {other.seconds:.2f} s, ratio {ratio:.2f}")


def _read(table: Path, wanted: Filter) -> pa.Table:
    columns = sorted({*KEYS, *columns_needed(wanted)})
    return ds.dataset(table, partitioning="hive").to_table(columns=columns)


def _try(table: Path, filters: Sequence[Filter]) -> Tried:
    passed = find_passing(_sources(table), filters)
    return passed, [backtest(each, passed) for each in filters]


def _page(table: Path, filters: Sequence[Filter]) -> str:
    passed, tests = _try(table, filters)
    return write_page(tests, passed, _sources(table), SHOWN)


def _sources(table: Path) -> Any:
    return alerts_of([str(table)], lambda: Bundle.load(default_bundle_path()))


def _commands(whole: Path, tenth: Path) -> None:
    """Time and memory of the command, from its start to its end."""
    (slow, large), (fast, small) = (_command(table) for table in (whole, tenth))
    told = "command `boreal filter backtest`"
    typer.echo(f"{told}: {slow:.2f} s; a tenth of the alerts {fast:.2f} s, ratio {slow / fast:.2f}")
    typer.echo(f"{told}: {large:.0f} MB at most; a tenth of the alerts {small:.0f} MB, ratio {large / small:.2f}")


def _command(table: Path) -> tuple[float, float]:
    """Seconds and the most memory [MB] of a backtest as a person runs it."""
    boreal = Path(sys.executable).with_name("boreal")
    arguments = [boreal, "filter", "backtest", EXAMPLES / f"{ONE}.yaml", "--over", table, "--json"]
    command = [sys.executable, "-c", MEASURE, *map(str, arguments)]
    started = time.monotonic()
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # the project's own
    return time.monotonic() - started, float(done.stdout) / 1000


def _differences(table: pa.Table, tried: Tried, wanted: Filter) -> int:
    """How far the counts are from those of all rows at once."""
    passed, tests = tried
    matches = int(np.count_nonzero(evaluate([wanted], table).table[wanted.name].to_numpy()))
    counted = next(each.matched for each in tests if each.filter == wanted)
    differences: int = abs(passed.read.alerts - table.num_rows) + abs(counted - matches)
    return differences


if __name__ == "__main__":
    typer.run(main)
