"""What an annotation adds to a packet by plain arithmetic: galactic position and observing night."""

import numpy as np
from numpy.typing import NDArray

# Right ascension and declination of the axes of the galactic frame, as rows of the rotation from ICRS
# (ESA 1997, The Hipparcos and Tycho Catalogues, SP-1200, vol. 1, eq. 1.5.11).
GALACTIC_ROTATION = (
    (-0.0548755604162154, -0.8734370902348850, -0.4838350155487132),
    (+0.4941094278755837, -0.4448296299600112, +0.7469822444972189),
    (-0.8676661490190047, -0.1980763734312015, +0.4559837761750669),
)


def galactic(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Galactic longitude [deg, 0 to 360) and latitude [deg] of ICRS positions [deg].

    Written out term by term: a matrix product would round a row by the size of its batch.
    """
    lon, lat = np.radians(ra), np.radians(dec)
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    u, v, w = ((row[0] * x + row[1] * y) + row[2] * z for row in GALACTIC_ROTATION)
    return np.degrees(np.arctan2(v, u)) % 360.0, np.degrees(np.arcsin(np.clip(w, -1.0, 1.0)))


def night_of(mjd: NDArray[np.float64]) -> NDArray[np.int32]:
    """The observing night as yyyymmdd: the date 12 hours before, so that a night in Chile is one night.

    Parameters
    ----------
    mjd : float64 array
        MJD TAI [d].
    """
    days = np.floor(mjd - 0.5).astype("int64").astype("timedelta64[D]") + np.datetime64("1858-11-17", "D")
    year, month = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    parts = (
        year.astype("int64") + 1970,
        (month - year).astype("int64") + 1,
        (days - month).astype("int64") + 1,
    )
    return np.asarray(parts[0] * 10_000 + parts[1] * 100 + parts[2], dtype=np.int32)
