"""Distances as a picture: classes down, statistics across."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from training.realism.distances import Comparison
from training.realism.show import group_name

DARKEST = 0.6
"""Distance from which on the colour is the same."""

INK = 0.35
"""Distance from which on numbers are white."""


def draw(comparisons: Sequence[Comparison], file: Path) -> None:
    """A panel a comparison, the statistics from the worst to the best; the file's ending says which format."""
    drawn = [one for one in comparisons if not one.table.empty]
    down, across = zip(*(_size(one) for one in drawn), strict=True)
    figure = Figure(figsize=(4.0 + 0.25 * max(across), sum(2.4 + 0.2 * rows for rows in down)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=[4 + rows for rows in down])[:, 0]
    for comparison, axes in zip(drawn, panels, strict=True):
        image = _panel(comparison, axes)
    figure.colorbar(image, ax=list(panels), label="Kolmogorov-Smirnov distance", shrink=0.4, aspect=30)
    figure.savefig(file)


def _size(comparison: Comparison) -> tuple[int, int]:
    return len(comparison.classes()), len(comparison.statistics())


def _panel(comparison: Comparison, axes: Axes) -> AxesImage:
    groups, names = comparison.classes(), comparison.statistics()["statistic"].tolist()
    rows = list(zip(groups["target"], groups["ddf"], strict=True))
    table = comparison.table.pivot_table(index=["target", "ddf"], columns="statistic", values="ks")
    values = table.reindex(index=rows, columns=names).to_numpy(np.float64)
    image = axes.imshow(values, vmin=0.0, vmax=DARKEST, cmap="magma_r", aspect="auto")
    for row, column in np.argwhere(np.isfinite(values)):
        size = values[row, column]
        text = f"{100 * size:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=5, color="white" if size > INK else "black")
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axes.set_yticks(range(len(rows)), [group_name(row) for _, row in groups.iterrows()], fontsize=7)
    axes.set_title(f"{comparison.name} (distances in hundredths)", fontsize=9, loc="left")
    return image
