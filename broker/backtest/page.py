"""The page of a backtest, complete in itself: what each filter sends, by night and class, and its first alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from broker.backtest.alerts import Alerts
from broker.backtest.backtest import Backtest
from broker.backtest.passed import Passed, Read
from broker.backtest.shown import SENT, read_shown
from broker.report.exemplar import Exemplar
from broker.report.page import Card, card_of, templates

NIGHTS_LISTED = 400


@dataclass(frozen=True)
class Section:
    """A filter on the page.

    Parameters
    ----------
    tested : what it would have sent.
    histogram : by night; None where no alert was read.
    cards : its first alerts.
    """

    tested: Backtest
    histogram: Markup | None
    cards: list[Card]


def write_page(tests: Sequence[Backtest], passed: Passed, sources: Sequence[Alerts], first: int) -> str:
    """The page as text.

    Parameters
    ----------
    tests : a filter each.
    passed, sources : what they were tested on.
    first : how many alerts of each filter are shown.
    """
    wanted = sorted({int(row) for each in tests for row in each.sent.rows[:first]})
    alerts = _with_receivers(read_shown(sources, passed, wanted), tests)
    sections = [_section(k, each, alerts, first) for k, each in enumerate(tests)]
    return _render(sections, passed.read, [source.name for source in sources])


def _with_receivers(alerts: dict[int, Exemplar], tests: Sequence[Backtest]) -> dict[int, Exemplar]:
    """The alerts with the names of the filters that are sent them."""
    sent = {each.filter.name: set(each.sent.rows.tolist()) for each in tests}
    return {
        row: replace(alert, columns=alert.columns | {SENT: [name for name, rows in sent.items() if row in rows]})
        for row, alert in alerts.items()
    }


def _section(number: int, tested: Backtest, alerts: dict[int, Exemplar], first: int) -> Section:
    from broker.backtest.histogram import histogram_svg  # matplotlib takes half a second to import

    cards = [card_of(alerts[int(row)], f"f{number}n{k}") for k, row in enumerate(tested.sent.rows[:first])]
    return Section(tested, histogram_svg(tested.nights, f"f{number}h") if tested.nights else None, cards)


def _render(sections: Sequence[Section], read: Read, names: Sequence[str]) -> str:
    template = templates("backtest", "report").get_template("backtest.html.j2")
    return template.render(
        sections=sections, read=read, nights=sorted(read.nights), names=names, nights_listed=NIGHTS_LISTED
    )
