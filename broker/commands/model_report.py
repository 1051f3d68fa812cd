"""`boreal model report`: how good a bundle is, as a page."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from broker.commands._console import bars
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from classifiers.bundle import MANIFEST, default_bundle_path

HELP = """Write a page of a bundle's evaluation: scores by age and number of detections, with host and without, of the
whole and of each member; reliability, confusion, each class, stability, novelty, cost, and where it fails.

The numbers for programs are written beside it, the figures as files with --figures. A bundle without an evaluation gets
one by `boreal-train evaluate`.

Example: `boreal model report classifiers/bundles/first --out report`.
"""


class Kind(StrEnum):
    """Of files of figures."""

    SVG = "svg"
    PDF = "pdf"


def report(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="Directory of a bundle; the shipped one if left out.")
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for the page; NAME-report if left out.")
    ] = None,
    evaluation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An evaluation that lies elsewhere than in the bundle.")
    ] = None,
    figures: Annotated[Kind | None, typer.Option(help="Write each figure into a file, too.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print the evaluation as JSON; a page is written with --out only.")
    ] = False,
) -> None:
    """Write the page, and print where it is."""
    from broker.model_report.figures import figures_of
    from broker.model_report.page import write_report
    from broker.model_report.told import told

    found = told(bundle or default_bundle_path(), evaluation)
    if json:
        typer.echo(found.evaluation.model_dump_json(indent=1))
    if json and out is None:
        return
    folder = out or Path(f"{found.manifest.name}-report")
    if (folder / MANIFEST).exists():
        stop(f"{folder} is a bundle, whose files are no other's; give another folder", GAVE_SOMETHING_WRONG)
    try:
        with bars() as bar:
            drawn = figures_of(found.evaluation)
            task = bar.add_task("figures", total=sum(len(list(each)) for each in drawn.values()))
            page, numbers, *files = write_report(found, folder, drawn, figures, lambda: bar.advance(task))
    except OSError as error:
        stop(f"the page can't be written into {folder}: {error.strerror}", GAVE_SOMETHING_WRONG)
    lines = (
        f"the page is {page}",
        f"the numbers are {numbers}",
        *([f"{len(files)} figures: {folder / 'figures'}"] if files else []),
    )
    for line in lines:
        typer.echo(line, err=json)
