"""The figure of a comparison's nights: how far the two bundles agree, and how far each drifts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from broker.report._format import night as calendar
from broker.report._svg import inline_svg
from broker.report.light_curve import FAINT, INK

BLUE, ORANGE = "#17567f", "#c1370a"
TICKS = 8
MARKED = 60
"""Nights up to which each has a marker."""


def nights_svg(nights: Sequence[dict[str, Any]]) -> Markup:
    """Two panels over the nights: agreement with mean distance, and both bundles' drift.

    Parameters
    ----------
    nights : of `broker.shadow.facts.facts`, at least one.
    """
    figure = Figure(figsize=(9.2, 3.1), layout="tight")
    left, right = figure.subplots(1, 2)
    _lines(left, nights, {"agreement": ("same best class (share)", BLUE), "meanDistance": ("mean distance", ORANGE)})
    _lines(right, nights, {"driftFirst": ("drift, first", BLUE), "driftShadow": ("drift, shadow", ORANGE)})
    left.set_ylim(-0.03, 1.03)
    right.set_ylim(bottom=0)
    return inline_svg(figure, "nights", f"Agreement, distance and drift in {len(nights)} nights")


def _lines(axes: Axes, nights: Sequence[dict[str, Any]], shown: dict[str, tuple[str, str]]) -> None:
    places = np.arange(len(nights))
    for (name, (label, colour)), style, marker in zip(shown.items(), ("-", "--"), ("o", "s"), strict=True):
        values = np.array([np.nan if each[name] is None else each[name] for each in nights])
        shape = {"marker": marker, "markersize": 3.5, "linewidth": 1.2} if len(nights) <= MARKED else {"linewidth": 0.7}
        axes.plot(places, values, style, color=colour, label=label, **shape)
    axes.xaxis.set_major_locator(MaxNLocator(TICKS, integer=True))
    chosen = [int(place) for place in axes.get_xticks() if 0 <= place < len(nights)]
    axes.set_xticks(chosen, [calendar(str(nights[place]["night"])) for place in chosen], rotation=30, ha="right")
    axes.tick_params(colors=INK, labelsize=8.5, length=3, width=0.7)
    axes.grid(axis="y", color=FAINT, alpha=0.35, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.7)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2, fontsize=8.5, frameon=False, labelcolor=INK
    )
