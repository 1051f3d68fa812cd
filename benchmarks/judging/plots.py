"""Confusion matrices and reliability as pictures, drawn as `boreal model report` draws them."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.judging.judge import Told
from broker.model_report._axes import MIDDLE, PALETTE
from broker.model_report.confusion import matrix
from broker.model_report.reliability import frame, points
from broker.report.light_curve import INK
from training.evaluation.figures import in_bins_of

DPI = 200
UNDATED = {"svg": {"Date": None}, "png": {}}


def draw_all(told: Sequence[Told], folder: Path) -> None:
    """Draw each set into files of its own: ``confusion-NAME`` and ``reliability-NAME``, as .svg and as .png."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in told:
        _save(_confusion(each), folder, f"confusion-{each.name}")
        _save(_reliability(each), folder, f"reliability-{each.name}")


def _confusion(told: Told) -> Figure:
    figure = matrix(told.counts, list(told.classes))
    figure.axes[0].set_title(f"{told.name}: {told.counts.sum():,} objects", fontsize=MIDDLE, color=INK, loc="left")
    return figure


def _reliability(told: Told) -> Figure:
    figure = Figure(figsize=(3.6, 3.8), layout="constrained")
    axes = figure.subplots()
    text = f"ECE {told.bins.ece:.3f} ({told.bins.counts.sum():,} objects)"
    points(axes, in_bins_of(told.bins), {"color": PALETTE[0], "marker": "o", "label": text})
    frame(axes)
    axes.set_title(told.name, fontsize=MIDDLE, color=INK, loc="left")
    axes.set_ylabel("share that is right", fontsize=MIDDLE, color=INK)
    axes.set_xlabel("mean probability of the best class", fontsize=MIDDLE, color=INK)
    return figure


def _save(figure: Figure, folder: Path, name: str) -> None:
    with mpl.rc_context({"svg.hashsalt": "boreal", "savefig.dpi": DPI}):
        for kind, metadata in UNDATED.items():
            figure.savefig(folder / f"{name}.{kind}", metadata=metadata)
