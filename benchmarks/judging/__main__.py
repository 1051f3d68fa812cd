"""The command: judge part after part, print the figures, and write them down."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.figure import Figure
from benchmarks.judging.judge import Judge, Told
from benchmarks.judging.parts import PARTS
from benchmarks.judging.plots import draw_all
from benchmarks.machine import circumstances
from benchmarks.table import show

ROOT = Path(__file__).parents[2]
FORMAT = 2

CONSOLE = Console(highlight=False, soft_wrap=True)
PROGRESS = Console(stderr=True, highlight=False, soft_wrap=True)


def main(
    data: Annotated[Path, typer.Option(help="Folder of the published sets, a folder each.")] = (
        ROOT.parent / "shared" / "data"
    ),
    only: Annotated[list[str] | None, typer.Option(help=f"A part: {', '.join(PARTS)}. May be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A little of each, to see that it works.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Draw confusion and reliability into this folder.")] = None,
) -> None:
    """Judge features and classifiers on published data; a set that isn't there is passed over, and said."""
    about, started = circumstances(), time.monotonic()
    judge = Judge(_say, seed, quick)
    figures, missing = _judge(judge, data, _chosen(only))
    show(figures, f"published sets below {data.name}, {about['date'][:10]}", CONSOLE)
    if json_file:
        content = {**about, "seconds": time.monotonic() - started, **_told(judge, figures, missing)}
        json_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    if plots:
        draw_all(judge.told, plots)


def _chosen(only: list[str] | None) -> list[str]:
    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise typer.BadParameter(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if not only or name in only]


def _judge(judge: Judge, data: Path, chosen: list[str]) -> tuple[list[Figure], dict[str, list[str]]]:
    """The figures, and which files were missing for those that aren't there."""
    figures: list[Figure] = []
    missing: dict[str, list[str]] = {}
    for number, name in enumerate(chosen, start=1):
        absent = [file for file in PARTS[name].files if not (data / file).exists()]
        if absent:
            missing[name] = absent
            _say(f"{number}/{len(chosen)} {name} is passed over: {', '.join(absent)} isn't below {data}")
            continue
        _say(f"{number}/{len(chosen)} {name}")
        figures += PARTS[name].measure(data, judge)
    return figures, missing


def _told(judge: Judge, figures: list[Figure], missing: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "seed": judge.seed,
        "quick": judge.quick,
        "figures": [figure.to_json() for figure in figures],
        "told": {told.name: _counted(told) for told in judge.told},
        "passedOver": missing,
    }


def _counted(told: Told) -> dict[str, Any]:
    bins = {"counts": told.bins.counts, "probability": told.bins.told, "right": told.bins.right}
    return {
        "classes": list(told.classes),
        "confusion": told.counts.tolist(),
        "reliability": {"ece": told.bins.ece, **{name: sums.tolist() for name, sums in bins.items()}},
    }


def _say(what: str) -> None:
    PROGRESS.print(f"{time.strftime('%H:%M:%S')} {what}", markup=False)


if __name__ == "__main__":
    typer.run(main)
