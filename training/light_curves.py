"""Training light curves as `AlertBatch`: official PLAsTiCC tables, the real objects that ship, ELAsTiCC2's.

Fluxes change here, and nowhere else, from PLAsTiCC's zero point 27.5 to nJy (31.4).
"""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from schemas.alerts import BANDS, SCHEMA, AlertBatch, LightCurves, light_curve_array
from training.shipped import shipped

NANOJANSKY = 10.0 ** (0.4 * (31.4 - 27.5))
"""nJy that a flux of 1 with zero point 27.5 stands for."""

FIRST_MJD = 59580.0
"""Where the time of the real light curves starts that are published relative to their first point."""

ELASTICC2_TARGETS = {"SNIb-Templates": 62, "KN_K17": 64, "Mdwarf-flare": 65}

DETECTED = 4096
"""The bit of SNANA's PHOTFLAG that marks a detection."""

_POINT_COLUMNS = ("object_id", "mjd", "passband", "flux", "flux_err", "detected")
_METADATA_COLUMNS = ("object_id", "ra", "decl", "hostgal_photoz", "hostgal_photoz_err", "mwebv", "target")


class TrainingTableError(ValueError):
    """A table that isn't what the official files hold; says which column or object breaks which rule."""


def alerts_from_plasticc(points: pd.DataFrame, metadata: pd.DataFrame) -> tuple[AlertBatch, NDArray[np.int64]]:
    """Whole light curves from tables in the official PLAsTiCC columns.

    Parameters
    ----------
    points : ``object_id, mjd, passband, flux, flux_err, detected`` (or ``detected_bool``), in any order.
    metadata : one row an object: ``object_id, ra, decl, hostgal_photoz, hostgal_photoz_err, mwebv, target`` at least.

    Returns
    -------
    alerts : one row an object in the order of `metadata`; the alert is its last detection (its last point where
        nothing is detected). A photo-z of 0 stays 0: PLAsTiCC's mark of objects inside the Milky Way.
    targets : PLAsTiCC classes, shape (n_objects,).

    Raises
    ------
    TrainingTableError
        If a column is missing, an object has no points or not one row of metadata, or a value isn't finite.
    """
    points = points.rename(columns={"detected_bool": "detected"})
    _check_columns(points, _POINT_COLUMNS, "points")
    _check_columns(metadata, _METADATA_COLUMNS, "metadata")
    twice = metadata["object_id"][metadata["object_id"].duplicated()]
    if len(twice):
        raise TrainingTableError(f"object {twice.iloc[0]} stands twice in the metadata")
    row = pd.Index(metadata["object_id"]).get_indexer(pd.Index(points["object_id"]))
    _check_points(points, row, metadata)
    order = np.lexsort((points["passband"].to_numpy(), points["mjd"].to_numpy(np.float64), row))
    points, counts = points.iloc[order], np.bincount(row, minlength=len(metadata))
    curves = LightCurves(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        mjd=points["mjd"].to_numpy(np.float64),
        flux=points["flux"].to_numpy(np.float64) * NANOJANSKY,
        flux_err=points["flux_err"].to_numpy(np.float64) * NANOJANSKY,
        band=points["passband"].to_numpy(np.uint8),
        detected=points["detected"].to_numpy().astype(np.bool_),
    )
    return assemble(curves, metadata), metadata["target"].to_numpy(np.int64)


def real_plasticc() -> tuple[AlertBatch, NDArray[np.int64]]:
    """The 100 real PLAsTiCC light curves that ship, and their classes."""
    points = shipped("plasticc_light_curves").copy()
    points["mjd"] += np.where(points["mjd_is_relative"], FIRST_MJD, 0.0)
    metadata = shipped("plasticc_metadata")
    chosen = metadata[metadata["object_id"].isin(points["object_id"])].reset_index(drop=True)
    return alerts_from_plasticc(points, chosen)


def real_elasticc2() -> tuple[AlertBatch, NDArray[np.int64]]:
    """The 346 ELAsTiCC2 light curves that ship (another group's simulation), classes as PLAsTiCC targets."""
    return alerts_from_plasticc(*elasticc2_tables())


