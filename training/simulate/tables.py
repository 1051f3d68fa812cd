"""Simulated objects as the two tables of the official PLAsTiCC training set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from training.simulate.draw import Observed

POINT_COLUMNS = ("object_id", "mjd", "passband", "flux", "flux_err", "detected")
METADATA_COLUMNS = (
    "object_id",
    "ra",
    "decl",
    "gal_l",
    "gal_b",
    "ddf",
    "hostgal_specz",
    "hostgal_photoz",
    "hostgal_photoz_err",
    "distmod",
    "mwebv",
    "target",
)
"""The columns of the official `training_set_metadata.csv`; what `metadata_table` adds is truth."""


def point_table(objects: Sequence[Observed]) -> pd.DataFrame:
    """The points of all objects in the official columns: MJD, passband 0 to 5, fluxes of zero point 27.5.

    `object_id` counts the objects from 0.
    """
    columns = {
        "object_id": np.repeat(np.arange(len(objects)), [len(seen.flux) for seen in objects]),
        "mjd": np.concatenate([seen.visits.mjd for seen in objects]),
        "passband": np.concatenate([seen.visits.band for seen in objects]),
        "flux": np.concatenate([seen.flux for seen in objects]),
        "flux_err": np.concatenate([seen.flux_err for seen in objects]),
        "detected": np.concatenate([seen.detected for seen in objects]).astype(np.uint8),
    }
    return pd.DataFrame(columns)[list(POINT_COLUMNS)]


def metadata_table(objects: Sequence[Observed]) -> pd.DataFrame:
    """One row an object: the official columns, then the truth.

    `parent_id` (the real object it was drawn after), `true_peakmjd`, `cadence` (the library its visits come from).
    """
    return pd.DataFrame([_metadata(key, seen) for key, seen in enumerate(objects)])


def _metadata(key: int, seen: Observed) -> dict[str, object]:
    drawn, source = seen.drawn, seen.drawn.source
    return {
        "object_id": key,
        "ra": drawn.ra,
        "decl": drawn.dec,
        "gal_l": drawn.gal_l,
        "gal_b": drawn.gal_b,
        "ddf": int(drawn.deep),
        "hostgal_specz": source.redshift,
        "hostgal_photoz": drawn.photoz,
        "hostgal_photoz_err": drawn.photoz_err,
        "distmod": drawn.photoz_distmod,
        "mwebv": source.milky_way_ebv,
        "target": drawn.target,
        "parent_id": drawn.parent,
        "true_peakmjd": source.peak_mjd,
        "cadence": seen.visits.library,
    }
