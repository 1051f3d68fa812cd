"""When, in which band and how deep is a position observed: real LSST cadences, each use slightly changed.

Three libraries. The visits of the 67 real light curves of PLAsTiCC's wide survey, and, for the five deep-drilling
fields, of nine whose dates are published (visits of a night are co-added there); their errors are those of the
points at which the source is faint. And the observing conditions of the 346 ELAsTiCC2 positions, newer LSST cadences,
for the wide survey.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from training.shipped import shipped
from training.simulate.bands import Array, Bands
from training.simulate.noise import sky_error

FIRST_MJD, LAST_MJD = 59580.0, 60675.0
"""The three years that PLAsTiCC observes."""

NEWER_CADENCE = 0.2
"""Share of the wide-survey objects that get an ELAsTiCC2 cadence."""

NIGHT_JITTER, LOST_SHARE, DEPTH_SCATTER = 1.0, 0.03, 0.03
"""Days by which a night moves, largest share of nights lost, scatter of ln(sky error) between uses of a cadence."""

FLOOR = 0.005
"""Fractional error of the brightest points in deep-drilling fields (615: 0.45 to 0.54 %), and of ELAsTiCC2."""

WIDE_SCATTER, OBJECT_SPREAD, VISIT_SPREAD = 0.018, 0.8, 0.5
"""The same in PLAsTiCC's wide survey: median, and log-normal spread between objects and between an object's visits."""

_ZERO_POINTS = np.array([29.55, 31.50, 31.52, 31.32, 31.01, 30.09])
_DEEPER = {False: 1.2, True: 3.2}
"""Median zero points of ELAsTiCC2, and how much higher PLAsTiCC's co-added visits (wide, deep) have theirs: measured on
the errors of bright PLAsTiCC stars that hardly vary."""
BRIGHT_STAR = 615
"""The RR Lyrae star whose own light is in all of its errors."""
BRIGHT = 5.0
"""S/N above which a source's own light may count in the error of a real light curve."""
_SKY_ERRORS = np.array([6.4, 3.3, 5.2, 9.0, 15.9, 31.2])


