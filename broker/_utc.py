"""From MJD TAI to the time that computers keep."""

import numpy as np
from numpy.typing import NDArray

_UNIX_EPOCH_MJD = 40587.0
_SECONDS_PER_DAY = 86_400.0

_LEAPS = (
    (51179, 32), (53736, 33), (54832, 34), (56109, 35), (57204, 36), (57754, 37),
)  # fmt: skip
"""From this MJD UTC on TAI is so many seconds ahead (IERS Bulletin C). The newest leap second ended 2016."""

_TAI_MINUS_UTC = np.array([seconds for _, seconds in _LEAPS], dtype=np.float64)
_FROM_MJD_TAI = np.array([mjd for mjd, _ in _LEAPS]) + _TAI_MINUS_UTC / _SECONDS_PER_DAY


def unix_seconds(mjd_tai: NDArray[np.float64]) -> NDArray[np.float64]:
    """MJD TAI [d] as seconds since 1970, UTC; right for times since 1999."""
    leap = np.searchsorted(_FROM_MJD_TAI, mjd_tai, side="right") - 1
    seconds: NDArray[np.float64] = (mjd_tai - _UNIX_EPOCH_MJD) * _SECONDS_PER_DAY - _TAI_MINUS_UTC[np.maximum(leap, 0)]
    return seconds
