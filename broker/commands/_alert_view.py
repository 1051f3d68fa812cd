"""An annotated alert on a terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.alerts import FLAGS
from schemas.annotation import EXPLANATION, camel_case

POINTS_SHOWN = 40
BAR_WIDTH = 32


def show(alert: pa.Table, feature_names: Sequence[str], console: Console, *, every_point: bool = False) -> None:
    """Print who the alert is, its light curve, its features and its classification.

    Parameters
    ----------
    alert : one row of `broker.annotate.schema_for`.
    feature_names : which columns are features.
    console : where to print.
    every_point : print all of a long light curve.
    """
    row: dict[str, Any] = alert.to_pylist()[0]
    for part in (_who(row), *_light_curve(row, every_point), _features(row, alert.schema, feature_names)):
        console.print(part)
    console.print(_classification(row))
    if row.get(EXPLANATION.name):
        console.print(_explanation(row))


def plain(text: object) -> Text:
    """What a packet says, without the control characters that it may hold for a terminal."""
    return Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)))


def number(value: float | None, form: str) -> str:
    """A number in this format, a dash where it isn't known."""
    return "-" if value is None else format(value, form)


def _table(title: str, *columns: tuple[str, bool]) -> Table:
    """A table with these columns; True for one of numbers."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    for name, numbers in columns:
        table.add_column(name, justify="right" if numbers else "left", no_wrap=numbers)
    return table


def _who(row: dict[str, Any]) -> Table:
    table = Table(title=plain(f"{row['survey']} alert {row['alertId']}"), title_justify="left", title_style="bold")
    table.show_header = False
    for name, value in _facts(row):
        table.add_row(name, plain(value))
    return table


def _facts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    wire = "an object container" if row["schemaId"] is None else f"id {row['schemaId']}"
    yield "packet", row["origin"]
    yield "object", "none associated" if row["objectId"] is None else row["objectId"]
    yield "source", str(row["diaSourceId"])
    yield "visit", _visit(row)
    yield "schema", f"{row['schemaVersion']} ({wire})"
    yield "time", f"MJD {row['mjdTai']:.5f} TAI, night {row['night']}"
    yield "since first detection", _measured(row["daysSinceFirstDetection"], None, ".3f", " d")
    yield "position", f"{row['ra']:.6f} {row['dec']:+.6f} deg (galactic {row['galLon']:.3f} {row['galLat']:+.3f})"
    yield (
        "flux",
        f"{_measured(row['psfFlux'], row['psfFluxErr'], ',.1f', ' nJy')} in {row['band'] or 'an unknown band'}",
    )
    yield "signal to noise", number(row["snr"], ".1f")
    yield "host photo-z", _measured(row["hostPhotoz"], row["hostPhotozErr"], ".3f")
    yield "Milky Way E(B-V)", _measured(row["milkyWayEbv"], None, ".3f", " mag")
    yield "reliability", number(row["reliability"], ".2f")
    yield "solar system", "a known object" if row["isSolarSystem"] else "no"
    yield "flags", _flags(row)


def _visit(row: dict[str, Any]) -> str:
    if row["visit"] is None:
        return "-"
    return str(row["visit"]) if row["detector"] is None else f"{row['visit']}, detector {row['detector']}"


def _measured(value: float | None, error: float | None, form: str, unit: str = "") -> str:
    """A value with its error and unit, as far as they are known."""
    if value is None:
        return "-"
    return f"{value:{form}}{unit}" if error is None else f"{value:{form}} ± {error:{form}}{unit}"


def _flags(row: dict[str, Any]) -> str:
    names = [camel_case(flag) for flag in FLAGS]
    raised = ", ".join(name for name in names if row[name]) or "none set"
    unknown = sum(row[name] is None for name in names)
    return f"{raised} ({unknown} of {len(names)} not known)" if unknown else raised


def _light_curve(row: dict[str, Any], every_point: bool) -> Iterator[Table | Text]:
    points = row["lightCurve"]
    shown = points if every_point else points[-POINTS_SHOWN:]
    table = _table(
        f"Light curve: {len(points):,} points, {row['nDetections']:,} detections, {row['nDroppedPoints']:,} dropped",
        ("MJD (TAI)", True), ("days", True), ("band", False), ("flux (nJy)", True), ("error", True), ("S/N", True),
        ("detected", False),
    )  # fmt: skip
    for point in shown:
        table.add_row(*_point(point, row["firstDetectionMjdTai"]), style=None if point["detected"] else "dim")
    yield table
    if len(shown) < len(points):
        yield Text(f"{len(points) - len(shown):,} earlier points are left out; --all prints them", style="italic")


def _point(point: dict[str, Any], first: float | None) -> Iterator[str]:
    yield f"{point['mjd']:.5f}"
    yield "-" if first is None else f"{point['mjd'] - first:+.3f}"
    yield point["band"]
    yield f"{point['flux']:,.1f}"
    yield f"{point['flux_err']:,.1f}"
    yield f"{point['flux'] / point['flux_err']:.1f}"
    yield "yes" if point["detected"] else "no"


def _features(row: dict[str, Any], schema: pa.Schema, names: Sequence[str]) -> Table:
    undefined = sum(row[name] is None for name in names)
    table = _table(
        f"Features: {len(names)}, {undefined} of them undefined here", ("name", False), ("value", True), ("unit", False)
    )
    for name in names:
        unit = (schema.field(name).metadata or {}).get(b"unit", b"").decode()
        table.add_row(name, number(row[name], ".6g"), unit, style="dim" if row[name] is None else None)
    return table


def _classification(row: dict[str, Any]) -> Table:
    model = row["classifier"]
    title = f"Classification by {model['name']} {model['version']}: {row['className']}"
    if row["notClassifiedReason"]:
        title += f", {row['notClassifiedReason']}"
    table = _table(title, ("classId", True), ("class", False), ("probability", True), ("", False))
    for each in row["classifications"]:
        best = "bold" if each["classId"] == row["classId"] else None
        bar = Bar(1.0, 0.0, each["probability"], width=BAR_WIDTH)
        table.add_row(str(each["classId"]), each["className"], f"{each['probability']:.4f}", bar, style=best)
    scale = " (above 1 for 1 in 100 of the training light curves)"
    table.caption = f"novelty: {_measured(row['novelty'], None, '.2f', scale)}"
    table.caption_justify = "left"
    return table


def _explanation(row: dict[str, Any]) -> Table:
    table = _table(f"What features say for {row['className']}", ("feature", False), ("value", True), ("says", True))
    for each in row[EXPLANATION.name]:
        table.add_row(each["feature"], number(each["value"], ".6g"), f"{each['contribution']:+.3f}")
    return table
