"""Scores against days since the first detection, and against the number of detections."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from broker.model_report._axes import FEWEST, MIDDLE, dress, styles
from broker.model_report.names import HOSTS, members_of
from broker.report.light_curve import INK
from classifiers.evaluation import ENSEMBLE, Answer, Group, Sample

SHOWN = {"nll": "log-loss [nat]", "ece": "ECE", "macro_f1": "macro F1", "macro_auc": "macro AUC"}
FROM_ZERO = ("nll", "ece")


def by_age(samples: Sequence[Sample]) -> Figure:
    """Log-loss, ECE, F1 and AUC by days since the first detection; a row with host, one without."""
    return _curves(samples, lambda answer: answer.ages, "days since first detection")


def by_detections(samples: Sequence[Sample]) -> Figure:
    """The same by number of detections."""
    return _curves(samples, lambda answer: answer.detections, "detections")


def _curves(samples: Sequence[Sample], groups: Callable[[Answer], tuple[Group, ...]], label: str) -> Figure:
    figure = Figure(figsize=(9.2, 0.6 + 2.1 * len(samples)), layout="constrained")
    grid = figure.subplots(len(samples), len(SHOWN), sharex=True, sharey="col", squeeze=False)
    for row, sample in zip(grid, samples, strict=True):
        for axes, (score, name) in zip(row, SHOWN.items(), strict=True):
            _lines(axes, sample, groups, score)
            axes.set_title(f"{name}, {HOSTS[sample.host]}", fontsize=MIDDLE, color=INK, loc="left")
    for axes, score in zip(grid[-1], SHOWN, strict=True):
        if score in FROM_ZERO:
            axes.set_ylim(bottom=0)  # after all lines: it ends the search for the other end
        axes.set_xlabel(label, fontsize=MIDDLE, color=INK)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=6, frameon=False, fontsize=MIDDLE, labelcolor=INK)
    return figure


def _lines(axes: Axes, sample: Sample, groups: Callable[[Answer], tuple[Group, ...]], score: str) -> None:
    answers = [*members_of(sample.answers), sample.answer(ENSEMBLE)]
    names = [group.name for group in groups(answers[-1])]
    look = styles(answers)
    for answer in answers:
        shown = [group for group in groups(answer) if group.figures.light_curves >= FEWEST]
        points = [(names.index(group.name), getattr(group.figures, score)) for group in shown]
        known = [(place, value) for place, value in points if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), label=answer.name, **look[answer.name])
    sparse = len(names) > 8  # noqa: PLR2004  every other number has room then
    axes.set_xticks(range(len(names)), [name if not sparse or k % 2 == 0 else "" for k, name in enumerate(names)])
    dress(axes)
    axes.tick_params(axis="x", labelrotation=45)
