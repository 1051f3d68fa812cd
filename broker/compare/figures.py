"""The figures of a comparison: who went where, and how sure both runs are."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from broker.compare.changes import BINS, Changes
from broker.report._svg import inline_svg
from broker.report.light_curve import FAINT, INK, RASTER_DPI

SHADES = LinearSegmentedColormap.from_list("shades", ["#eef2f5", "#7fa8c4", "#17567f", "#0b2f47"])
LIGHT_ON_DARK = 0.45
"""Share of a row from which a cell is so dark that its number is white."""

SHORT = 100_000


def migration_svg(
    moves: Counter[tuple[int, int]], names: Mapping[int, str], rows: str = "old class", columns: str = "new class"
) -> Markup:
    """The migration matrix: a row an old class, a column a new one; shaded by the share of the row, alerts written in.

    Parameters
    ----------
    moves : one alert or more, by old and new classId.
    names : of the classes, by classId.
    rows, columns : what the axes are called.
    """
    ids = sorted({class_id for move in moves for class_id in move})
    counts = np.array([[moves[old, new] for new in ids] for old in ids])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 1.9 + 0.52 * len(ids)
    figure = Figure(figsize=(max(size, 4.5), max(size - 0.2, 3.2)), layout="tight")
    axes = figure.subplots()
    axes.pcolormesh(shares, cmap=SHADES, vmin=0, vmax=1, edgecolors="#ffffff", linewidth=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "#ffffff" if shares[row, column] > LIGHT_ON_DARK else INK
        place, text = (column + 0.5, row + 0.5), _short(int(counts[row, column]))
        axes.text(*place, text, ha="center", va="center", color=colour, fontsize=8)
    _name_classes(axes, [names.get(class_id, str(class_id)) for class_id in ids], rows, columns)
    moved = sum(n for (old, new), n in moves.items() if old != new)
    return inline_svg(figure, "migration", f"Migration matrix of {len(ids)} classes; {moved:,} alerts off the diagonal")


def _name_classes(axes: Axes, labels: list[str], rows: str, columns: str) -> None:
    ticks = np.arange(len(labels)) + 0.5
    axes.set_xticks(ticks, labels, rotation=45, ha="left", fontsize=8.5)
    axes.set_yticks(ticks, labels, fontsize=8.5)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.invert_yaxis()
    axes.set_xlabel(columns, color=INK, fontsize=9.5)
    axes.set_ylabel(rows, color=INK, fontsize=9.5)
    axes.tick_params(colors=INK, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _short(count: int) -> str:
    """A count that fits a cell."""
    return f"{count:,}" if count < SHORT else f"{count / 1000:,.0f}k"


def scatter_svg(changes: Changes) -> Markup:
    """Probability of each alert's old class, in the old run and in the new one: alerts counted in squares."""
    figure = Figure(figsize=(5.4, 4.6), layout="tight")
    axes = figure.subplots()
    edges = np.linspace(0, 1, BINS + 1)
    counts = np.ma.masked_equal(changes.plane.T, 0)
    highest = max(int(changes.plane.max()), 2)
    mesh = axes.pcolormesh(edges, edges, counts, cmap=SHADES, norm=LogNorm(0.7, highest), rasterized=True)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=(0, (3, 3)))
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("old probability of the old class", color=INK, fontsize=9.5)
    axes.set_ylabel("new probability of the same class", color=INK, fontsize=9.5)
    bar = figure.colorbar(mesh, ax=axes, shrink=0.85, format=FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("alerts in a square", color=INK, fontsize=9)
    for each in (axes, bar.ax):
        each.tick_params(colors=INK, labelsize=8.5, length=3, width=0.7)
        for spine in each.spines.values():
            spine.set(color=FAINT, linewidth=0.7)
    shown = f"Old and new probability of the old class of {changes.plane.sum():,} alerts"
    return inline_svg(figure, "scatter", shown, RASTER_DPI)
