"""`boreal warm-up`: compile ahead what would be compiled by the first alert."""

import time
from pathlib import Path
from typing import Annotated

import typer

HELP = """Annotate made-up alerts, so that what is compiled at its first use is compiled and kept.

Once after an installation, or when an image is built; without it the first batch of a worker takes half a minute more.
Compiled code is kept beside the installed packages, or in `NUMBA_CACHE_DIR` where they can't be written.

Example: `boreal warm-up`.
"""


def warm_up(
    bundle: Annotated[Path | None, typer.Option(help="Model bundle; the shipped one if left out.")] = None,
) -> None:
    """Compile, and tell how long it took."""
    from broker.warm_up import warm_up
    from classifiers.bundle import default_bundle_path

    began = time.monotonic()
    warm_up(bundle or default_bundle_path())
    typer.echo(f"ready: made-up alerts were annotated in {time.monotonic() - began:.1f} s")
