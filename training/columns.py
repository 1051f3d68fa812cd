"""Picking and joining objects in the columns that features and members read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.family import FeatureInput
from schemas.alerts import LightCurves


def take(given: FeatureInput, rows: NDArray[np.int64]) -> FeatureInput:
    """The objects at `rows`, in that order; an object may be taken more than once."""
    return FeatureInput(
        take_curves(given.curves, rows),
        given.host_photoz[rows],
        given.host_photoz_err[rows],
        given.milky_way_ebv[rows],
    )


def hide_host(given: FeatureInput) -> FeatureInput:
    """The objects without photo-z, its error and extinction."""
    unknown = np.full(len(given.curves), np.nan)
    return FeatureInput(given.curves, unknown, unknown, unknown)


def concat(parts: Sequence[FeatureInput]) -> FeatureInput:
    """All objects of all parts, in the order given."""
    return FeatureInput(
        concat_curves([part.curves for part in parts]),
        np.concatenate([part.host_photoz for part in parts]),
        np.concatenate([part.host_photoz_err for part in parts]),
        np.concatenate([part.milky_way_ebv for part in parts]),
    )


def concat_curves(parts: Sequence[LightCurves]) -> LightCurves:
    """All light curves of all parts, in the order given."""
    lengths = np.concatenate([part.lengths for part in parts])
    return LightCurves(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([part.mjd for part in parts]),
        np.concatenate([part.flux for part in parts]),
        np.concatenate([part.flux_err for part in parts]),
        np.concatenate([part.band for part in parts]),
        np.concatenate([part.detected for part in parts]),
    )


def take_curves(curves: LightCurves, rows: NDArray[np.int64]) -> LightCurves:
    """The light curves of the objects at `rows`, in that order."""
    lengths = curves.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    points = np.arange(offsets[-1]) + np.repeat(curves.offsets[rows] - offsets[:-1], lengths)
    return LightCurves(
        offsets,
        curves.mjd[points],
        curves.flux[points],
        curves.flux_err[points],
        curves.band[points],
        curves.detected[points],
    )
