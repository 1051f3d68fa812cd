"""How a light curve's flux axis is scaled, so that nothing is squashed into a line."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SQUASHED = 15.0
"""A ratio of brightnesses above which a linear axis shows the fainter one as a flat line."""

ERRORS_SHOWN = 3.0
"""Error bars count for the axis up to so many median errors; a longer one runs out of the frame."""

PLAIN_BELOW = 10_000
"""Powers of ten are written out up to here."""

DECADES = 4
"""The logarithmic part has at most so many decades on either side."""


@dataclass(frozen=True)
class FluxAxis:
    """Limits and scale of a flux axis [nJy].

    Parameters
    ----------
    low, high : the axis's ends.
    linear_within : where a symmetric logarithmic axis passes into a linear one around 0; None for a linear axis.
    """

    low: float
    high: float
    linear_within: float | None = None

    @classmethod
    def of(
        cls,
        flux: NDArray[np.float64],
        flux_err: NDArray[np.float64],
        band: NDArray[np.str_],
        detected: NDArray[np.bool_],
    ) -> "FluxAxis":
        """The axis for these points, one or more, shape (n_points,) each."""
        reach = np.minimum(flux_err, ERRORS_SHOWN * np.median(flux_err))
        low, high = min(0.0, float((flux - reach).min())), max(0.0, float((flux + reach).max()))
        if not _squashes(flux, band, detected):
            margin = 0.05 * (high - low) or 1.0
            return cls(low - margin * (low < 0), high + margin)
        largest = max(high, -low)
        within = max(ERRORS_SHOWN * float(np.median(flux_err)), largest / 10**DECADES)
        within = 10.0 ** math.floor(math.log10(within))
        return cls(min(low * 1.3, -within / 2), max(high * 1.3, within / 2), within)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Of a symmetric logarithmic axis: 0 and the powers of ten within the limits."""
        return self._within([0.0, *self._powers])

    @property
    def minor_ticks(self) -> tuple[float, ...]:
        """Of a symmetric logarithmic axis: the steps between its powers of ten."""
        return self._within([step * power for power in self._powers for step in range(2, 10)])

    @property
    def _powers(self) -> list[float]:
        if self.linear_within is None:
            return []
        start = round(math.log10(self.linear_within))
        return [10.0**k for k in range(start, start + DECADES + 2)]

    def _within(self, sizes: list[float]) -> tuple[float, ...]:
        return tuple(tick for tick in sorted({*sizes, *(-size for size in sizes)}) if self.low <= tick <= self.high)

    @property
    def thousands(self) -> int:
        """Powers of a thousand that a linear axis's labels leave out, so that they stay short."""
        largest = max(self.high, -self.low)
        return 0 if self.linear_within is not None else max(0, math.floor(math.log10(largest / 10) / 3))

    @property
    def unit(self) -> str:
        """What the labels count."""
        if self.linear_within is not None:
            return "nJy, symmetric log"
        return f"10{superscript(3 * self.thousands)} nJy" if self.thousands else "nJy"

    def tick_label(self, value: float) -> str:
        """The label of a tick at this flux [nJy]."""
        if self.linear_within is None or abs(value) < PLAIN_BELOW:
            return minus(f"{value / 1000**self.thousands:,.6g}")
        return ("\N{MINUS SIGN}" if value < 0 else "") + f"10{superscript(round(math.log10(abs(value))))}"


def minus(number: str) -> str:
    """A number with a true minus sign."""
    return number.replace("-", "\N{MINUS SIGN}")


def superscript(power: int) -> str:
    """A power as it stands above the line."""
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _squashes(flux: NDArray[np.float64], band: NDArray[np.str_], detected: NDArray[np.bool_]) -> bool:
    """Whether the detections of some band, or the middle detection, would lie flat on a linear axis."""
    chosen = detected if detected.any() else np.ones_like(detected)
    brightness, band = np.abs(flux[chosen]), band[chosen]
    middles = [float(np.median(brightness[band == b])) for b in np.unique(band)]
    faintest = min(*middles, float(np.median(brightness)))
    return float(np.abs(flux).max()) > SQUASHED * faintest > 0
