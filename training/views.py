"""One object, several light curves: what alert packets would show of it, at random times and from random surveys.

A full simulated light curve covers years. A packet covers what was known when it was sent: it ends with a detection,
reaches back a month before the first one at most, may hold detections alone, and ZTF sees three bands.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.sequences import select
from features.family import FeatureInput
from schemas.alerts import AlertBatch, LightCurves
from training.columns import take
from training.truncate import LONGEST_AGE_LOG2, at_age

PACKET, DETECTIONS = 0.5, 0.2
"""Shares of the light curves cut to what a packet holds, and further to the detections; the rest keep all visits."""

THREE_BANDS = 0.1
"""Share of the light curves that keep g, r and i alone."""

LOOK_BACK = 30.0
"""A packet reaches back a random time up to this before the first detection [d]."""

HIDE_PHOTOZ, HIDE_EBV = 0.5, 0.5
"""Shares of the light curves without photo-z and its error, and without Milky Way extinction."""

Host = Literal["random", "with", "without"]


@dataclass(frozen=True)
class Views:
    """Light curves made from some objects.

    Parameters
    ----------
    given : the light curves, and host and sky columns, of n views.
    objects : int64 array, shape (n,)
        Index of the object that each was made from.
    """

    given: FeatureInput
    objects: NDArray[np.int64]


def make_views(alerts: AlertBatch, per_object: int, rng: np.random.Generator, host: Host = "random") -> Views:
    """The full light curve of every object, and truncations of it 2^U(0, 10) days after its first detection.

    Views without a point are left out.

    Parameters
    ----------
    alerts : whole light curves, each with a point.
    per_object : number of light curves made from each object; the first ends with the object's last visit.
    host : whether photo-z and extinction are hidden at random, kept, or hidden from all.
    """
    objects = np.repeat(np.arange(len(alerts)), per_object)
    days = 2.0 ** rng.uniform(0.0, LONGEST_AGE_LOG2, len(objects))
    days[::per_object] = np.inf
    given = FeatureInput.from_alerts(at_age(alerts.take(objects), days))
    masked = _mask_host(given, _as_packets(given.curves, rng), rng, host)
    filled = np.flatnonzero(masked.curves.lengths)
    return Views(take(masked, filled), objects[filled])


def _as_packets(curves: LightCurves, rng: np.random.Generator) -> LightCurves:
    n = len(curves)
    style, look_back, bands = rng.random(n), rng.uniform(0, LOOK_BACK, n), rng.random(n)
    first, last = curves.first_detection, _last_detection(curves)
    cut = (style < PACKET + DETECTIONS) & np.isfinite(first)
    start, end = np.where(cut, first - look_back, -np.inf), np.where(cut, last, np.inf)
    owner = curves.owner
    keep = (curves.mjd >= start[owner]) & (curves.mjd <= end[owner])
    keep &= curves.detected | (style >= DETECTIONS)[owner]
    keep &= ((curves.band >= 1) & (curves.band <= 3)) | (bands >= THREE_BANDS)[owner]  # noqa: PLR2004  g, r, i
    return select(curves, keep)


def _last_detection(curves: LightCurves) -> NDArray[np.float64]:
    """MJD of each object's last detection [d], minus infinity where nothing was detected."""
    last = np.full(len(curves), -np.inf)
    np.maximum.at(last, curves.owner[curves.detected], curves.mjd[curves.detected])
    return last


def _mask_host(given: FeatureInput, curves: LightCurves, rng: np.random.Generator, host: Host) -> FeatureInput:
    n = len(curves)
    no_photoz, no_ebv = rng.random(n) < HIDE_PHOTOZ, rng.random(n) < HIDE_EBV
    if host != "random":
        no_photoz = no_ebv = np.full(n, host == "without")
    return FeatureInput(
        curves,
        np.where(no_photoz, np.nan, given.host_photoz),
        np.where(no_photoz, np.nan, given.host_photoz_err),
        np.where(no_ebv, np.nan, given.milky_way_ebv),
    )
