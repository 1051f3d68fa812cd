"""What whole light curves look like: numbers that need no published table."""

import numpy as np
import pandas as pd

CURVE_STATISTICS = (
    "points",
    "detections",
    "days_detected",
    "flux_max",
    "snr_max",
    "flux_err_median",
    "g_minus_r",
    "r_minus_i",
    "i_minus_z",
)


def curve_statistics(points: pd.DataFrame) -> pd.DataFrame:
    """What a whole light curve looks like, one row an object: `CURVE_STATISTICS`, fluxes of zero point 27.5.

    `days_detected` is the time between first and last detection; a colour is that of the bands' brightest detections
    within a night of each other, NaN where there are none.
    """
    points = points.assign(snr=points["flux"].abs() / points["flux_err"])
    found = points[points["detected"].astype(bool)]
    whole, seen = points.groupby("object_id"), found.groupby("object_id")
    table = pd.DataFrame(
        {
            "points": whole.size(),
            "detections": seen.size(),
            "days_detected": seen["mjd"].max() - seen["mjd"].min(),
            "flux_max": whole["flux"].max(),
            "snr_max": whole["snr"].max(),
            "flux_err_median": whole["flux_err"].median(),
        }
    )
    for blue, red in ((1, 2), (2, 3), (3, 4)):
        table[f"{'ugrizy'[blue]}_minus_{'ugrizy'[red]}"] = _colour(found, blue, red)
    return table


def _colour(found: pd.DataFrame, blue: int, red: int) -> pd.Series:
    """Magnitude difference at the brightest night (in the redder band) that detects both."""
    positive = found[(found["flux"] > 0) & found["passband"].isin([blue, red])]
    night = np.floor(positive["mjd"] - 0.16).rename("night")
    nightly = positive.groupby(["passband", "object_id", night])["flux"].mean()
    pairs = pd.DataFrame({"blue": nightly.get(blue), "red": nightly.get(red)}).dropna().sort_values("red")
    best = pairs.groupby("object_id").tail(1).droplevel("night")
    return best["blue"].div(best["red"]).map(np.log10).mul(-2.5)
