"""Where is what in a light curve: its first and last detection, the episode between them, its peaks."""

from dataclasses import dataclass

import numpy as np

from features._jit import N_BANDS, Bands, Flags, Floats, Ints, flat, frozen, kernel
from schemas.alerts import LightCurves

NIGHT = 1.0
"""Days by which the episode reaches beyond its detections, so that undetected bands of the same night belong to it."""


@dataclass(frozen=True)
class Landmarks:
    """Indices into the flat arrays of `LightCurves`, -1 where there is no such point.

    Parameters
    ----------
    first_detection, last_detection : int64 array, shape (n_objects,)
    begin, end : int64 array, shape (n_objects,)
        The episode is ``begin:end``: points from 1 d before the first to 1 d after the last detection; all points of
        an object that has no detection.
    peak : int64 array, shape (n_objects,)
        The episode's point with the highest ratio of absolute flux to error, the earliest of equals.
    band_peak : int64 array, shape (n_objects, 6)
        The same for each band alone.
    """

    first_detection: Ints
    last_detection: Ints
    begin: Ints
    end: Ints
    peak: Ints
    band_peak: Ints


def landmarks(curves: LightCurves) -> Landmarks:
    """Find the landmarks of every light curve of a batch."""
    edges = np.full((len(curves), 4), -1, dtype=np.int64)
    peaks = np.full((len(curves), N_BANDS + 1), -1, dtype=np.int64)
    offsets, mjd, flux, flux_err, band, detected = flat(curves)
    _find_edges(offsets, mjd, detected, edges)
    first, last, begin, end = (frozen(column) for column in edges.T)
    _find_peaks(begin, end, flux, flux_err, band, peaks)
    return Landmarks(first, last, begin, end, frozen(peaks[:, N_BANDS]), frozen(peaks[:, :N_BANDS]))


@kernel
def _find_edges(offsets: Ints, mjd: Floats, detected: Flags, edges: Ints) -> None:
    for k in range(len(edges)):
        begin, end = offsets[k], offsets[k + 1]
        for i in range(offsets[k], offsets[k + 1]):
            if detected[i]:
                edges[k, 1] = i
                if edges[k, 0] < 0:
                    edges[k, 0] = i
        if edges[k, 0] >= 0:
            while mjd[begin] < mjd[edges[k, 0]] - NIGHT:
                begin += 1
            while mjd[end - 1] > mjd[edges[k, 1]] + NIGHT:
                end -= 1
        edges[k, 2], edges[k, 3] = begin, end


@kernel
def _find_peaks(begin: Ints, end: Ints, flux: Floats, flux_err: Floats, band: Bands, peaks: Ints) -> None:
    highest = np.empty(N_BANDS + 1)
    for k in range(len(peaks)):
        highest[:] = -1.0
        for i in range(begin[k], end[k]):
            snr = abs(flux[i]) / flux_err[i]
            for slot in (np.int64(band[i]), N_BANDS):
                if snr > highest[slot]:
                    highest[slot] = snr
                    peaks[k, slot] = i
