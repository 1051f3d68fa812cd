"""How often the best class is right against how probable it is told to be, a panel a span of days."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker.model_report._axes import MIDDLE, PALETTE, SMALL, dress
from broker.model_report.names import HOSTS
from broker.report.light_curve import FAINT, INK
from classifiers.evaluation import ENSEMBLE, Answer, Group, Reliability, Sample

FEWEST = 10
"""A bin with fewer light curves isn't drawn."""

COLUMNS = 3


def reliability(samples: Sequence[Sample]) -> Figure:
    """The ensemble's reliability in each span and in all, with host and without; bars are binomial errors."""
    answers = [sample.answer(ENSEMBLE) for sample in samples]
    names = ["all", *dict.fromkeys(group.name for answer in answers for group in answer.spans)]
    rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(9.2, 0.5 + 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, name, [(sample, _group(answer, name)) for sample, answer in zip(samples, answers, strict=True)])
    for axes in grid[:, 0]:
        axes.set_ylabel("share that is right", fontsize=MIDDLE, color=INK)
    for axes in grid[-1]:
        axes.set_xlabel("mean probability of the best class", fontsize=MIDDLE, color=INK)
    return figure


def _group(answer: Answer, name: str) -> Group | None:
    found = {group.name: group for group in (answer.all_ages, *answer.spans)}
    return found.get(name)


def _panel(axes: Axes, name: str, groups: Sequence[tuple[Sample, Group | None]]) -> None:
    for (sample, group), colour, marker in zip(groups, PALETTE, ("o", "s"), strict=False):
        if group and group.figures.reliability:
            text = f"{HOSTS[sample.host]}: ECE {group.figures.ece:.3f} ({group.figures.light_curves:,})"
            points(axes, group.figures.reliability, {"color": colour, "marker": marker, "label": text})
    axes.set_title("all" if name == "all" else f"{name} days", fontsize=MIDDLE, color=INK, loc="left")
    frame(axes)


def frame(axes: Axes) -> None:
    """What every panel has: the line of a perfect answer, a square of probabilities, a legend."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.legend(
        loc="upper left", frameon=False, fontsize=SMALL - 1, labelcolor=INK, handlelength=1.2, borderaxespad=0.2
    )
    dress(axes)


def points(axes: Axes, found: Reliability, look: dict[str, Any]) -> None:
    """The bins of one answer that hold enough, with their binomial errors."""
    bins = zip(found.light_curves, found.mean_probability, found.share_right, strict=True)
    shown = [(n, told, right) for n, told, right in bins if n >= FEWEST and told is not None and right is not None]
    counts, told, right = np.array(shown, np.float64).reshape(-1, 3).T
    spread = np.sqrt(told * (1 - told) / counts)
    axes.errorbar(told, right, spread, linewidth=1.0, markersize=3.4, elinewidth=0.7, capsize=1.5, **look)
