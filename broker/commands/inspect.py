"""`boreal inspect`: one packet's light curve, features and classification."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from broker.commands._packet import Record, annotated

HELP = """Print what a packet holds: who the alert is, its light curve, its features and its classification.

Exits with 1 where the packet is turned away, and says why.

Examples: `boreal inspect packet.avro`, `boreal inspect nightly.tar.gz!697251922915015002.avro --json`.
"""


def inspect(
    packet: Annotated[
        Path, typer.Argument(metavar="PACKET", help="A file, or a member of a tar archive: ARCHIVE!MEMBER.")
    ],
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out.")
    ] = None,
    record: Record = 0,
    every_point: Annotated[bool, typer.Option("--all", help="Print every point of a long light curve.")] = False,
    explain: Annotated[
        int, typer.Option(min=0, metavar="N", help="Say why by N features, in the column that `explain` asks for.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print one packet's light curve, features and classification."""
    from broker.explanation.column import check_explains
    from classifiers.bundle import Bundle, default_bundle_path

    model = Bundle.load(bundle or default_bundle_path())
    check_explains(model.manifest, explain)
    alert = annotated(packet, model, record, explain)
    if json:
        from broker.commands._alert_json import as_json

        typer.echo(json_format.dumps(as_json(alert, model.feature_names), indent=2, allow_nan=False))
    else:
        from broker.commands._alert_view import show

        show(alert, model.feature_names, Console(highlight=False), every_point=every_point)
