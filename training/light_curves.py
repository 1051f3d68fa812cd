"""Training light curves as `AlertBatch`: official PLAsTiCC tables, the real objects that ship, ELAsTiCC2's.

Fluxes change here, and nowhere else, from PLAsTiCC's zero point 27.5 to nJy (31.4).
"""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from classifiers.taxonomy import PLASTICC_TARGETS
from schemas.alerts import BANDS, SCHEMA, AlertBatch, LightCurves, light_curve_array
from training.checked import Checked
from training.shipped import shipped

NANOJANSKY = 10.0 ** (0.4 * (31.4 - 27.5))
"""nJy that a flux of 1 with zero point 27.5 stands for."""

FIRST_MJD = 59580.0
"""Where the time of the real light curves starts that are published relative to their first point."""

ELASTICC2_TARGETS = {"SNIb-Templates": 62, "KN_K17": 64, "Mdwarf-flare": 65}

DETECTED = 4096
"""The bit of SNANA's PHOTFLAG that marks a detection."""

NAMES = ("the table of points", "the table of metadata")
"""What errors call tables that are no files."""

_POINT_COLUMNS = ("object_id", "mjd", "passband", "flux", "flux_err", "detected")
_METADATA_COLUMNS = ("object_id", "ra", "decl", "hostgal_photoz", "hostgal_photoz_err", "mwebv")


def alerts_from_plasticc(
    points: pd.DataFrame, metadata: pd.DataFrame, names: tuple[str, str] = NAMES
) -> tuple[AlertBatch, NDArray[np.int64]]:
    """Whole light curves from tables in the official PLAsTiCC columns.

    Parameters
    ----------
    points : ``object_id, mjd, passband, flux, flux_err, detected`` (or ``detected_bool``), in any order.
    metadata : one row an object: ``object_id, ra, decl, hostgal_photoz, hostgal_photoz_err, mwebv, target`` at least.
    names : what errors call the two: the names of their files.

    Returns
    -------
    alerts : one row an object in the order of `metadata`; the alert is its last detection (its last point where
        nothing is detected). A photo-z of 0 stays 0: PLAsTiCC's mark of objects inside the Milky Way.
    targets : PLAsTiCC classes, shape (n_objects,).

    Raises
    ------
    TrainingTableError
        If a column is missing, an object has no points or not one row of metadata, a class isn't one of PLAsTiCC's
        training set, or a value can't be right; with the table, the row (the header is row 1) and the column.
    """
    _check_classes(Checked(metadata, names[1]))
    return alerts_to_classify(points, metadata, names), metadata["target"].to_numpy(np.int64)


def alerts_to_classify(points: pd.DataFrame, metadata: pd.DataFrame, names: tuple[str, str] = NAMES) -> AlertBatch:
    """The same of objects whose class nobody knows: `metadata` needs no ``target``."""
    points = points.rename(columns={"detected_bool": "detected"})
    checked_points, checked_metadata = Checked(points, names[0]), Checked(metadata, names[1])
    _check_metadata(checked_metadata)
    _check_points(checked_points)
    row = _rows_of(checked_points, checked_metadata)
    curves = flat_curves(points, row, len(metadata), NANOJANSKY)
    return assemble(curves, metadata)


def flat_curves(points: pd.DataFrame, row: NDArray[np.intp], objects: int, unit: float) -> LightCurves:
    """Points as light curves, by time and then band.

    Parameters
    ----------
    points : ``mjd, passband, flux, flux_err, detected``.
    row : shape (n_points,), the object of each point.
    objects : how many there are.
    unit : nJy that a flux of 1 stands for.
    """
    order = np.lexsort((points["passband"].to_numpy(), points["mjd"].to_numpy(np.float64), row))
    points, counts = points.iloc[order], np.bincount(row, minlength=objects)
    return LightCurves(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        mjd=points["mjd"].to_numpy(np.float64),
        flux=points["flux"].to_numpy(np.float64) * unit,
        flux_err=points["flux_err"].to_numpy(np.float64) * unit,
        band=points["passband"].to_numpy(np.uint8),
        detected=points["detected"].to_numpy().astype(np.bool_),
    )


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


def _check_metadata(metadata: Checked) -> None:
    metadata.need(_METADATA_COLUMNS)
    metadata.refuse(metadata.frame["object_id"].duplicated().to_numpy(), "object_id", "stands twice")
    metadata.refuse_unless_finite(("ra", "decl"))


def _check_classes(metadata: Checked) -> None:
    metadata.need(("object_id", "target"))
    known = metadata.frame["target"].isin(PLASTICC_TARGETS).to_numpy()
    metadata.refuse(~known, "target", f"isn't a class of the training set: {', '.join(map(str, PLASTICC_TARGETS))}")


def _check_points(points: Checked) -> None:
    points.need(_POINT_COLUMNS)
    points.refuse_unless_finite(("mjd", "flux", "flux_err"))
    points.refuse((points.frame["flux_err"] <= 0).to_numpy(), "flux_err", "isn't above 0")
    passband = points.frame["passband"]
    points.refuse(~passband.isin(range(len(BANDS))).to_numpy(), "passband", "isn't one of 0 to 5 (ugrizy)")


def _rows_of(points: Checked, metadata: Checked) -> NDArray[np.intp]:
    """The row of the metadata that each point belongs to; each has points."""
    ids = pd.Index(metadata.frame["object_id"])
    row: NDArray[np.intp] = ids.get_indexer(pd.Index(points.frame["object_id"]))
    points.refuse(row < 0, "object_id", f"has no row in {metadata.name}")
    empty = np.bincount(row, minlength=len(ids)) == 0
    metadata.refuse(empty, "object_id", f"has no points in {points.name}")
    return row
