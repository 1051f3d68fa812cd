"""The page of a comparison: complete in itself, in the look of a run's report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from broker._atomic import write_text
from broker.compare.comparison import Comparison
from broker.compare.facts import facts
from broker.compare.figures import migration_svg, scatter_svg
from broker.compare.most_changed import ChangedAlert
from broker.report import _format
from broker.report.light_curve import light_curve_svg

MOVES_LISTED = 40


@dataclass(frozen=True)
class Card:
    """A changed alert as the page shows it.

    Parameters
    ----------
    alert : its annotation in the new run.
    old : its annotation in the old run.
    odds : name, old and new probability of each class, the largest first.
    distance : see `ChangedAlert`.
    night : observing night, yyyymmdd.
    figure : its light curve; None where it has no point.
    """

    alert: dict[str, Any]
    old: dict[str, Any]
    odds: list[tuple[str, float, float]]
    distance: float
    night: str
    figure: Markup | None


def write_page(path: Path, found: Comparison, most: list[ChangedAlert]) -> None:
    """Write the page; the same comparison gives the same bytes.

    Parameters
    ----------
    path : of the file; a file that is there is replaced.
    found : the comparison.
    most : the alerts to show with their light curves.
    """
    write_text(path, render(found, most))


def render(found: Comparison, most: list[ChangedAlert]) -> str:
    """The page as text; whatever comes from alerts is escaped."""
    loader = PackageLoader("broker", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(_format.FILTERS)
    return environment.get_template("compare/diff.html.j2").render(
        diff=facts(found, most),
        migration=migration_svg(found.changes.migration, found.class_names) if found.changes.both else None,
        scatter=scatter_svg(found.changes) if found.changes.plane.any() else None,
        cards=[_card(each, f"a{k}") for k, each in enumerate(most)],
        moves_listed=MOVES_LISTED,
    )


def _card(each: ChangedAlert, name: str) -> Card:
    alert = each.new
    figure = None
    if len(each.curve):
        figure = light_curve_svg(each.curve, alert["mjdTai"], alert["firstDetectionMjdTai"], name)
    return Card(alert, each.old, _odds(each), each.distance, each.night, figure)


def _odds(each: ChangedAlert) -> list[tuple[str, float, float]]:
    old, new = (
        {one["className"]: one["probability"] for one in side["classifications"]} for side in (each.old, each.new)
    )
    rows = [(name, old.get(name, 0.0), new.get(name, 0.0)) for name in {**old, **new}]
    return sorted(rows, key=lambda row: (-max(row[1:]), row[0]))
