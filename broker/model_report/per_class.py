"""Purity and completeness of each class."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from broker.model_report._axes import MIDDLE, PALETTE, dress
from broker.model_report.names import HOSTS, class_name
from broker.report.light_curve import INK
from classifiers.evaluation import ENSEMBLE, Sample

SHOWN = {"purity": "purity", "completeness": "completeness", "f1": "F1"}


def per_class(samples: Sequence[Sample]) -> Figure:
    """The ensemble's purity, completeness and F1 of each class at all ages together, with host and without."""
    tables = [sample.answer(ENSEMBLE).all_ages.classes for sample in samples]
    present = [k for k, each in enumerate(tables[0]) if each.light_curves]
    figure = Figure(figsize=(9.2, 1.1 + 0.22 * len(present)), layout="constrained")
    grid = figure.subplots(1, len(SHOWN), sharex=True, sharey=True)
    for axes, (score, name) in zip(grid, SHOWN.items(), strict=True):
        for sample, table, colour, marker in zip(samples, tables, PALETTE, ("o", "s"), strict=False):
            known = [(getattr(table[k], score), row) for row, k in enumerate(present)]
            known = [(value, row) for value, row in known if value is not None]
            label = HOSTS[sample.host] if score == "purity" else None
            if known:
                axes.plot(*zip(*known, strict=True), marker, color=colour, markersize=4.5, label=label)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xlabel(name, fontsize=MIDDLE, color=INK)
        dress(axes)
    names = [f"{class_name(tables[0][k].class_id)} ({tables[0][k].light_curves:,})" for k in present]
    grid[0].set_yticks(range(len(present)), names)
    grid[0].invert_yaxis()
    figure.legend(loc="outside upper left", ncols=2, frameon=False, fontsize=MIDDLE, labelcolor=INK)
    return figure
