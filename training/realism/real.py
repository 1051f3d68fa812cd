"""The real objects that the simulation is held against, a table each."""

from pathlib import Path

import pandas as pd

from training.checked import TrainingTableError
from training.light_curves import elasticc2_tables
from training.realism.light_curves import curve_statistics
from training.shipped import shipped

TABLES = ("cesium_features_7848.parquet", "tsfresh_features_7848.parquet")
"""Published statistics of all 7,848 objects; `training.table_statistics` computes both anew."""


def all_objects(tables: Path | None) -> pd.DataFrame:
    """Published statistics of all 7,848 real objects, with `object_id`, `target` and `ddf`.

    Parameters
    ----------
    tables : folder of `TABLES`, or of one of them; the few that ship if None.

    Raises
    ------
    TrainingTableError
        If the folder has none of them.
    """
    about = shipped("plasticc_metadata")[["object_id", "target", "ddf"]]
    parts = [shipped("plasticc_statistics")] if tables is None else _read(tables)
    for part in parts:
        about = about.merge(part.drop(columns=["target", "ddf"], errors="ignore"), on="object_id")
    return about


def hundred_objects() -> pd.DataFrame:
    """`CURVE_STATISTICS` of the 100 real PLAsTiCC light curves that ship, with `target` and `ddf`."""
    about = shipped("plasticc_metadata").set_index("object_id")[["target", "ddf"]]
    return curve_statistics(shipped("plasticc_light_curves")).join(about)


def elasticc2_objects() -> pd.DataFrame:
    """The same of the ELAsTiCC2 light curves with two detections, all of the wide survey."""
    points, about = elasticc2_tables()
    found = curve_statistics(points).join(about.set_index("object_id")["target"]).assign(ddf=0)
    return found[found["detections"] > 1]


def _read(folder: Path) -> list[pd.DataFrame]:
    files = [folder / name for name in TABLES if (folder / name).is_file()]
    if not files:
        raise TrainingTableError(f"{folder} has none of {' and '.join(TABLES)}; one of them at least must be there")
    return [pd.read_parquet(file) for file in files]
