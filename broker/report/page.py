"""`report.html`: one page that tells a run's story, complete in itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from broker._atomic import write_text
from broker.report import _format
from broker.report.exemplar import Exemplar, read_exemplars
from broker.report.summary import Summary, summarise
from broker.report.tally import tally
from broker.run_directory import RunDirectory
from classifiers.taxonomy import BY_ID

NIGHTS_LISTED = 400
REASONS_LISTED = 50


@dataclass(frozen=True)
class Card:
    """An alert as the page shows it.

    Parameters
    ----------
    alert : its annotation by column name.
    night : observing night, yyyymmdd.
    figure : its light curve; None where it has no point.
    """

    alert: dict[str, Any]
    night: str
    figure: Markup | None


@dataclass(frozen=True)
class ClassSection:
    """The best alerts of a class."""

    class_id: int
    name: str
    group: str
    cards: list[Card]


def write_report(run: RunDirectory) -> Path:
    """Write the page of what the directory holds: the same content gives the same bytes.

    Parameters
    ----------
    run : a run's directory; without a ledger or annotations the page says that nothing was received.

    Returns
    -------
    Path
        Where the page is: ``report.html`` in the run's directory.

    Raises
    ------
    LedgerError
        If the ledger can't be read.
    """
    found = tally(run)
    sections = list(_sections(read_exemplars(found.best)))
    write_text(run.report, render(summarise(run, found), sections))
    return run.report


def render(summary: Summary, sections: list[ClassSection]) -> str:
    """The page as text."""
    template = templates("report").get_template("report.html.j2")
    return template.render(
        run=summary,
        sections=sections,
        shown={section.class_id for section in sections},
        cards=sum(len(section.cards) for section in sections),
        nights_listed=NIGHTS_LISTED,
        reasons_listed=REASONS_LISTED,
    )


def templates(*folders: str) -> Environment:
    """The templates in folders of this package; whatever comes from alerts is escaped."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("broker", folder) for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_format.FILTERS)
    return environment


def _sections(exemplars: dict[int, list[Exemplar]]) -> Iterator[ClassSection]:
    """In the order of the taxonomy, which puts alike classes side by side."""
    for class_id in sorted(exemplars):
        cards = [card_of(each, f"c{class_id}n{k}") for k, each in enumerate(exemplars[class_id])]
        node = BY_ID.get(class_id)
        group = BY_ID[node.parent].name if node and node.parent else ""
        yield ClassSection(class_id, exemplars[class_id][0].columns["className"], group, cards)


def card_of(exemplar: Exemplar, name: str) -> Card:
    """An alert with its figure; `name` is a word that no other figure of the page has."""
    from broker.report.light_curve import light_curve_svg  # matplotlib takes half a second to import

    alert = exemplar.columns
    if not len(exemplar.curve):
        return Card(alert, exemplar.night, None)
    figure = light_curve_svg(exemplar.curve, alert["mjdTai"], alert["firstDetectionMjdTai"], name)
    return Card(alert, exemplar.night, figure)
