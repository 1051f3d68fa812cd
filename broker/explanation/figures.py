"""The figures of an explanation: what each feature says, and what each point of the light curve says."""

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from broker.explanation.explained import FeatureSaid
from broker.report._flux_axis import minus
from broker.report._svg import inline_svg
from broker.report.exemplar import Curve
from broker.report.light_curve import FAINT, INK, MARGINS, RASTER_DPI, RASTERISED_FROM, STYLES, framed, legend
from schemas.alerts import BANDS

AGAINST, FOR = "#b5481c", "#17567f"
SHADES = LinearSegmentedColormap.from_list("said", [AGAINST, "#bdb5a8", FOR])
"""From what speaks against a class to what speaks for it; told apart with the commonest kinds of colour blindness."""


def features_svg(features: Sequence[FeatureSaid], name: str) -> Markup:
    """A bar a feature, to the right for what speaks for the class; `name` is a word that no other figure has."""
    said = [each.contribution for each in features]
    figure = Figure(figsize=(6.6, 0.9 + 0.27 * len(said)), layout="tight")
    axes = figure.subplots()
    axes.barh(np.arange(len(said)), said, height=0.68, color=[FOR if each > 0 else AGAINST for each in said])
    axes.axvline(0.0, color=FAINT, linewidth=0.7)
    axes.set_yticks(np.arange(len(said)), [each.name for each in features], fontsize=8.5)
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{value:g}")))
    axes.set_xlabel("contribution to the class [natural log]", color=INK, fontsize=9)
    axes.tick_params(colors=INK, labelsize=8.5, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    words = "; ".join(f"{each.name} {each.contribution:+.3f}" for each in features)
    return inline_svg(figure, name, f"What features say: {words}.")


def points_svg(
    curve: Curve, support: NDArray[np.float64], alert_mjd: float, first_detection: float | None, name: str
) -> Markup:
    """The light curve, each point in the colour of what it says; those that aren't read are grey.

    Parameters
    ----------
    curve, alert_mjd, first_detection, name : as for `broker.report.light_curve.light_curve_svg`.
    support : float64 array, shape (n_points,)
        NaN where a point isn't read.
    """
    figure, axes, time = framed(curve, alert_mjd, first_detection)
    read = ~np.isnan(support)
    largest = float(np.abs(support[read]).max(initial=0.0)) or 1.0
    scale = ScalarMappable(Normalize(-largest, largest), SHADES)
    colours = np.where(read[:, None], scale.to_rgba(np.nan_to_num(support)), (0.75, 0.77, 0.79, 1.0))
    order = np.argsort(np.where(read, np.abs(support), -1.0), kind="stable")  # what says most lies on top
    for artist in _points(axes, curve, time, colours, order):
        artist.set_rasterized(len(curve) > RASTERISED_FROM)
    axes.set_position((MARGINS["left"], MARGINS["bottom"], 0.735, MARGINS["top"] - MARGINS["bottom"]))
    bar = figure.colorbar(scale, cax=figure.add_axes((0.885, 0.2, 0.018, 0.6)))
    bar.set_label("says for the class", color=INK, fontsize=9)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: minus(f"{value:.2g}")))
    bar.ax.tick_params(colors=INK, labelsize=8.5, length=0)
    bar.outline.set_visible(False)
    legend(figure, curve, coloured=False)
    words = f"Light curve by what its points say: {int(read.sum())} of {len(curve)} are read, at most {largest:.3f}."
    return inline_svg(figure, name, words, RASTER_DPI)


def _points(
    axes: Axes, curve: Curve, time: NDArray[np.float64], colours: NDArray[np.float64], order: NDArray[np.int64]
) -> Iterator[Artist]:
    """Error bars and markers, each kind of marker as one."""
    ends = [curve.flux[order] + sign * curve.flux_err[order] for sign in (-1, 1)]
    bars = np.stack([np.column_stack([time[order], end]) for end in ends], axis=1)
    yield axes.add_collection(LineCollection(list(bars), colors=colours[order], linewidths=0.9))
    for band in BANDS:
        for detected in (False, True):
            chosen = order[(curve.band[order] == band) & (curve.detected[order] == detected)]
            if len(chosen):
                faces = colours[chosen] if detected else "none"
                yield axes.scatter(
                    time[chosen], curve.flux[chosen], s=30, marker=STYLES[band][1], facecolors=faces,
                    edgecolors=colours[chosen], linewidths=1.4, zorder=2 + detected,
                )  # fmt: skip
