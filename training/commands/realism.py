"""`boreal-train realism`: how far the simulation is from real light curves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from training.realism.compare import compare_all
from training.realism.distances import Comparison
from training.realism.show import show

EXAMPLE = "Example: boreal-train realism --json realism.json --plot realism.svg"
FORMAT = 1
PICTURES = (".svg", ".png", ".pdf")


def _writable(file: Path | None) -> Path | None:
    if file and not file.parent.is_dir():
        raise typer.BadParameter(f"{file} can't be written: there is no folder {file.parent}")
    return file


def _picture(file: Path | None) -> Path | None:
    if file and file.suffix not in PICTURES:
        raise typer.BadParameter(f"{file} is none of the pictures drawn here: their name ends with .svg, .png or .pdf")
    return _writable(file)


def realism(
    *,
    objects: Annotated[int, typer.Option(min=20, help="Simulated objects of each class.")] = 400,
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 7,
    tables: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder of published statistics; those that ship if left out.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", callback=_writable, help="Write all distances to this file.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(callback=_picture, help="Draw them: .svg, .png or .pdf.")] = None,
) -> None:
    """Compare the simulation with real light curves, class by class and statistic by statistic."""
    found = compare_all(objects, seed, tables)
    console = Console(highlight=False)
    for comparison in found:
        show(comparison, console)
    if json_file:
        content = {"format": FORMAT, "objectsPerClass": objects, "seed": seed, "comparisons": to_json(found)}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if plot:
        from training.realism.heat_map import draw  # matplotlib takes half a second to import

        draw(found, plot)


def to_json(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """The comparisons with all their distances; nothing in them is NaN."""
    return [{"name": one.name, "distances": one.table.to_dict(orient="records")} for one in comparisons]
