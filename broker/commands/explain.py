"""`boreal explain`: why one packet was classified as it was."""

import difflib
import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer
from rich.console import Console

from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.commands._packet import Record, annotated

if TYPE_CHECKING:
    from classifiers.bundle import Bundle

FEATURES = 12
"""Features of a class that are told."""

HELP = """Say why a packet was classified as it was.

What each member says by itself, the features that weigh most, the points of the light curve that tell most, and the
objects of the training set that are most like it. The best class is told, and the runner-up.

Exits with 1 where the packet is turned away, or isn't classified.

Examples: `boreal explain packet.avro`, `boreal explain packet.avro --class Kilonova --html why.html`.
"""


def explain(
    packet: Annotated[
        Path, typer.Argument(metavar="PACKET", help="A file, or a member of a tar archive: ARCHIVE!MEMBER.")
    ],
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Tell this class only: its name, column or DESC id.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of a model bundle; the shipped one if left out.")
    ] = None,
    record: Record = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, with every point.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with figures, complete in itself.")
    ] = None,
) -> None:
    """Say why a packet was classified as it was."""
    from broker.explanation.explained import explain as why
    from classifiers.bundle import Bundle, default_bundle_path

    model = Bundle.load(bundle or default_bundle_path())
    asked = [] if class_name is None else [_class_id(class_name, model)]
    alert = annotated(packet, model, record)
    _need_classified(alert)
    found = why(alert, model, asked)
    if html:
        from broker.explanation.page import write_page

        write_page(html, found, FEATURES)
    if json:
        from broker.explanation.facts import facts

        typer.echo(json_format.dumps(facts(found, FEATURES), indent=2, allow_nan=False))
        return
    from broker.commands._explained_view import show

    console = Console(highlight=False)
    show(found, FEATURES, console)
    if html:
        console.print(f"the page is {html}", markup=False, soft_wrap=True)


def _class_id(wanted: str, model: "Bundle") -> int:
    """The classId of a class of the bundle; ends the command where it has none of this name."""
    names = {
        name.casefold(): node.id
        for node in model.classes
        for name in (node.name, node.column or node.name, str(node.id))
    }
    if wanted.casefold() not in names:
        near = difflib.get_close_matches(wanted.casefold(), names, n=1, cutoff=0.6)
        known = ", ".join(node.name for node in model.classes)
        meant = f"; did you mean {_name(names[near[0]], model)}?" if near else ""
        stop(f"bundle {model.name} has no class {wanted!r}{meant}\nit has {known}", GAVE_SOMETHING_WRONG)
    return names[wanted.casefold()]


def _name(class_id: int, model: "Bundle") -> str:
    return next(node.name for node in model.classes if node.id == class_id)


def _need_classified(alert: pa.Table) -> None:
    (row,) = alert.select(["survey", "alertId", "notClassifiedReason"]).to_pylist()
    if row["notClassifiedReason"]:
        stop(
            f"{row['survey']} alert {row['alertId']} isn't classified: {row['notClassifiedReason']}; "
            "there is nothing to explain (`boreal inspect` prints what the packet holds)",
            CHECK_FAILED,
        )