@dataclass(frozen=True)
class Visits:
    """The visits of one position, by time.

    Parameters
    ----------
    mjd : shape (n,) [d]
    band : uint8, shape (n,), index into ugrizy
    sky : `noise.sky_error` of each visit, shape (n,)
    zero_point : AB magnitude of 1 ADU in the visit, shape (n,); higher where visits were co-added
    scatter : fractional error of calibration and subtraction of each visit, shape (n,)
    library : where the cadence comes from
    """

    mjd: Array
    band: Bands
    sky: Array
    zero_point: Array
    scatter: Array
    library: str

    def take(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> "Visits":
        """The visits at `chosen`."""
        return replace(
            self,
            mjd=self.mjd[chosen],
            band=self.band[chosen],
            sky=self.sky[chosen],
            zero_point=self.zero_point[chosen],
            scatter=self.scatter[chosen],
        )


def draw_visits(rng: Generator, deep: bool, ra: float, dec: float) -> Visits:
    """A cadence for an object at a position [deg], in a deep-drilling field (`deep`) or in the wide survey."""
    if deep:
        return _vary(rng, _pick(rng, _field(ra, dec)))
    if rng.random() < NEWER_CADENCE:
        return _vary(rng, _pick(rng, elasticc2_visits()))
    visits = _pick(rng, wide_visits())
    begin = FIRST_MJD + rng.random() * max(LAST_MJD - FIRST_MJD - visits.mjd[-1], 0.0)
    return _vary(rng, replace(visits, mjd=visits.mjd + begin, scatter=_wide_scatter(rng, len(visits.mjd))))


@cache
def wide_visits() -> tuple[Visits, ...]:
    """The cadences of the 67 real wide-survey light curves, time counted from the first visit."""
    metadata, points = shipped("plasticc_metadata"), shipped("plasticc_light_curves")
    chosen = points["object_id"].isin(metadata["object_id"][metadata["ddf"] == 0])
    return tuple(_without_source(curve, deep=False) for _, curve in points[chosen].groupby("object_id"))


@cache
def deep_visits() -> tuple[tuple[Array, Visits], ...]:
    """Direction (unit vector) and cadence of the nine real deep-drilling light curves with dates and a faint source."""
    metadata, points = shipped("plasticc_metadata").set_index("object_id"), shipped("plasticc_light_curves")
    quiet = ~points["mjd_is_relative"] & (points["object_id"] != BRIGHT_STAR)
    dated = points[quiet].groupby("object_id")
    position = metadata.loc[list(dated.groups), ["ra", "decl"]].to_numpy(np.float64)
    return tuple(
        (_direction(*where), _without_source(curve, deep=True))
        for where, (_, curve) in zip(position, dated, strict=True)
    )


@cache
def _field(ra: float, dec: float) -> tuple[Visits, ...]:
    """The deep cadences of the field that the position lies in: those as near as the nearest, and 3 degrees more."""
    there = _direction(ra, dec)
    apart = np.array([np.degrees(np.arccos(np.clip(there @ where, -1.0, 1.0))) for where, _ in deep_visits()])
    return tuple(deep_visits()[at][1] for at in np.flatnonzero(apart < apart.min() + 3.0))


def _direction(ra: float, dec: float) -> Array:
    east, up = np.radians(ra), np.radians(dec)
    return np.array([np.cos(up) * np.cos(east), np.cos(up) * np.sin(east), np.sin(up)])


@cache
def elasticc2_visits() -> tuple[Visits, ...]:
    """The observing conditions of the ELAsTiCC2 positions, MJD as published."""
    return tuple(_conditions(visits) for _, visits in shipped("elasticc2_photometry").groupby("snid"))


def _without_source(curve: pd.DataFrame, *, deep: bool) -> Visits:
    """The visits of a real light curve; where the source is bright, the error of the band's quiet visits at most."""
    curve = curve.sort_values("mjd")
    band = curve.passband.to_numpy(np.uint8)
    flux, error = curve.flux.to_numpy(np.float64), curve.flux_err.to_numpy(np.float64)
    bright = np.abs(flux) > BRIGHT * error
    quiet = np.array([_median(error[(band == one) & ~bright], _SKY_ERRORS[one]) for one in range(6)])
    sky = np.where(bright, np.minimum(error, quiet[band]), error)
    mjd = curve.mjd.to_numpy(np.float64)
    zero_point = _ZERO_POINTS[band] + _DEEPER[deep]
    return Visits(mjd if deep else mjd - mjd[0], band, sky, zero_point, np.full(len(mjd), FLOOR), "plasticc")


def _median(values: Array, otherwise: float) -> float:
    return float(np.median(values)) if len(values) else otherwise


def _wide_scatter(rng: Generator, visits: int) -> Array:
    spread = OBJECT_SPREAD * rng.standard_normal() + VISIT_SPREAD * rng.standard_normal(visits)
    return np.asarray(WIDE_SCATTER * np.exp(spread), dtype=np.float64)


def _conditions(visits: pd.DataFrame) -> Visits:
    ordered = visits.sort_values("mjd")
    columns = ("psf_sig1_pixel", "sky_sig_adu", "zeropt")
    psf, sky, zero_point = (ordered[name].to_numpy(np.float64) for name in columns)
    band = ordered.passband.to_numpy(np.uint8)
    return Visits(
        ordered.mjd.to_numpy(np.float64),
        band,
        sky_error(psf, sky, zero_point),
        zero_point,
        np.full(len(band), FLOOR),
        "elasticc2",
    )


def _pick(rng: Generator, library: tuple[Visits, ...]) -> Visits:
    return library[int(rng.integers(len(library)))]


def _vary(rng: Generator, visits: Visits) -> Visits:
    """Move whole nights, lose some, and change the depth a little, so that no two objects share their visits."""
    nights, night = np.unique(np.floor(visits.mjd - 0.16), return_inverse=True)
    shift = rng.normal(0.0, NIGHT_JITTER, len(nights))[night]
    kept = (rng.random(len(nights)) >= rng.random() * LOST_SHARE)[night]
    depth = np.exp(rng.normal(0.0, DEPTH_SCATTER))
    moved = replace(visits, mjd=visits.mjd + shift, sky=visits.sky * depth).take(kept)
    return moved.take(np.argsort(moved.mjd, kind="stable"))
