"""Many objects at once, each from a random generator of its own."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from schemas.alerts import AlertBatch
from training.light_curves import alerts_from_plasticc
from training.simulate.draw import simulate_object
from training.simulate.tables import metadata_table, point_table


def simulate(
    n: int, seed: int, *, balance: float = 0.0, target: int | None = None, progress: bool = False
) -> tuple[AlertBatch, NDArray[np.int64], pd.DataFrame]:
    """Simulated light curves, ready for training.

    Parameters
    ----------
    n : number of objects.
    seed : object `k` depends on (seed, k) and the two options below alone, not on n.
    balance : 0 draws classes as often as PLAsTiCC's training set has them, 1 draws all equally often.
    target : draw this PLAsTiCC class only.
    progress : show a progress bar.

    Returns
    -------
    alerts : AlertBatch of n whole light curves [nJy], survey ``plasticc``.
    targets : PLAsTiCC classes, shape (n,).
    metadata : the columns of `tables.metadata_table`; `parent_id` groups folds.

    Raises
    ------
    SimulationError
        If a class is never detected.
    """
    points, metadata = simulate_tables(n, seed, balance=balance, target=target, progress=progress)
    alerts, targets = alerts_from_plasticc(points, metadata)
    return alerts, targets, metadata


def simulate_tables(
    n: int, seed: int, *, balance: float = 0.0, target: int | None = None, progress: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same objects as the official pair of tables: points and metadata, fluxes of zero point 27.5."""
    objects = [
        simulate_object(np.random.default_rng([seed, key]), balance, target) for key in _counted(n, show=progress)
    ]
    return point_table(objects), metadata_table(objects)


def _counted(n: int, *, show: bool) -> Iterable[int]:
    if not show:
        return range(n)
    from rich.progress import track

    return track(range(n), description="simulating")
