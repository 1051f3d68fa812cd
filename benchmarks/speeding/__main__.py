"""The command: measure part after part, print the figures, and write them down."""

import json
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from benchmarks.figure import Figure
from benchmarks.folder import working_folder
from benchmarks.machine import circumstances
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.parts import PARTS
from benchmarks.speeding.plots import draw_all
from benchmarks.speeding.scale import QUICK, Scale
from benchmarks.table import show
from broker.errors import RunFailedError, WrongInputError

ROOT = Path(__file__).parents[2]
FORMAT = 1
FAILED = 1

CONSOLE = Console(highlight=False, soft_wrap=True)
PROGRESS = Console(stderr=True, highlight=False, soft_wrap=True)


def main(
    directory: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="Where packets are.")] = (
        ROOT / "tests" / "data" / "packets"
    ),
    only: Annotated[list[str] | None, typer.Option(help=f"A part: {', '.join(PARTS)}. May be repeated.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A little of each, to see that it works; no live parts.")] = (
        False
    ),
    packets: Annotated[int | None, typer.Option(min=8, help="For each live run; a few GB if left out.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Draw them into this directory.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Work in this folder, and leave it.")] = None,
) -> None:
    """Measure how fast Boreal is; exit with 1 if a part fails, not if a goal is missed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended, too
    scale = _with_packets(QUICK if quick else Scale(), packets)
    chosen = _chosen(only, quick=quick)
    about, started = circumstances(), time.monotonic()
    try:
        with working_folder(keep, "speed") as folder, Bench(scale, directory.resolve(), folder, _say) as bench:
            figures, failures = _measure(bench, chosen)
            about["packets"] = _told(bench)
    except WrongInputError as error:
        raise typer.BadParameter(str(error)) from None
    show(figures, title_of(about), CONSOLE)
    if json_file:
        content = {
            "format": FORMAT, **about, "seconds": time.monotonic() - started, "quick": quick,
            "figures": [figure.to_json() for figure in figures], "failures": failures,
        }  # fmt: skip
        json_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if plots:
        draw_all(figures, plots)
    raise typer.Exit(FAILED if failures else 0)


def title_of(about: dict[str, Any]) -> str:
    """What stands above the figures: the machine, the day, the packets."""
    machine, packets = about["machine"], about["packets"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {about['date'][:10]}; "
        f"{packets['count']} packets, {packets['meanBytes'] / 1000:.0f} kB each"
    )


def _with_packets(scale: Scale, packets: int | None) -> Scale:
    return replace(scale, packets=packets) if packets else scale


def _chosen(only: list[str] | None, *, quick: bool) -> list[str]:
    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise typer.BadParameter(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name, part in PARTS.items() if (name in only if only else not (quick and part.live))]


def _measure(bench: Bench, chosen: list[str]) -> tuple[list[Figure], dict[str, str]]:
    """The figures, and why a part gave no more of them; the other parts go on."""
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    for number, name in enumerate(chosen, start=1):
        _say(f"{number}/{len(chosen)} {name}")
        try:
            figures.extend(PARTS[name].measure(bench))
        except RunFailedError as error:
            failures[name] = str(error)
            PROGRESS.print(f"FAILED {name}: {error}", markup=False)
    return figures, failures


def _say(what: str) -> None:
    PROGRESS.print(f"{time.strftime('%H:%M:%S')} {what}", markup=False)


def _told(bench: Bench) -> dict[str, Any]:
    """What the packets are like."""
    sizes = [len(payload) for _, payload in bench.packets]
    return {"count": len(sizes), "meanBytes": float(np.mean(sizes)), "medianBytes": float(np.median(sizes))}


if __name__ == "__main__":
    typer.run(main)
