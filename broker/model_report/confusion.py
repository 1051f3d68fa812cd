"""A confusion matrix: shares of each true class, with the counts."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from broker.compare.figures import LIGHT_ON_DARK, SHADES
from broker.model_report._axes import MIDDLE, SMALL
from broker.model_report.names import class_name
from broker.report.light_curve import FAINT, INK
from classifiers.evaluation import Evaluation, Group

TINY = 6.5
DARK = "#10181f"
"""Small numbers on a shade want more contrast than axes."""


def confusion(evaluation: Evaluation, group: Group) -> Figure:
    """The confusion of a group that has one."""
    return matrix(np.array(group.confusion), [class_name(class_id) for class_id in evaluation.classes])


def matrix(counts: NDArray[np.int64], names: list[str]) -> Figure:
    """True classes down, best classes across; classes that nothing is of have no row.

    Parameters
    ----------
    counts : shape (n_classes, n_classes), true class by best class.
    names : of the classes.
    """
    present = np.flatnonzero(counts.sum(axis=1))
    shares = counts[present] / counts[present].sum(axis=1, keepdims=True)
    figure = Figure(figsize=(9.2, 1.6 + 0.42 * len(present)), layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(shares, cmap=SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    for row, column in np.argwhere(counts[present] > 0):
        colour = "white" if shares[row, column] > LIGHT_ON_DARK else DARK
        text = f"{shares[row, column]:.2f}\n{counts[present][row, column]:,}"
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=TINY, color=colour, linespacing=0.95
        )
    axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(np.arange(len(present)) + 0.5, [names[k] for k in present])
    axes.set_xlabel("best class", fontsize=MIDDLE, color=INK)
    axes.set_ylabel("true class", fontsize=MIDDLE, color=INK)
    axes.tick_params(colors=INK, labelsize=SMALL, length=0)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.7)
    return figure
