"""Brightness at wavelengths of the rest frame, read between the bands by the photo-z."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.judging.tables import SOFT, Table
from schemas.alerts import BANDS

Array = NDArray[np.float64]

EFFECTIVE = np.array([368.0, 480.0, 622.0, 755.0, 869.0, 971.0])
"""Wavelengths of the bands [nm]."""

WANTED = (300.0, 380.0, 460.0, 560.0, 680.0)
"""Wavelengths in the rest frame [nm]."""

BEYOND = 60.0
"""So far beyond the outer bands [nm] a line through the last two is drawn on."""

OF = ("maximum", "std", "weighted_average")
MAGNITUDES = 2.5 / np.log(10.0)


def with_rest_frame(table: Table) -> Table:
    """The table, with colours and luminosities of the rest frame; NaN where no band reaches, and in the Milky Way."""
    columns = table.columns
    photoz = columns["hostgal_photoz"].to_numpy(np.float64)
    found: dict[str, Array] = {}
    for name in OF:
        by_band = np.stack(
            [np.arcsinh(columns[f"{name}__{band}"].to_numpy(np.float64) / SOFT) for band in range(len(BANDS))], 1
        )
        at = {wanted: between(by_band, wanted * (1.0 + photoz), photoz > 0.0) for wanted in WANTED}
        found |= {f"rest_{name}_{one:.0f}_{other:.0f}": at[one] - at[other] for one, other in combinations(WANTED, 2)}
        if name == "maximum":
            modulus = columns["distance_modulus"].to_numpy(np.float64)
            found |= {f"rest_magnitude_{wanted:.0f}": -MAGNITUDES * value - modulus for wanted, value in at.items()}
    added = pd.DataFrame(found, index=columns.index, dtype=np.float32)
    return replace(table, columns=pd.concat([columns, added], axis=1))


def between(by_band: Array, wavelength: Array, known: NDArray[np.bool_]) -> Array:
    """Values at observed wavelengths, on the line between the two bands around each, shape (n,).

    Parameters
    ----------
    by_band : shape (n, 6)
    wavelength : [nm], shape (n,)
    known : shape (n,), whether the wavelength is.
    """
    rows, left = np.arange(len(wavelength)), np.clip(np.searchsorted(EFFECTIVE, wavelength) - 1, 0, len(EFFECTIVE) - 2)
    share = (wavelength - EFFECTIVE[left]) / np.diff(EFFECTIVE)[left]
    value = by_band[rows, left] * (1.0 - share) + by_band[rows, left + 1] * share
    reached = (wavelength > EFFECTIVE[0] - BEYOND) & (wavelength < EFFECTIVE[-1] + BEYOND)
    return np.where(known & reached, value, np.nan)
