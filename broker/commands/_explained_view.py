"""An explanation on a terminal."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from broker.commands._alert_view import number, plain
from broker.commands._console import plain_table
from broker.explanation.explained import ClassSaid, Explained, FeaturesSaid

BAR_WIDTH = 12
POINTS = 10
"""Points of the light curve that are told."""


def show(found: Explained, features: int, console: Console) -> None:
    """Print who says what, and why, with so many features of each class."""
    alert = found.alert
    console.print(plain(f"{alert['survey']} alert {alert['alertId']}: {alert['className']}"), style="bold")
    console.print(_members(found))
    for said in found.classes:
        if said.features:
            console.print(_features(said, said.features, features))
        if said.support is not None and np.isnan(said.support).all():
            console.print("The only point of the light curve can't be left out.", style="italic")
        elif said.support is not None:
            console.print(_points(found, said, said.support))
    if found.near is None:
        console.print("the bundle keeps no known objects to compare with", style="italic")
    else:
        console.print(_near(found))


def _members(found: Explained) -> Table:
    table = plain_table("Who says what", "", numbers=("weight", *(said.node.name for said in found.classes)))
    for k, (kind, weight) in enumerate(found.members):
        table.add_row(kind, f"{weight:.3f}", *(f"{said.members[k]:.4f}" for said in found.classes))
    table.add_row("weighted geometric mean", "", *(f"{said.mean:.4f}" for said in found.classes))
    table.add_row("bias of its calibration", "", *(f"{said.bias:+.4f}" for said in found.classes))
    table.add_row(
        f"calibrated (temperature {found.temperature:g})",
        "",
        *(f"{said.probability:.4f}" for said in found.classes),
        style="bold",
    )
    return table


def _features(said: ClassSaid, told: FeaturesSaid, most: int) -> Table:
    title = f"What features say for {said.node.name}, in the trees"
    table = plain_table(title)
    table.add_column("feature", no_wrap=True)
    for heading in ("value", "says"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("meaning")
    largest = max((abs(each.contribution) for each in told.features), default=1.0)
    for each in told.features[:most]:
        value = f"{number(each.value, '.5g')} {each.unit}".rstrip()
        bar = _bar(each.contribution / largest)
        table.add_row(each.name, value, f"{each.contribution:+.3f}", bar, each.meaning)
    rest = told.features[most:]
    if rest:
        left = sum(each.contribution for each in rest)
        table.add_row(f"{len(rest)} others", "", f"{left:+.3f}", _bar(left / max(largest, abs(left))), "")
    table.add_row("without any feature", "", f"{told.base:+.3f}", "", "")
    table.add_row("in all", "", f"{told.total:+.3f}", "", "base and contributions; see docs/explain.md", style="bold")
    return table


def _bar(share: float) -> Bar:
    """A share between -1 and 1, from the middle to the left or to the right."""
    return Bar(2.0, 1.0 + min(share, 0.0), 1.0 + max(share, 0.0), width=BAR_WIDTH)


def _points(found: Explained, said: ClassSaid, support: NDArray[np.float64]) -> Table:
    table = plain_table(
        f"What points of the light curve say for {said.node.name}, in the recurrent member",
        numbers=("MJD (TAI)", "days"),
    )
    table.add_column("band")
    for heading in ("flux (nJy)", "S/N", "says"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for row in _rows(found, support):
        table.add_row(*row)
    unread = int(np.isnan(support).sum())
    table.caption = f"by how much its log-odds fall without the point; {_told(support, unread)}"
    table.caption_justify = "left"
    return table


def _told(support: NDArray[np.float64], unread: int) -> str:
    told = f"{min(POINTS, len(support) - unread)} of {len(support)} points"
    return f"{told}, of which it doesn't read {unread}" if unread else told


def _rows(found: Explained, support: NDArray[np.float64]) -> Iterator[list[str | Bar]]:
    read = np.flatnonzero(~np.isnan(support))
    strongest = read[np.argsort(-np.abs(support[read]), kind="stable")][:POINTS]
    largest = float(np.abs(support[strongest]).max()) or 1.0
    first = found.alert["firstDetectionMjdTai"]
    for k in sorted(strongest.tolist()):
        point = found.alert["lightCurve"][k]
        yield [
            f"{point['mjd']:.5f}",
            "-" if first is None else f"{point['mjd'] - first:+.3f}",
            point["band"],
            f"{point['flux']:,.1f}",
            f"{point['flux'] / point['flux_err']:.1f}",
            f"{support[k]:+.3f}",
            _bar(float(support[k]) / largest),
        ]


def _near(found: Explained) -> Table:
    table = plain_table("The nearest known objects, by class", "class", numbers=("distance", "next ones"))
    for heading in ("object", "from"):
        table.add_column(heading, overflow="fold")
    for near in found.near or ():
        first, *others = near.objects
        name = first.id if first.parent is None else f"{first.id}, drawn after {first.parent}"
        distances = " ".join(f"{each.distance:.2f}" for each in others)
        table.add_row(near.node.name, f"{first.distance:.2f}", distances, name, first.origin)
    table.caption = Text("1 is the distance from their class's mean that 99 in 100 training light curves stay within")
    table.caption_justify = "left"
    return table