def elasticc2_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ELAsTiCC2 objects in the official PLAsTiCC columns."""
    photometry = shipped("elasticc2_photometry")
    points = photometry.rename(columns={"snid": "object_id", "fluxcal": "flux", "fluxcalerr": "flux_err"})
    points = points.assign(detected=(points["photflag"] & DETECTED) > 0)
    objects = shipped("elasticc2_objects").rename(columns={"snid": "object_id", "dec": "decl"})
    return points, objects.assign(target=objects["model"].map(ELASTICC2_TARGETS))


def assemble(curves: LightCurves, metadata: pd.DataFrame) -> AlertBatch:
    """An `AlertBatch` of survey ``plasticc`` from flat light curves [nJy] and the official metadata columns."""
    at = alert_points(curves)
    ids = pa.array(metadata["object_id"].to_numpy(np.int64))
    known = {
        "survey": pa.repeat("plasticc", len(curves)),
        "schema_version": pa.repeat("plasticc", len(curves)),
        "alert_id": ids,
        "source_id": ids,
        "object_id": ids.cast(pa.utf8()),
        "ra": _numbers(metadata["ra"]),
        "dec": _numbers(metadata["decl"]),
        "host_photoz": _numbers(metadata["hostgal_photoz"]),
        "host_photoz_err": _numbers(metadata["hostgal_photoz_err"]),
        "milky_way_ebv": _numbers(metadata["mwebv"]),
        "is_solar_system": pa.repeat(False, len(curves)),
        "n_dropped_points": pa.repeat(pa.scalar(0, pa.int32()), len(curves)),
        "light_curve": light_curve_array(curves),
        **_triggers(curves, at),
    }
    columns = [known.get(field.name, pa.nulls(len(curves), field.type)) for field in SCHEMA]
    return AlertBatch(pa.table(columns, schema=SCHEMA))


def replace_curves(alerts: AlertBatch, curves: LightCurves) -> AlertBatch:
    """The same objects with other light curves; the alert is again the last detection."""
    table = alerts.table
    for name, column in (*_triggers(curves, alert_points(curves)).items(), ("light_curve", light_curve_array(curves))):
        table = table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), column)
    return AlertBatch(table)


def alert_points(curves: LightCurves) -> NDArray[np.int64]:
    """The point of each object that is its alert: the last detection, else the last point."""
    last = np.full(len(curves), -1, dtype=np.int64)
    detections = np.flatnonzero(curves.detected)
    last[curves.owner[detections]] = detections
    return np.where(last >= 0, last, curves.offsets[1:] - 1)


def _triggers(curves: LightCurves, at: NDArray[np.int64]) -> dict[str, pa.Array]:
    """The columns of an alert that describe its triggering point."""
    return {
        "mjd": pa.array(curves.mjd[at]),
        "band": pa.array(np.array(BANDS)[curves.band[at]], pa.utf8()),
        "flux": pa.array(curves.flux[at]),
        "flux_err": pa.array(curves.flux_err[at]),
        "snr": pa.array(curves.flux[at] / curves.flux_err[at]),
    }


def _numbers(values: pd.Series) -> pa.Array:
    """A float column, null where NaN."""
    return pa.array(values.to_numpy(np.float64), from_pandas=True)


def _check_columns(table: pd.DataFrame, wanted: tuple[str, ...], name: str) -> None:
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise TrainingTableError(
            f"the {name} table has no column {', '.join(missing)}; it has {', '.join(table.columns)}"
        )


def _check_points(points: pd.DataFrame, row: NDArray[np.intp], metadata: pd.DataFrame) -> None:
    """Each point's object is known, each object has points, each number is one."""
    ids = points["object_id"].to_numpy()
    if (row < 0).any():
        raise TrainingTableError(f"the points of object {ids[row < 0][0]} have no row in the metadata")
    empty = np.setdiff1d(np.arange(len(metadata)), row)
    if len(empty):
        raise TrainingTableError(f"object {metadata['object_id'].iloc[empty[0]]} has no points")
    for name in ("mjd", "flux", "flux_err"):
        bad = ~np.isfinite(points[name].to_numpy(np.float64))
        if bad.any():
            raise TrainingTableError(f"object {ids[bad][0]} has a point whose {name} isn't a finite number")
    if (points["flux_err"].to_numpy() <= 0).any():
        raise TrainingTableError(
            f"object {ids[points['flux_err'].to_numpy() <= 0][0]} has a flux_err that isn't above 0"
        )
    if (points["passband"].to_numpy() >= len(BANDS)).any() or (points["passband"].to_numpy() < 0).any():
        raise TrainingTableError("a passband outside 0 to 5 (ugrizy)")
