"""The statistics of light curves that others published for all 7,848 real PLAsTiCC training objects.

They are what the simulation can be held against where the light curves themselves can't be had. The definitions are
those of the two published tables: ``NAME__0`` to ``NAME__5`` are a band's, as the cesium library computes them; the
others are those of a popular entry of the challenge, made with pandas and tsfresh. From the 100 real light curves that
ship every number comes out as published. Fluxes have the zero point 27.5.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.alerts import BANDS

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSE_TO_MEDIAN = 0.1
"""A flux is close to the median within this fraction of the range from minimum to maximum."""


def table_statistics(points: pd.DataFrame, objects: Ints) -> pd.DataFrame:
    """All published statistics of some light curves, a row an object.

    Parameters
    ----------
    points : ``object_id, mjd, passband, flux, flux_err, detected``; fluxes of zero point 27.5.
    objects : ids of the objects, in the order of the rows; each has points.

    Returns
    -------
    Columns ``object_id``, then the statistics; NaN where a band has too few points for one.
    """
    row = pd.Index(objects).get_indexer(pd.Index(points["object_id"]))
    passband = points["passband"].to_numpy(np.int64)
    values = {name: points[name].to_numpy(np.float64) for name in ("mjd", "flux", "flux_err")}
    detected = points["detected"].to_numpy(np.bool_)
    by_band = Groups.of(row * len(BANDS) + passband, len(objects) * len(BANDS), **values)
    whole = Groups.of(row, len(objects), **values)
    columns = {
        **_by_band(by_band),
        **_whole(whole),
        "detected_mean": np.bincount(row, detected, len(objects)) / np.bincount(row, minlength=len(objects)),
        "mjd_diff_det": _span(row[detected], values["mjd"][detected], len(objects)),
    }
    return pd.DataFrame({"object_id": objects, **columns})


@dataclass(frozen=True)
class Groups:
    """Points in groups that lie one after the other, by time; a group may be empty.

    Parameters
    ----------
    group : shape (n_points,), the number of each point's group, ascending.
    counts : shape (n_groups,)
    mjd, flux, flux_err : shape (n_points,)
    """

    group: Ints
    counts: Ints
    mjd: Array
    flux: Array
    flux_err: Array

    @classmethod
    def of(cls, group: Ints, n_groups: int, mjd: Array, flux: Array, flux_err: Array) -> "Groups":
        """Points in any order, with their groups."""
        order = np.lexsort((mjd, group))
        counts = np.bincount(group, minlength=n_groups).astype(np.int64)
        return cls(group[order], counts, mjd[order], flux[order], flux_err[order])

    def total(self, values: Array) -> Array:
        """The sum of each group."""
        return np.asarray(np.bincount(self.group, values, len(self.counts)), np.float64)

    def mean(self, values: Array, weights: Array | None = None) -> Array:
        """The mean of each group, NaN where it is empty."""
        weights = np.ones(len(values)) if weights is None else weights
        with np.errstate(invalid="ignore"):
            return self.total(values * weights) / self.total(weights)

    def share(self, chosen: NDArray[np.bool_]) -> Array:
        """The share of each group's points that are chosen, NaN where it is empty."""
        return self.mean(chosen.astype(np.float64))

    def median(self, values: Array) -> Array:
        """The median of each group, NaN where it is empty."""
        ordered = values[np.lexsort((values, self.group))]
        start, some = np.cumsum(self.counts) - self.counts, self.counts > 0
        middle = np.full(len(self.counts), np.nan)
        low, high = start + (self.counts - 1) // 2, start + self.counts // 2
        middle[some] = 0.5 * (ordered[low[some]] + ordered[high[some]])
        return middle

    def extreme(self, values: Array, of: np.ufunc) -> Array:
        """`numpy.maximum` or `numpy.minimum` over each group, NaN where it is empty."""
        found = np.full(len(self.counts), np.nan)
        some = self.counts > 0
        found[some] = of.reduceat(values, (np.cumsum(self.counts) - self.counts)[some])
        return found

    def moment(self, values: Array, power: int) -> Array:
        """The central moment of each group."""
        return self.mean((values - self.mean(values)[self.group]) ** power)

    @cached_property
    def place(self) -> Ints:
        """Which point of its group each one is, from 0."""
        return np.arange(len(self.group)) - (np.cumsum(self.counts) - self.counts)[self.group]


