"""`boreal model without`: a bundle with a member taken out."""

from pathlib import Path
from typing import Annotated

import typer

from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from classifiers.bundle import BundleError, bundle_sha256
from classifiers.without import write_without

HELP = """Write a bundle with all of another one's members but one, for a member that fails.

Example: `boreal model without classifiers/bundles/first recurrent --out bundles/trees-alone`. The other members are
weighed as before. Without the recurrent member there is no novelty score: `novelty` is null in every annotation.
"""


def without(
    bundle: Annotated[Path, typer.Argument(help="Directory of the bundle.")],
    member: Annotated[str, typer.Argument(help="Kind of the member that goes, as `boreal model info` names it.")],
    out: Annotated[Path, typer.Option("--out", help="Directory for the new bundle.")],
) -> None:
    """Write a bundle without a member."""
    try:
        manifest = write_without(bundle, member, out)
    except BundleError as error:
        stop(str(error), GAVE_SOMETHING_WRONG)
    weights = ", ".join(f"{entry.kind} {entry.weight:g}" for entry in manifest.members)
    typer.echo(
        f"{manifest.name} {manifest.version} is in {out}, {manifest.lacks or 'whole'}\n"
        f"weights: {weights}; sha256 {bundle_sha256(manifest)}\n"
        "the calibration is still that of the whole ensemble, and its scores are gone: "
        f"`boreal-train evaluate {out}` (extra `train`) scores what is left"
    )
