"""The look that all figures share."""

from itertools import cycle
from typing import Any

from matplotlib.axes import Axes

from broker.report.light_curve import FAINT, INK
from classifiers.evaluation import ENSEMBLE, Answer

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
"""Colours that people with any kind of colour vision tell apart (Okabe & Ito 2008)."""

MARKERS = ("s", "^", "D", "v", "P")
SMALL, MIDDLE = 8, 9
FEWEST = 20
"""Fewer light curves than that aren't drawn."""


def styles(answers: list[Answer]) -> dict[str, dict[str, Any]]:
    """Line and marker of each who answers: the ensemble in ink, members in colour."""
    found: dict[str, dict[str, Any]] = {
        ENSEMBLE: {"color": INK, "marker": "o", "linewidth": 1.8, "markersize": 4, "zorder": 3}
    }
    members = [answer.name for answer in answers if answer.name != ENSEMBLE]
    for name, colour, marker in zip(members, cycle(PALETTE), cycle(MARKERS), strict=False):
        found[name] = {"color": colour, "marker": marker, "linewidth": 1.0, "markersize": 3.2, "zorder": 2}
    return found


def dress(axes: Axes) -> None:
    """Thin lines, small numbers, a light grid."""
    axes.tick_params(colors=INK, labelsize=SMALL, length=3, width=0.7)
    axes.grid(color=FAINT, alpha=0.3, linewidth=0.5)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.7)
