"""Which functions of the light curve may a condition call? Each with its parameters and its meaning.

They look back from the alert's own time (`mjdTai`) at the points that its packet holds. What other packets of the
object held, a condition doesn't see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.filters.kinds import Kind
from broker.filters.term import Term

if TYPE_CHECKING:
    import pyarrow as pa

    from broker.filters._curves import Curves

COLUMNS = frozenset({"lightCurve", "mjdTai"})
"""What all of these functions read."""

MOST_CALLS = 20
"""Different calls in one filter: each goes through every point of every alert."""


@dataclass(frozen=True)
class LightCurveFunction:
    """A function of the points of one alert's light curve.

    Parameters
    ----------
    name : as conditions write it; case doesn't matter.
    meaning : one line.
    kind : of the result.
    compute : from the light curves of a batch, a number of days and a band (None for all) to a value per alert.
    days : whether it looks back by so many days, its first argument.
    needs_band : whether a band must be named.
    """

    name: str
    meaning: str
    kind: Kind
    compute: Callable[["Curves", float, str | None], "pa.Array"]
    days: bool = True
    needs_band: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments; the band, the last one, may be left out unless it is needed."""
        return ("days", "band") if self.days else ("band",)

    @property
    def signature(self) -> str:
        """As the guide and messages show it, with brackets around what may be left out."""
        if self.needs_band:
            return f"{self.name}({', '.join(self.parameters)})"
        return f"{self.name}(days[, band])" if self.days else f"{self.name}([band])"


LIGHT_CURVE_FUNCTIONS = {
    function.name: function
    for function in (
        LightCurveFunction(
            "detections_within",
            "detections in the last days; 0 if there are none",
            Kind.INTEGER,
            lambda curves, days, band: curves.count(curves.within(days, band, detected=True)),
        ),
        LightCurveFunction(
            "points_within",
            "light-curve points in the last days, detections or not; 0 if there are none",
            Kind.INTEGER,
            lambda curves, days, band: curves.count(curves.within(days, band, detected=False)),
        ),
        LightCurveFunction(
            "nights_within",
            "observing nights with a detection in the last days; 0 if there are none",
            Kind.INTEGER,
            lambda curves, days, band: curves.nights(curves.within(days, band, detected=True)),
        ),
        LightCurveFunction(
            "flux_max_within",
            "largest flux [nJy] of the detections in the last days; NULL if there are none",
            Kind.FLOAT,
            lambda curves, days, band: curves.largest(curves.within(days, band, detected=True)),
        ),
        LightCurveFunction(
            "flux_min_within",
            "smallest flux [nJy] of the detections in the last days; NULL if there are none",
            Kind.FLOAT,
            lambda curves, days, band: curves.smallest(curves.within(days, band, detected=True)),
        ),
        LightCurveFunction(
            "flux_mean_within",
            "mean flux [nJy] of the detections in the last days, each counted alike; NULL if there are none",
            Kind.FLOAT,
            lambda curves, days, band: curves.mean(curves.within(days, band, detected=True)),
        ),
        LightCurveFunction(
            "flux_slope_within",
            "slope [nJy/d] of the straight line that fits the detections in the last days best, by least squares "
            "weighted with 1 / flux_err^2: above 0 for a rise; NULL unless they have two different times",
            Kind.FLOAT,
            lambda curves, days, band: curves.slope(curves.within(days, band, detected=True)),
            needs_band=True,
        ),
        LightCurveFunction(
            "days_since_previous",
            "days from the last earlier detection to this alert; NULL if the packet holds none",
            Kind.FLOAT,
            lambda curves, _, band: curves.days_since(curves.earlier(band)),
            days=False,
        ),
    )
}


def calls(term: Term) -> dict[Term, None]:
    """The different calls of these functions in a term, in a fixed order."""
    return dict.fromkeys(part for part in term.walk() if part.op in LIGHT_CURVE_FUNCTIONS)
