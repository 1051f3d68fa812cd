"""Simulated objects of every class beside the three real sets."""

from pathlib import Path

import pandas as pd

from training.realism.distances import Comparison, distances
from training.realism.light_curves import CURVE_STATISTICS, curve_statistics
from training.realism.real import all_objects, elasticc2_objects, hundred_objects
from training.shipped import shipped
from training.simulate.run import simulate_tables
from training.table_statistics import table_statistics


def compare_all(objects_a_class: int, seed: int, tables: Path | None = None) -> list[Comparison]:
    """The simulation beside the published statistics of all real objects, the 100 light curves, and ELAsTiCC2.

    Parameters
    ----------
    objects_a_class : simulated objects of each class.
    tables : see `real.all_objects`.
    """
    published = all_objects(tables)
    points, metadata = simulated_pool(objects_a_class, seed)
    about = metadata.set_index("object_id")[["target", "ddf", "cadence"]]
    curves = curve_statistics(points).join(about)
    computed = table_statistics(points, metadata["object_id"].to_numpy()).set_index("object_id").join(about)
    old = about["cadence"] == "plasticc"
    common = [name for name in published.columns if name in computed.columns and name not in about.columns]
    return [
        Comparison("7,848 real PLAsTiCC objects", distances(published, computed[old], common)),
        Comparison("100 real PLAsTiCC light curves", distances(hundred_objects(), curves[old], CURVE_STATISTICS)),
        Comparison("346 ELAsTiCC2 light curves", distances(elasticc2_objects(), curves[~old], CURVE_STATISTICS)),
    ]


def simulated_pool(objects_a_class: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points and metadata of as many simulated objects of every class."""
    points, metadata = [], []
    for at, target in enumerate(sorted(shipped("plasticc_metadata")["target"].unique())):
        curves, about = simulate_tables(objects_a_class, seed, target=int(target))
        points.append(curves.assign(object_id=curves["object_id"] + at * objects_a_class))
        metadata.append(about.assign(object_id=about["object_id"] + at * objects_a_class))
    return pd.concat(points, ignore_index=True), pd.concat(metadata, ignore_index=True)
