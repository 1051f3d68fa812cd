"""The functions of the light curve, computed for a batch of alerts.

A row's answer depends on its own points alone, bit for bit: sums run over a row's points one after the other
(`numpy.bincount` adds in order), and largest and smallest don't round.
"""

from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import Term

Floats = NDArray[np.float64]
Points = NDArray[np.int64]
"""Indices of points, ascending: those of one alert follow one another."""

SAME_VISIT = 1 / 86400
"""Days. A point this close in time to the alert is its own visit, of which surveys without visit numbers may hold two
slightly different times."""


class Curves:
    """The light curves of a table of annotations as flat arrays; each array is made once something needs it.

    Parameters
    ----------
    table : columns ``lightCurve`` and ``mjdTai``.
    """

    def __init__(self, table: pa.Table) -> None:
        lists = table["lightCurve"].combine_chunks()
        time = table["mjdTai"].combine_chunks().cast(pa.float64())
        self._known = pc.and_(pc.is_valid(lists), pc.fill_null(pc.is_finite(time), fill_value=False))
        lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), dtype=np.int64)
        self._n, self._owner = len(lists), np.repeat(np.arange(len(lists)), lengths)
        self._points = lists.flatten()
        self._mjd = self._numbers("mjd")
        self._age = np.asarray(pc.fill_null(time, np.nan))[self._owner] - self._mjd
        self._chosen: dict[tuple[float, str | None, bool], Points] = {}

    def value(self, call: Term) -> pa.Array:
        """What a call gives, a row per alert; null where the alert has no time or no light curve."""
        days, band = (arg.value for arg in call.args)
        made = LIGHT_CURVE_FUNCTIONS[call.op].compute(self, float(days or 0), None if band is None else str(band))
        return pc.if_else(self._known, made, None)

    def within(self, days: float, band: str | None, *, detected: bool) -> Points:
        """The points from so many days before the alert up to it."""
        key = days, band, detected
        if key not in self._chosen:
            self._chosen[key] = self._choose((self._age >= -SAME_VISIT) & (self._age <= days), band, detected)
        return self._chosen[key]

    def earlier(self, band: str | None) -> Points:
        """The detections of earlier visits."""
        return self._choose(self._age > SAME_VISIT, band, detected=True)

    def count(self, points: Points) -> pa.Array:
        """The number of these points."""
        return pa.array(self._counts(points))

    def nights(self, points: Points) -> pa.Array:
        """The number of observing nights, which end at noon UTC-12, that these points lie in."""
        owner, night = self._owner[points], np.floor(self._mjd[points] - 0.5)
        new = np.ones(len(points), dtype=np.bool_)
        new[1:] = (np.diff(owner) != 0) | (np.diff(night) != 0)
        return self.count(points[new])

    def largest(self, points: Points) -> pa.Array:
        """The largest flux."""
        return self._extreme(np.maximum, self._flux, points)

    def smallest(self, points: Points) -> pa.Array:
        """The smallest flux."""
        return self._extreme(np.minimum, self._flux, points)

    def days_since(self, points: Points) -> pa.Array:
        """Days from the last of the points to the alert."""
        return self._extreme(np.minimum, self._age, points)

    def mean(self, points: Points) -> pa.Array:
        """The mean flux."""
        return _nullable(self._mean(self._flux[points], points, np.ones(len(points))))

    def slope(self, points: Points) -> pa.Array:
        """The slope of flux against time, weighted by 1 / error^2."""
        owner, time, flux = self._owner[points], -self._age[points], self._flux[points]
        with np.errstate(all="ignore"):
            weight = 1 / self._flux_err[points] ** 2
            time = time - self._mean(time, points, weight)[owner]
            flux = flux - self._mean(flux, points, weight)[owner]
            slope = self._sums(weight * time * flux, points) / self._sums(weight * time * time, points)
        apart = self._spread(points) > 0
        return _nullable(np.where(apart, slope, np.nan))

    def _choose(self, mask: NDArray[np.bool_], band: str | None, detected: bool) -> Points:
        if detected:
            mask = mask & self._detected
        if band is not None:
            mask = mask & self._in(band)
        return np.flatnonzero(mask)

    def _in(self, band: str) -> NDArray[np.bool_]:
        names, codes = self._bands
        return np.asarray(codes == names.index(band)) if band in names else np.zeros(len(codes), dtype=np.bool_)

    @cached_property
    def _bands(self) -> tuple[list[str], NDArray[np.int32]]:
        column = self._points.field("band")
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        return column.dictionary.to_pylist(), np.asarray(pc.fill_null(column.indices, -1), dtype=np.int32)

    @cached_property
    def _detected(self) -> NDArray[np.bool_]:
        return np.asarray(pc.fill_null(self._points.field("detected"), fill_value=False).to_numpy(zero_copy_only=False))

    @cached_property
    def _flux(self) -> Floats:
        return self._numbers("flux")

    @cached_property
    def _flux_err(self) -> Floats:
        return self._numbers("flux_err")

    def _numbers(self, name: str) -> Floats:
        return np.asarray(pc.fill_null(self._points.field(name), np.nan), dtype=np.float64)

    def _counts(self, points: Points) -> NDArray[np.int64]:
        return np.bincount(self._owner[points], minlength=self._n).astype(np.int64)

    def _sums(self, values: Floats, points: Points) -> Floats:
        return np.bincount(self._owner[points], values, self._n).astype(np.float64)

    def _mean(self, values: Floats, points: Points, weight: Floats) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(self._sums(values * weight, points) / self._sums(weight, points))

    def _extreme(self, pick: np.ufunc, values: Floats, points: Points) -> pa.Array:
        return _nullable(self._picked(pick, values[points], points))

    def _spread(self, points: Points) -> Floats:
        age = self._age[points]
        return np.asarray(self._picked(np.maximum, age, points) - self._picked(np.minimum, age, points))

    def _picked(self, pick: np.ufunc, values: Floats, points: Points) -> Floats:
        counts = self._counts(points)
        some, found = counts > 0, np.full(self._n, np.nan)
        if len(points):
            found[some] = pick.reduceat(values, (np.cumsum(counts) - counts)[some])
        return found


def _nullable(values: Floats) -> pa.Array:
    """Null where not finite."""
    return pa.array(values, mask=~np.isfinite(values))
