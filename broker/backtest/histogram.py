"""The figure of what a filter sends night by night."""

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from broker.backtest.backtest import Night
from broker.report._format import night as dashed
from broker.report._svg import inline_svg
from broker.report.light_curve import FAINT, INK

SIZE = (9.2, 2.7)
SENT, CUT = "#17567f", "#b9cfdd"
LABELLED = 20
"""With so many nights or fewer each has a bar and a label of its own, however far apart they are."""


def histogram_svg(nights: Sequence[Night], name: str) -> Markup:
    """Alerts sent by observing night, and above them what limits hold back.

    Parameters
    ----------
    nights : one or more, ascending.
    name : a word that no other figure of the page has.
    """
    figure = Figure(figsize=SIZE)
    axes = figure.subplots(gridspec_kw={"left": 0.07, "right": 0.99, "bottom": 0.17, "top": 0.88})
    sent = np.array([night.sent for night in nights])
    cut = np.array([night.matched for night in nights]) - sent
    place = _time_axis(axes, nights)
    axes.bar(place, sent, width=0.8, color=SENT)
    if cut.any():
        axes.bar(place, cut, width=0.8, bottom=sent, color=CUT)
        handles = [Patch(color=SENT, label="sent"), Patch(color=CUT, label="held back by limits")]
        figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.07, 1.0), ncols=2, frameon=False, fontsize=9)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(0, max(1, int((sent + cut).max())) * 1.05)
    axes.tick_params(colors=INK, labelsize=9, length=3, width=0.7)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=FAINT, linewidth=0.7)
    return inline_svg(figure, name, describe(nights))


def describe(nights: Sequence[Night]) -> str:
    """The histogram in words."""
    busiest = max(nights, key=lambda night: night.sent)
    return (
        f"Alerts by observing night: {sum(night.sent for night in nights):,} in {len(nights):,} nights, "
        f"at most {busiest.sent:,}, on {dashed(str(busiest.night))}."
    )


def _time_axis(axes: Axes, nights: Sequence[Night]) -> Sequence[float]:
    """Set the axis up; where each night's bar stands."""
    if len(nights) <= LABELLED:
        labels = [dashed(str(night.night)) for night in nights]
        few = len(nights) <= 8  # noqa: PLR2004  as many labels as fit side by side
        axes.set_xticks(range(len(nights)), labels if few else [label[5:] for label in labels])
        axes.set_xlim(-0.7, len(nights) - 0.3)
        return range(len(nights))
    days = [_date(night.night).toordinal() for night in nights]
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda day, _: date.fromordinal(int(day)).isoformat()))
    axes.set_xlim(days[0] - 1, days[-1] + 1)
    return days


def _date(night: int) -> date:
    return datetime.strptime(str(night), "%Y%m%d").date()  # noqa: DTZ007  a night has no time zone
