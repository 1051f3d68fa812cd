"""The page of an explanation: complete in itself, in the look of a run's report."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from broker._atomic import write_text
from broker.explanation.explained import ClassSaid, Explained
from broker.explanation.figures import features_svg, points_svg
from broker.report.exemplar import Curve
from broker.report.page import templates


@dataclass(frozen=True)
class Section:
    """A class on the page, with its figures; None where the bundle has no member to make one from."""

    said: ClassSaid
    features: Markup | None
    points: Markup | None


def write_page(path: Path, found: Explained, features: int) -> None:
    """Write the page; the same explanation gives the same bytes.

    Parameters
    ----------
    path : of the file; a file that is there is replaced.
    found : the explanation.
    features : how many of them are shown.
    """
    write_text(path, render(found, features))


def render(found: Explained, features: int) -> str:
    """The page as text; whatever comes from the alert is escaped."""
    template = templates("report", "").get_template("explanation/explanation.html.j2")
    return template.render(why=found, alert=found.alert, sections=[*_sections(found, features)], shown=features)


def _sections(found: Explained, features: int) -> Iterator[Section]:
    alert = found.alert
    curve = _curve(found)
    times = alert["mjdTai"], alert["firstDetectionMjdTai"]
    for number, said in enumerate(found.classes):
        strongest = said.features.features[:features] if said.features else ()
        yield Section(
            said,
            features_svg(strongest, f"f{number}") if strongest else None,
            None if said.support is None else points_svg(curve, said.support, *times, f"p{number}"),
        )


def _curve(found: Explained) -> Curve:
    points = found.alert["lightCurve"]
    columns = {name: [point[name] for point in points] for name in ("mjd", "flux", "flux_err", "band", "detected")}
    return Curve(**{name: np.array(values) for name, values in columns.items()})
