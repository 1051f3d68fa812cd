"""How a night's visits came in, by time: alerts, detectors, latency."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from broker.report._svg import inline_svg
from broker.report.light_curve import FAINT, INK, STYLES
from schemas.alerts import BANDS

SIZE = (9.2, 6.0)
SHORT = "#b3261e"
Row = dict[str, Any]


def night_svg(rows: Sequence[Row], name: str) -> Markup:
    """Alerts, detectors and seconds until the last alert of each visit, by the time of the observation.

    Parameters
    ----------
    rows : the visits of a survey and night, one or more; see `broker.visits.visits.COLUMNS`.
    name : a word that no other figure of the page has.
    """
    figure = Figure(figsize=SIZE)
    place = {"left": 0.08, "right": 0.99, "bottom": 0.08, "top": 0.94, "hspace": 0.14}
    alerts, detectors, latency = figure.subplots(3, sharex=True, gridspec_kw=place)
    seen = {row["band"] for row in rows}
    for band in (band for band in (*BANDS, None) if band in seen):
        _points(alerts, [row for row in rows if row["band"] == band], "alerts", band)
        _points(detectors, [row for row in rows if row["band"] == band], "detectors", band)
    short = [row for row in rows if row["short"]]
    for axes, what in ((alerts, "alerts"), (detectors, "detectors")):
        found = [row for row in short if what in row["short"]]
        axes.plot(_times(found), [row[what] for row in found], "o", mfc="none", mec=SHORT, ms=8, mew=1)
    if rows[0]["allDetectors"]:
        detectors.axhline(rows[0]["allDetectors"], color=FAINT, linewidth=0.8)
    _line(latency, rows, "kafkaLastSeconds", "o", "in Kafka")
    _line(latency, rows, "annotatedLastSeconds", "x", "annotated")
    for axes, label in ((alerts, "alerts"), (detectors, "detectors"), (latency, "last alert after [s]")):
        _dress(axes, label)
    figure.legend(loc="upper left", bbox_to_anchor=(0.08, 1.0), ncols=9, frameon=False, fontsize=8.5)
    return inline_svg(figure, name, describe(rows))


def describe(rows: Sequence[Row]) -> str:
    """The figure in words."""
    counts = [row["alerts"] for row in rows]
    short = sum(bool(row["short"]) for row in rows)
    return f"{len(rows):,} visits by time, with {min(counts):,} to {max(counts):,} alerts each; {short:,} are short."


def _points(axes: Axes, rows: Sequence[Row], what: str, band: str | None) -> None:
    label = (band or "band unknown") if what == "alerts" else None
    colour, marker = STYLES.get(band or "", (INK, "."))
    axes.plot(_times(rows), [row[what] for row in rows], marker, color=colour, ms=3.5, label=label)


def _line(axes: Axes, rows: Sequence[Row], what: str, marker: str, label: str) -> None:
    known = [row for row in rows if row[what] is not None]
    if known:
        axes.plot(
            _times(known), [row[what] for row in known], marker, color=INK, ms=3, mfc="none", mew=0.8, label=label
        )


def _times(rows: Sequence[Row]) -> np.ndarray[tuple[int], np.dtype[Any]]:
    return np.array([datetime.fromtimestamp(row["observed"] / 1000, UTC).replace(tzinfo=None) for row in rows])


def _dress(axes: Axes, label: str) -> None:
    axes.set_ylabel(label, color=INK, fontsize=9)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.tick_params(colors=INK, labelsize=8.5, length=3, width=0.7)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=FAINT, linewidth=0.7)