def _by_band(groups: Groups) -> dict[str, Array]:
    """The statistics of each band, as columns of the objects."""
    flux = groups.flux
    maximum, minimum, median = groups.extreme(flux, np.maximum), groups.extreme(flux, np.minimum), groups.median(flux)
    weights = groups.flux_err**-2.0
    average = groups.mean(flux, weights)
    spread = np.sqrt(groups.mean((flux - average[groups.group]) ** 2, weights))
    variance = groups.moment(flux, 2)
    from_median = np.abs(flux - median[groups.group])
    statistics = {
        "amplitude": 0.5 * (maximum - minimum),
        "percent_beyond_1_std": groups.share(np.abs(flux - average[groups.group]) > spread[groups.group]),
        "maximum": maximum,
        "max_slope": _steepest(groups),
        "median": median,
        "median_absolute_deviation": groups.median(from_median),
        "percent_close_to_median": groups.share(from_median < CLOSE_TO_MEDIAN * (maximum - minimum)[groups.group]),
        "minimum": minimum,
        "skew": _over(groups.moment(flux, 3), variance**1.5),
        "std": np.sqrt(variance),
        "weighted_average": average,
    }
    columns = {f"{name}__{band}": part for name, values in statistics.items() for band, part in _bands(values)}
    for name, values in {
        'fft_coefficient__coeff_0__attr_"abs"': np.abs(groups.total(flux)),
        'fft_coefficient__coeff_1__attr_"abs"': _first_fourier(groups),
        "kurtosis": kurtosis(groups, flux),
        "skewness": skewness(groups, flux),
    }.items():
        columns |= {f"{band}__{name}": part for band, part in _bands(values)}
    return columns


def _whole(groups: Groups) -> dict[str, Array]:
    """The statistics of all bands together."""
    flux, error = groups.flux, groups.flux_err
    ratio = (flux / error) ** 2
    weighted = flux * ratio
    columns = {**_described("flux", groups, flux), **_described("flux_err", groups, error)}
    columns |= {
        "flux_ratio_sq_sum": groups.total(ratio),
        "flux_ratio_sq_skew": skewness(groups, ratio),
        "flux_by_flux_ratio_sq_sum": groups.total(weighted),
        "flux_by_flux_ratio_sq_skew": skewness(groups, weighted),
        "flux_diff": columns["flux_max"] - columns["flux_min"],
    }
    mean = _over(columns["flux_by_flux_ratio_sq_sum"], columns["flux_ratio_sq_sum"])
    return columns | {
        "flux_dif2": _over(columns["flux_diff"], columns["flux_mean"]),
        "flux_w_mean": mean,
        "flux_dif3": _over(columns["flux_diff"], mean),
    }


def _described(name: str, groups: Groups, values: Array) -> dict[str, Array]:
    counts = groups.counts.astype(np.float64)
    return {
        f"{name}_min": groups.extreme(values, np.minimum),
        f"{name}_max": groups.extreme(values, np.maximum),
        f"{name}_mean": groups.mean(values),
        f"{name}_median": groups.median(values),
        f"{name}_std": np.sqrt(_over(groups.moment(values, 2) * counts, counts - 1.0)),
        f"{name}_skew": skewness(groups, values),
    }


def skewness(groups: Groups, values: Array) -> Array:
    """The skewness of each group, corrected for its size; NaN with less than three points."""
    n = groups.counts.astype(np.float64)
    plain = _over(groups.moment(values, 3), groups.moment(values, 2) ** 1.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 2, np.sqrt(n * (n - 1.0)) / (n - 2.0) * plain, np.nan)  # noqa: PLR2004


def kurtosis(groups: Groups, values: Array) -> Array:
    """The excess kurtosis of each group, corrected for its size; NaN with less than four points."""
    n = groups.counts.astype(np.float64)
    plain = _over(groups.moment(values, 4), groups.moment(values, 2) ** 2) - 3.0
    with np.errstate(invalid="ignore", divide="ignore"):
        corrected = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * plain + 6.0)
    return np.where(n > 3, corrected, np.nan)  # noqa: PLR2004


def _first_fourier(groups: Groups) -> Array:
    """The size of the first coefficient of the Fourier series of a group's fluxes, as if evenly spaced."""
    phase = 2.0 * np.pi * groups.place / groups.counts[groups.group]
    found = np.hypot(groups.total(groups.flux * np.cos(phase)), groups.total(groups.flux * np.sin(phase)))
    return np.where(groups.counts > 1, found, np.nan)


def _steepest(groups: Groups) -> Array:
    """The largest change of flux from one point of a group to the next, per day."""
    inside = np.diff(groups.group) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.abs(np.diff(groups.flux) / np.diff(groups.mjd))
    found = np.full(len(groups.counts), -np.inf)
    np.maximum.at(found, groups.group[1:][inside], slope[inside])
    return np.where(np.isfinite(found), found, np.nan)


def _span(row: Ints, mjd: Array, objects: int) -> Array:
    """From the first to the last of an object's times; NaN without any."""
    first, last = np.full(objects, np.inf), np.full(objects, -np.inf)
    np.minimum.at(first, row, mjd)
    np.maximum.at(last, row, mjd)
    return np.where(np.isfinite(first), last - first, np.nan)


def _bands(values: Array) -> list[tuple[int, Array]]:
    return list(enumerate(values.reshape(-1, len(BANDS)).T))


def _over(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below != 0.0, above / below, np.nan)
