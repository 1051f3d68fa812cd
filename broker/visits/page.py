"""A page of visits, complete in itself: a night a section, with its figure and its table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from broker._atomic import write_text
from broker.errors import WrongInputError
from broker.report.page import templates
from broker.visits.visits import Visits

NIGHTS_SHOWN = 30
VISITS_LISTED = 1500


@dataclass(frozen=True)
class Section:
    """A survey's night on the page."""

    survey: str
    night: str
    figure: Markup
    rows: Sequence[dict[str, Any]]

    @property
    def name(self) -> str:
        """Of the section within the page."""
        return f"{self.survey}-{self.night}"

    @property
    def short(self) -> int:
        """How many visits are short beside their neighbours."""
        return sum(bool(row["short"]) for row in self.rows)


def write_page(path: Path, visits: Visits, source: str) -> None:
    """Write the page; the newest night first.

    Raises
    ------
    WrongInputError
        If the file can't be written.
    """
    try:
        write_text(path, render(visits, source))
    except OSError as error:
        raise WrongInputError(f"{path} can't be written: {error.strerror}") from None


def render(visits: Visits, source: str) -> str:
    """The page as text."""
    sections = list(_sections(visits))
    return (
        templates("visits", "report")
        .get_template("visits.html.j2")
        .render(
            sections=sections[:NIGHTS_SHOWN], nights=len(sections), visits=visits, source=source, listed=VISITS_LISTED
        )
    )


def _sections(visits: Visits) -> Iterator[Section]:
    from broker.visits.figure import night_svg  # matplotlib takes half a second to import

    def key(row: dict[str, Any]) -> tuple[str, int]:
        return row["survey"], -row["night"]

    for k, ((survey, night), found) in enumerate(groupby(sorted(visits.to_rows(), key=key), key=key)):
        rows = list(found)
        yield Section(survey, str(-night), night_svg(rows, f"v{k}") if k < NIGHTS_SHOWN else Markup(), rows)
