"""What each point of a light curve says for a class: the answer again without that point."""

import numpy as np
from numpy.typing import NDArray

from classifiers._rows import row_sum, safe_log
from classifiers.member import Member, MemberInput
from classifiers.sequences import MAX_POINTS, kept_points
from features.family import FeatureInput
from schemas.alerts import LightCurves


def support(given: FeatureInput, classes: NDArray[np.int64], member: Member) -> NDArray[np.float64]:
    """By how much the log-odds of a class, log(p / (1 - p)), fall when a point is left out.

    It is what the member would have answered had that visit not been: what follows from the point, like the time since
    the last one or the first detection, is without it too. Above 0, the point speaks for the class.

    Parameters
    ----------
    given : n light curves with points.
    classes : int64 array, shape (n,)
        Index of a class of the bundle for each.
    member : a member that reads light curves, like the recurrent one, and no features.

    Returns
    -------
    float64 array, shape (n_points,)
        NaN for a point that the member doesn't read (see `classifiers.sequences.thin`), and for an only one. A light
        curve's numbers depend on itself only, bit for bit.
    """
    found = np.full(len(given.curves.mjd), np.nan)
    read, _ = kept_points(given.curves, MAX_POINTS)
    whole = _log_odds(_answer(member, given), classes)
    for row in np.flatnonzero(given.curves.lengths > 1).tolist():
        points = read[given.curves.owner[read] == row]
        without = _answer(member, _without_each(given, row, points))
        found[points] = whole[row] - _log_odds(without, np.full(len(points), classes[row]))
    return found


def _answer(member: Member, given: FeatureInput) -> NDArray[np.float64]:
    return member.predict(MemberInput(np.zeros((len(given.curves), 0), np.float32), given)).probabilities


def _log_odds(probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    each, others = np.arange(len(classes)), probabilities.copy()
    others[each, classes] = 0.0  # their sum, since 1 - p would lose what is left where p is near 1
    return safe_log(probabilities[each, classes]) - safe_log(row_sum(others))


def _without_each(given: FeatureInput, row: int, points: NDArray[np.int64]) -> FeatureInput:
    """A light curve as often as there are points, each time without another one of them."""
    curves = given.curves
    start, n_left = curves.offsets[row], int(curves.lengths[row]) - 1
    left = np.arange(start, start + n_left)
    at = (left + (left >= points[:, None])).ravel()
    columns = (curves.mjd, curves.flux, curves.flux_err, curves.band, curves.detected)
    again = np.full(len(points), row)
    return FeatureInput(
        LightCurves(np.arange(len(points) + 1) * n_left, *(column[at] for column in columns)),
        given.host_photoz[again],
        given.host_photoz_err[again],
        given.milky_way_ebv[again],
    )
