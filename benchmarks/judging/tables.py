"""The published statistics of all 7,848 PLAsTiCC training objects as a table to learn from.

Their light curves can't ship; these tables are public (LSSTDESC/plasticc-kit, and a popular entry of the challenge).
What is added to them is what an astronomer would ask next: colours, luminosities, shapes.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifiers.taxonomy import PLASTICC_TARGETS
from schemas.alerts import BANDS
from training.examples import class_index
from training.scores import TWICE
from training.simulate.bands import ZERO_POINT
from training.simulate.cosmology import distance_modulus
from training.table_statistics import table_statistics

Array = NDArray[np.float64]

FILES = (
    "plasticc/training_set_metadata.csv",
    "plasticc/cesium_features_7848.parquet",
    "plasticc/tsfresh_features_7848.parquet",
)
HOST = ("ddf", "hostgal_photoz", "hostgal_photoz_err", "mwebv")
WEIGHTS = np.array([2.0 if target in TWICE else 1.0 for target in PLASTICC_TARGETS])
"""Of the challenge's score: tidal disruptions and kilonovae count twice."""

SOFT = 2.0
"""Fluxes are compared as asinh(flux / SOFT): nearly a logarithm of bright ones, and harmless for negative ones."""

NEAREST = 1e-3
"""Photo-z of the nearest objects whose distance is asked for."""

COLOURS = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 2), (1, 3), (1, 4), (2, 4), (3, 5))
COMPARED = ("maximum", "minimum", "std", "amplitude", "weighted_average")


@dataclass(frozen=True)
class Table:
    """Columns of objects, and their classes.

    Parameters
    ----------
    columns : a row an object.
    objects : ids, shape (n,)
    labels : class indices, shape (n,)
    galactic : shape (n,), whether the photo-z is 0, which marks what lies in the Milky Way.
    """

    columns: pd.DataFrame
    objects: NDArray[np.int64]
    labels: NDArray[np.int64]
    galactic: NDArray[np.bool_]

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """The columns side by side, shape (n, n_columns)."""
        return self.columns.to_numpy(np.float32)

    def where(self, keep: NDArray[np.bool_]) -> "Table":
        """The objects where `keep`, shape (n,), is true."""
        return Table(self.columns[keep], self.objects[keep], self.labels[keep], self.galactic[keep])

    def only(self, names: list[str]) -> "Table":
        """The same objects with some of the columns."""
        return replace(self, columns=self.columns[names])


def published(data: Path) -> Table:
    """The tables of the real objects."""
    metadata, cesium, others = (
        pd.read_csv(data / FILES[0]),
        pd.read_parquet(data / FILES[1]).drop(columns=["mwebv__", "z__", "zerr__"]),
        pd.read_parquet(data / FILES[2]).drop(columns=["hostgal_photoz", "hostgal_photoz_err", "mwebv", "target"]),
    )
    joined = metadata[["object_id", "target", *HOST]].merge(cesium, on="object_id").merge(others, on="object_id")
    return _table(joined)


def computed(points: pd.DataFrame, metadata: pd.DataFrame) -> Table:
    """The same of other light curves, in the official columns: simulated ones."""
    statistics = table_statistics(points, metadata["object_id"].to_numpy(np.int64))
    return _table(metadata[["object_id", "target", *HOST]].merge(statistics, on="object_id"))


def _table(joined: pd.DataFrame) -> Table:
    columns = joined.drop(columns=["object_id", "target"])
    columns = pd.concat([columns, pd.DataFrame(_derived(columns))], axis=1)
    columns = columns.astype("float32").replace([np.inf, -np.inf], np.nan)
    objects, targets = (joined[name].to_numpy(np.int64) for name in ("object_id", "target"))
    galactic = (joined["hostgal_photoz"] == 0).to_numpy()
    return Table(columns[sorted(columns.columns)], objects, class_index(targets), galactic)


def _derived(of: pd.DataFrame) -> dict[str, Array]:
    photoz = of["hostgal_photoz"].to_numpy(np.float64)
    modulus = np.where(photoz > 0.0, distance_modulus(np.maximum(photoz, NEAREST)), np.nan)
    derived = {
        "distance_modulus": modulus,
        "absolute_magnitude": _magnitude(of["flux_max"]) - modulus,
        "duration_rest": (of["mjd_diff_det"] / (1.0 + of["hostgal_photoz"])).to_numpy(),
        "signal": np.log(of["flux_ratio_sq_sum"].to_numpy()),
        "photoz_err_relative": (of["hostgal_photoz_err"] / (of["hostgal_photoz"] + 0.01)).to_numpy(),
        "detected_days": (of["detected_mean"] * of["mjd_diff_det"]).to_numpy(),
    }
    for band in range(len(BANDS)):
        derived |= _shape(of, band, modulus)
    for blue, red in COLOURS:
        for name in COMPARED:
            one, other = (of[f"{name}__{band}"].to_numpy() for band in (blue, red))
            derived[f"{name}_{blue}{red}"] = np.arcsinh(one / SOFT) - np.arcsinh(other / SOFT)
            if red == blue + 1:
                derived[f"{name}_share_{blue}{red}"] = (one - other) / (np.abs(one) + np.abs(other))
    return derived


def _shape(of: pd.DataFrame, band: int, modulus: Array) -> dict[str, Array]:
    names = ("maximum", "minimum", "median", "std", "weighted_average", "median_absolute_deviation")
    maximum, minimum, median, std, average, deviation = (of[f"{name}__{band}"].to_numpy() for name in names)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            f"absolute_magnitude__{band}": _magnitude(maximum) - modulus,
            f"asymmetry__{band}": (maximum - median) / (maximum - minimum),
            f"range_std__{band}": (maximum - minimum) / std,
            f"minimum_maximum__{band}": minimum / maximum,
            f"deviation_std__{band}": deviation / std,
            f"average_range__{band}": average / (maximum - minimum),
            f"maximum_share__{band}": maximum / sum(of[f"maximum__{other}"].abs().to_numpy() for other in range(6)),
            f"std_share__{band}": std / sum(of[f"std__{other}"].to_numpy() for other in range(6)),
        }


def _magnitude(flux: Array | pd.Series) -> Array:
    return ZERO_POINT - 2.5 * np.log10(np.maximum(np.asarray(flux, np.float64), 1.0))
