"""The dashboard as one picture, for a look without Grafana."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.live.asked import Series, Span, series_of
from broker.local.prometheus import LocalPrometheus

COLUMNS = 24
COLUMN_INCHES, LINE_INCHES = 0.8, 0.42
FONT = 7
MICROSECONDS = 1e6
MOST_NAMES = 8

Json = Mapping[str, Any]


def draw(server: LocalPrometheus, dashboard: Json, span: Span, path: Path) -> None:
    """Draw every panel with what its queries give over a time; the file's ending says how: svg, png, pdf."""
    lines = max(_bottom(panel) for panel in dashboard["panels"])
    figure = Figure(figsize=(COLUMNS * COLUMN_INCHES, lines * LINE_INCHES))
    for panel in dashboard["panels"]:
        axes = figure.add_axes(_place(panel["gridPos"], lines))
        if panel["type"] == "row":
            axes.axis("off")
            axes.text(0, 0.3, panel["title"], fontsize=2 * FONT, weight="bold")
        else:
            _draw_panel(axes, panel, series_of(server, panel, span))
    figure.savefig(path, dpi=90)


def _bottom(panel: Json) -> int:
    return int(panel["gridPos"]["y"] + panel["gridPos"]["h"])


def _place(grid: Mapping[str, int], lines: int) -> tuple[float, float, float, float]:
    """Left, bottom, width and height as shares of the picture, with room for a title and for the axes' numbers."""
    left, width = grid["x"] / COLUMNS, grid["w"] / COLUMNS
    top, height = grid["y"] / lines, grid["h"] / lines
    if grid["h"] == 1:
        return left, 1 - top - height, width, height
    aside, above, below = 0.9 / COLUMNS, 0.9 / lines, 0.7 / lines
    return left + aside, 1 - top - height + below, width - 1.2 * aside, height - above - below


def _draw_panel(axes: Axes, panel: Json, found: list[Series]) -> None:
    axes.set_title(panel["title"], fontsize=FONT + 2, loc="left")
    axes.tick_params(labelsize=FONT)
    if found:
        DRAWN[panel["type"]](axes, panel, found)
    else:
        axes.axis("off")
        axes.text(0.5, 0.5, "no data", ha="center", color="grey")


def _draw_number(axes: Axes, panel: Json, found: list[Series]) -> None:
    axes.axis("off")
    value = found[0].last
    words = [each["options"].get(f"{value:g}") for each in panel["fieldConfig"]["defaults"]["mappings"]]
    text = words[0]["text"] if words and words[0] else f"{value:,.5g}"
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=3 * FONT)


def _draw_lines(axes: Axes, panel: Json, found: list[Series]) -> None:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    below: dict[float, float] = {}
    for series in found:
        values = series.values
        if custom["stacking"]["mode"] == "normal":
            values = np.nan_to_num(values) + np.array([below.get(at, 0.0) for at in series.times])
            below |= dict(zip(series.times, values, strict=True))
        axes.plot((series.times * MICROSECONDS).astype("datetime64[us]"), values, label=series.name, linewidth=1)
    if custom["scaleDistribution"]["type"] == "log":
        axes.set_yscale("log")
    elif max((np.nanmax(s.values, initial=0) for s in found), default=0) > 0:
        axes.set_ylim(bottom=0)
    axes.legend(fontsize=FONT - 1, loc="upper left", ncols=2, framealpha=0.5)


def _draw_bars(axes: Axes, _: Json, found: list[Series]) -> None:
    shown = found[:MOST_NAMES]
    axes.barh(range(len(shown)), [series.last for series in shown])
    axes.set_yticks(range(len(shown)), [f"{series.name} " for series in shown])
    axes.tick_params(axis="y", direction="in", pad=-5)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")
    axes.invert_yaxis()


def _draw_heatmap(axes: Axes, _: Json, found: list[Series]) -> None:
    rising = sorted(found, key=lambda series: float(series.labels["le"]))
    times = sorted({at for series in rising for at in series.times})
    counts = np.array([[dict(zip(s.times, s.values, strict=True)).get(at, 0.0) for at in times] for s in rising])
    axes.pcolormesh(np.diff(counts, axis=0, prepend=0), cmap="Oranges")
    axes.set_yticks(np.arange(len(rising)) + 0.5, [series.labels["le"] for series in rising], fontsize=FONT - 2)


def _draw_table(axes: Axes, panel: Json, found: list[Series]) -> None:
    axes.axis("off")
    columns = panel["transformations"][0]["options"]["include"]["names"][:-1]
    rows = [[series.labels.get(column, "") for column in columns] + [f"{series.last:g}"] for series in found]
    made = axes.table(rows[:MOST_NAMES], colLabels=[*columns, "Value"], loc="upper left")
    made.auto_set_font_size(False)
    made.set_fontsize(FONT)


DRAWN: dict[str, Callable[[Axes, Json, list[Series]], None]] = {
    "stat": _draw_number,
    "timeseries": _draw_lines,
    "bargauge": _draw_bars,
    "heatmap": _draw_heatmap,
    "table": _draw_table,
}
