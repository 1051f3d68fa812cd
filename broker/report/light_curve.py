"""The figure of one alert's light curve in six bands."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from broker.report._flux_axis import FluxAxis, minus
from broker.report._svg import inline_svg
from broker.report.exemplar import Curve
from schemas.alerts import BANDS

STYLES = {
    "u": ("#0072b2", "o"),
    "g": ("#12a37f", "s"),
    "r": ("#c1370a", "D"),
    "i": ("#c08a00", "^"),
    "z": ("#c25a9b", "v"),
    "y": ("#2e2e2e", "P"),
}
"""Colour and marker of a band. Each colour has a contrast of 3:1 or more on white, and with the commonest kinds of
colour blindness any two stay apart (CIE76 distance over 13, simulated after Machado et al. 2009); so do markers."""

INK, FAINT = "#3c4650", "#9aa4ae"
SIZE = (6.6, 3.6)
MARGINS = {"left": 0.118, "right": 0.985, "bottom": 0.125, "top": 0.885}
STEPS = [1, 2, 2.5, 5, 10]
RASTERISED_FROM = 400
"""Points: a light curve with more is drawn as an image, the axes stay lines and text."""

RASTER_DPI = 170


@dataclass(frozen=True)
class Epoch:
    """Where a figure's time axis begins.

    Parameters
    ----------
    mjd : MJD TAI [d] of its zero.
    label : what the axis shows.
    """

    mjd: float
    label: str

    @classmethod
    def of(cls, first_detection: float | None) -> "Epoch":
        """Days since the first detection where there is one, MJD elsewhere."""
        if first_detection is None:
            return cls(0.0, "MJD (TAI)")
        return cls(first_detection, f"Days since first detection (MJD {first_detection:.3f} TAI)")


def light_curve_svg(curve: Curve, alert_mjd: float, first_detection: float | None, name: str) -> Markup:
    """Difference flux against time: detections filled, forced measurements open, the alert's own time marked.

    Parameters
    ----------
    curve : one point or more.
    alert_mjd : MJD TAI [d] of the alert.
    first_detection : MJD TAI [d] of its first detection; None where it has none.
    name : a word that no other figure of the page has.
    """
    figure, axes, time = framed(curve, alert_mjd, first_detection)
    _points(axes, curve, time)
    legend(figure, curve)
    return inline_svg(figure, name, describe(curve), RASTER_DPI)


def framed(curve: Curve, alert_mjd: float, first_detection: float | None) -> tuple[Figure, Axes, NDArray[np.float64]]:
    """A figure with the axes of a light curve and without its points, and the points' times on them."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots(gridspec_kw=MARGINS)
    axes.set_axisbelow(True)  # nothing between the points, so that those of a long curve make one image
    epoch = Epoch.of(first_detection)
    _time_axis(axes, np.append(curve.mjd, alert_mjd) - epoch.mjd, epoch)
    _flux_axis(axes, FluxAxis.of(curve.flux, curve.flux_err, curve.band, curve.detected))
    _mark_alert(axes, alert_mjd - epoch.mjd)
    return figure, axes, curve.mjd - epoch.mjd


def describe(curve: Curve) -> str:
    """The light curve in words."""
    bands = ", ".join(band for band in BANDS if band in curve.band)
    points = "1 point" if len(curve) == 1 else f"{len(curve)} points"
    return (
        f"Light curve: {points}, {np.count_nonzero(curve.detected)} detected, in {bands}, "
        f"MJD {curve.mjd.min():.2f} to {curve.mjd.max():.2f}; "
        f"difference flux from {curve.flux.min():,.0f} to {curve.flux.max():,.0f} nJy."
    )


def _points(axes: Axes, curve: Curve, time: NDArray[np.float64]) -> None:
    n = len(curve)
    size = 5.5 if n <= 60 else 4.2 if n <= RASTERISED_FROM else 3.4  # noqa: PLR2004  points of type; fewer, larger
    for band in BANDS:
        for detected in (False, True):
            chosen = (curve.band == band) & (curve.detected == detected)
            if chosen.any():
                for line in _lines(time[chosen], curve.flux[chosen], curve.flux_err[chosen], band, detected):
                    line.set_rasterized(n > RASTERISED_FROM)
                    line.set_markersize(size)
                    axes.add_line(line)


def _lines(
    time: NDArray[np.float64], flux: NDArray[np.float64], error: NDArray[np.float64], band: str, detected: bool
) -> tuple[Line2D, Line2D]:
    """All error bars as one broken line, which is far smaller in SVG than a line each; and the markers."""
    colour, marker = STYLES[band]
    gap = np.full(len(time), np.nan)
    x = np.column_stack([time, time, gap]).ravel()
    y = np.column_stack([flux - error, flux + error, gap]).ravel()
    alpha, order = (1.0, 1.6) if detected else (0.55, 1.2)
    bars = Line2D(x, y, color=colour, linewidth=0.9, alpha=alpha * 0.6, zorder=order)
    face = colour if detected else "none"
    markers = Line2D(
        time, flux, linestyle="", marker=marker, color=colour, markerfacecolor=face, markeredgewidth=0.9, alpha=alpha,
        zorder=order + 0.2,
    )  # fmt: skip
    return bars, markers


def _time_axis(axes: Axes, time: NDArray[np.float64], epoch: Epoch) -> None:
    low, high = float(time.min()), float(time.max())
    margin = 0.04 * (high - low) or 1.0
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{value:.10g}")))
    axes.set_xlabel(epoch.label, color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=9, length=3, width=0.7)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set(color=FAINT, linewidth=0.7)


def _flux_axis(axes: Axes, chosen: FluxAxis) -> None:
    if chosen.linear_within is None:
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
    else:
        axes.set_yscale("symlog", linthresh=chosen.linear_within, linscale=0.7)
        axes.yaxis.set_major_locator(FixedLocator(list(chosen.ticks)))
        axes.yaxis.set_minor_locator(FixedLocator(list(chosen.minor_ticks)))
        axes.tick_params(axis="y", which="minor", color=FAINT, length=2, width=0.6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: chosen.tick_label(value)))
    axes.set_ylim(chosen.low, chosen.high)
    axes.set_ylabel(f"Difference flux ({chosen.unit})", color=INK, fontsize=9)
    axes.yaxis.set_label_coords(-0.108, 0.5)  # else it moves with the resolution of the image
    axes.axhline(0.0, color=FAINT, linewidth=0.7, zorder=1)


def _mark_alert(axes: Axes, time: float) -> None:
    axes.axvline(time, color="#6b7680", linewidth=0.9, linestyle=(0, (2, 2)), zorder=1.1)
    axes.annotate(
        "alert", (time, 1.0), (0, 2), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center",
        va="bottom", color=INK, fontsize=8.5,
    )  # fmt: skip


def legend(figure: Figure, curve: Curve, *, coloured: bool = True) -> None:
    """Which marker stands for which band, and its colour unless colours stand for something else."""
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=colour if coloured else INK, markersize=5, label=band)
        for band, (colour, marker) in STYLES.items()
        if band in curve.band
    ]
    if not curve.detected.all():
        handles.append(
            Line2D(
                [], [], linestyle="", marker="o", color=INK, markerfacecolor="none", markersize=5, label="not detected"
            )
        )
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(MARGINS["left"], 1.0), ncols=len(handles), frameon=False,
        fontsize=9, labelcolor=INK, handletextpad=0.1, columnspacing=1.2, borderaxespad=0.3, borderpad=0.0,
    )  # fmt: skip
