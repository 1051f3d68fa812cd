"""`boreal-train score`: probabilities of the official test set, in the challenge's own table."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from classifiers.bundle import Bundle, default_bundle_path
from training.submission import write_submission

EXAMPLE = "Example: boreal-train score --metadata test_set_metadata.csv --out answers.csv test_set_batch*.csv"


def score(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Light curves, sorted by object.")],
    *,
    metadata: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="Of their objects.")],
    out: Annotated[Path, typer.Option(help="Table of probabilities to write, CSV.")],
    bundle: Annotated[Path | None, typer.Option(help="Model bundle; the one that ships if left out.")] = None,
) -> None:
    """Classify the light curves of the official test set, a block at a time, and write what the challenge asks for."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} objects"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("", total=None)
        objects = write_submission(
            files, metadata, out, Bundle.load(bundle or default_bundle_path()), lambda n: progress.advance(task, n)
        )
    typer.echo(f"{objects:,} objects in {out}")
