"""How far the simulation is from the real light curves: medians and Kolmogorov-Smirnov distances, class by class.

``python -m training.simulate.realism`` compares it with three sets that ship: the per-band statistics of all 7,848
real PLAsTiCC objects, the 100 real PLAsTiCC light curves, and the 346 light curves of ELAsTiCC2.
"""

from collections.abc import Iterable
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.stats import ks_2samp

from training.light_curves import elasticc2_tables
from training.shipped import shipped
from training.simulate.run import simulate_tables

FEWEST = 5
"""Real objects of a class, in a field, below which no distance is given."""

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
BAND_STATISTICS = tuple(f"{name}_{band}" for name in ("maximum", "minimum", "std") for band in "ugrizy")


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


def band_statistics(points: pd.DataFrame) -> pd.DataFrame:
    """`BAND_STATISTICS` of each object: extremes and standard deviation (of the population) of a band's fluxes."""
    per_band = points.groupby(["object_id", "passband"])["flux"]
    parts = {"maximum": per_band.max(), "minimum": per_band.min(), "std": per_band.std(ddof=0)}
    columns = {
        f"{name}_{band}": values.xs(number, level="passband")
        for name, values in parts.items()
        for number, band in enumerate("ugrizy")
    }
    return pd.DataFrame(columns)


def distances(real: pd.DataFrame, simulated: pd.DataFrame, by: list[str], statistics: Iterable[str]) -> pd.DataFrame:
    """One row a group and statistic: sizes, medians and the KS distance of real and simulated objects.

    Parameters
    ----------
    real, simulated : a row an object, with the columns `by` and `statistics`.
    """
    rows = []
    for key, ours in simulated.groupby(by):
        theirs = real[(real[by] == list(key)).all(axis=1)]
        if len(theirs) >= FEWEST:
            rows += [dict(zip(by, key, strict=True)) | row for row in _compare(theirs, ours, statistics)]
    return pd.DataFrame(rows)


def all_real_statistics() -> pd.DataFrame:
    """The per-band statistics of all 7,848 real objects, named as in `BAND_STATISTICS`."""
    table = shipped("plasticc_statistics").merge(shipped("plasticc_metadata")[["object_id", "target", "ddf"]])
    bands = {
        f"{name}__{number}": f"{name}_{band}"
        for name in ("maximum", "minimum", "std")
        for number, band in enumerate("ugrizy")
    }
    return table.rename(columns=bands)


def simulated_pool(objects_a_class: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points and metadata of as many simulated objects of every class."""
    points, metadata = [], []
    for at, target in enumerate(sorted(shipped("plasticc_metadata")["target"].unique())):
        curves, about = simulate_tables(objects_a_class, seed, target=int(target))
        points.append(curves.assign(object_id=curves["object_id"] + at * objects_a_class))
        metadata.append(about.assign(object_id=about["object_id"] + at * objects_a_class))
    return pd.concat(points, ignore_index=True), pd.concat(metadata, ignore_index=True)


def compare_all(objects_a_class: int, seed: int) -> dict[str, pd.DataFrame]:
    """The three comparisons, by name, each as `distances` gives it."""
    points, metadata = simulated_pool(objects_a_class, seed)
    about = metadata.set_index("object_id")[["target", "ddf", "cadence"]]
    curves, bands = curve_statistics(points).join(about), band_statistics(points).join(about)
    old, new = curves["cadence"] == "plasticc", curves["cadence"] == "elasticc2"
    hundred = curve_statistics(shipped("plasticc_light_curves")).join(
        shipped("plasticc_metadata").set_index("object_id")[["target", "ddf"]]
    )
    other_points, others = elasticc2_tables()
    elasticc2 = curve_statistics(other_points).join(others.set_index("object_id")["target"])
    elasticc2 = elasticc2[elasticc2["detections"] > 1]
    return {
        "7,848 real PLAsTiCC objects": distances(all_real_statistics(), bands[old], ["target", "ddf"], BAND_STATISTICS),
        "100 real PLAsTiCC light curves": distances(hundred, curves[old], ["target", "ddf"], CURVE_STATISTICS),
        "346 ELAsTiCC2 light curves": distances(elasticc2, curves[new], ["target"], CURVE_STATISTICS),
    }


def _colour(found: pd.DataFrame, blue: int, red: int) -> pd.Series:
    """Magnitude difference at the brightest night (in the redder band) that detects both."""
    positive = found[(found["flux"] > 0) & found["passband"].isin([blue, red])]
    night = np.floor(positive["mjd"] - 0.16).rename("night")
    nightly = positive.groupby(["passband", "object_id", night])["flux"].mean()
    pairs = pd.DataFrame({"blue": nightly.get(blue), "red": nightly.get(red)}).dropna().sort_values("red")
    best = pairs.groupby("object_id").tail(1).droplevel("night")
    return best["blue"].div(best["red"]).map(np.log10).mul(-2.5)


def _compare(real: pd.DataFrame, simulated: pd.DataFrame, statistics: Iterable[str]) -> list[dict[str, object]]:
    rows = []
    for name in statistics:
        one, other = real[name].dropna(), simulated[name].dropna()
        if min(len(one), len(other)) >= FEWEST:
            rows.append(
                {
                    "statistic": name,
                    "real": len(one),
                    "simulated": len(other),
                    "median_real": one.median(),
                    "median_simulated": other.median(),
                    "ks": float(ks_2samp(one, other).statistic),
                }
            )
    return rows


def main(
    objects: Annotated[int, typer.Option(min=20, help="Simulated objects of each class.")] = 400,
    seed: Annotated[int, typer.Option(help="Same seed, same table.")] = 7,
) -> None:
    """Print how far the simulation is from the real light curves."""
    for name, table in compare_all(objects, seed).items():
        typer.echo(f"\n{name}")
        typer.echo(table.round(3).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
