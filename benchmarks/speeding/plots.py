"""The figures as pictures that a page can show, a file each."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from benchmarks.figure import Figure
from benchmarks.speeding.usage import KINDS

SIZE = (7.0, 4.0)
"""Inches."""

Draw = Callable[[Axes, Sequence[Figure]], bool]
"""Draws what it finds among the figures; False where there is nothing to draw."""


def draw_all(figures: Sequence[Figure], directory: Path) -> list[Path]:
    """Draw what there is; give the files."""
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name, draw in PLOTS.items():
        picture = Picture(figsize=SIZE, layout="constrained")
        if draw(picture.add_subplot(), figures):
            made.append(directory / f"{name}.svg")
            with mpl.rc_context({"svg.hashsalt": "boreal"}):
                picture.savefig(made[-1], metadata={"Date": None})
    return made


def _bars(axes: Axes, labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> None:
    """Bars side by side, a group a label, the first on top."""
    height = 0.8 / len(series)
    for k, (name, values) in enumerate(series.items()):
        axes.barh([row + k * height for row in range(len(labels))], values, height, label=name)
    axes.set_yticks([row + 0.4 - height / 2 for row in range(len(labels))], labels)
    axes.invert_yaxis()
    axes.legend()


def _decode(axes: Axes, figures: Sequence[Figure]) -> bool:
    found = [figure for figure in figures if figure.name.startswith("decode.") and figure.baseline]
    if found:
        values = {"Boreal": [f.value for f in found], "fastavro": [f.baseline.value for f in found if f.baseline]}
        _bars(axes, [figure.name.removeprefix("decode.") for figure in found], values)
        axes.set(xscale="log", xlabel="packets per second and core")
    return bool(found)


def _points(axes: Axes, figures: Sequence[Figure]) -> bool:
    stages = ("features", "members.trees", "members.recurrent", "members.predict")
    lines = {
        stage: [f for f in figures if f.name.startswith(f"{stage}.") and "points" in f.details] for stage in stages
    }
    for stage, found in lines.items():
        made_up = [figure for figure in found if figure.name.endswith("-points")]  # else other bands and spans
        ordered = sorted(made_up, key=lambda figure: float(figure.details["points"]))
        if ordered:
            axes.plot([f.details["points"] for f in ordered], [f.value for f in ordered], "o-", label=stage)
    if any(lines.values()):
        axes.set(xscale="log", yscale="log", xlabel="points of a light curve", ylabel="us per alert and core")
        axes.legend()
    return any(lines.values())


def _filters(axes: Axes, figures: Sequence[Figure]) -> bool:
    found = {int(f.name.split(".")[1]): f for f in figures if f.name.startswith("filters.") and f.name[8:].isdecimal()}
    if found:
        axes.plot(list(found), [f.value for f in found.values()], "o-", label="all in one pass")
        axes.plot(list(found), [f.baseline.value for f in found.values() if f.baseline], "o--", label="a pass each")
        axes.set(xscale="log", yscale="log", xlabel="filters", ylabel="us per alert and core")
        axes.legend()
    return bool(found)


def _throughput(axes: Axes, figures: Sequence[Figure]) -> bool:
    found = [
        f for f in figures if f.unit in ("packets/s", "alerts/s") and f.name.split(".")[0] in ("handover", "whole")
    ]
    if found:
        axes.barh([figure.name for figure in found], [figure.value for figure in found])
        axes.invert_yaxis()
        axes.set_xlabel("packets per second")
    return bool(found)


def _processors(axes: Axes, figures: Sequence[Figure]) -> bool:
    """What each kind of process takes, of each run."""
    spent = {f.name: f.value for f in figures if f.name.startswith("whole.") and f.unit == "ms/alert"}
    runs = list(dict.fromkeys(name.rpartition(".cpu.")[0] for name in spent))
    left = [0.0] * len(runs)
    for kind in KINDS:
        widths = [spent.get(f"{run}.cpu.{kind}", 0.0) for run in runs]
        axes.barh(runs, widths, left=left, label=kind)
        left = [at + width for at, width in zip(left, widths, strict=True)]
    if runs:
        axes.invert_yaxis()
        axes.set_xlabel("processor milliseconds per alert")
        axes.legend()
    return bool(runs)


def _latency(axes: Axes, figures: Sequence[Figure]) -> bool:
    found = [f for f in figures if f.name.startswith("latency.")]
    for quantile in ("p50", "p90", "p99"):
        ordered = [figure for figure in found if figure.name.endswith(quantile)]
        axes.plot([f.details["packetsPerSecond"] for f in ordered], [f.value for f in ordered], "o-", label=quantile)
    if found:
        axes.set(yscale="log", xlabel="packets per second", ylabel="seconds from Kafka to Kafka")
        axes.legend()
    return bool(found)


PLOTS: dict[str, Draw] = {
    "decode": _decode,
    "points": _points,
    "filters": _filters,
    "throughput": _throughput,
    "processors": _processors,
    "latency": _latency,
}
"""By the names of their files."""
