"""From decoded alerts and their classification to annotation columns."""

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker._derive import galactic, night_of
from classifiers.bundle import Bundle
from classifiers.manifest import Manifest
from classifiers.predict import Prediction, feature_array
from classifiers.taxonomy import BY_ID, NOT_CLASSIFIED, TAXONOMY, ClassNode, descendants
from features.extract import catalogue, code_hash
from schemas.alerts import FLAGS, AlertBatch
from schemas.annotation import CLASSIFICATION, EXPLANATION, PROVENANCE, annotation_schema, camel_case, column

BROKER_NAME = "Boreal"
TYPES = {field.name: field.type for field in PROVENANCE}


def class_fields(manifest: Manifest) -> list[pa.Field]:
    """A field per probability column: each class of the bundle, and each group of classes above them."""
    known = {node.id for node in manifest.classes}
    return [
        column(node.column, pa.float64(), "", f"probability of {node.name}")
        for node in TAXONOMY
        if node.column and descendants(node.id) & known
    ]


def schema_for(manifest: Manifest, *, explained: bool = False) -> pa.Schema:
    """The annotation schema of alerts classified by a bundle; also what a filter's condition may use.

    Parameters
    ----------
    explained : with the column that says why.
    """
    by_name = {feature.name: feature for feature in catalogue()}
    features = [column(name, pa.float32(), by_name[name].unit, by_name[name].meaning) for name in manifest.features]
    schema = annotation_schema(class_fields(manifest), features)
    return schema.append(EXPLANATION) if explained else schema


def annotate(
    alerts: AlertBatch,
    origins: pa.Array,
    features: pa.Table,
    prediction: Prediction,
    bundle: Bundle,
    explanation: pa.Array | None = None,
) -> pa.Table:
    """Annotation columns, in the schema of `schema_for`, with no filter matched yet; rows in the order of `alerts`."""
    columns = {
        **_identity(alerts),
        **_measurement(alerts),
        **verdict(prediction, bundle.classes),
        **_feature_columns(features, bundle),
        **_provenance(alerts, origins, bundle),
        EXPLANATION.name: explanation,
    }
    schema = _schema_of(bundle, explanation is not None)
    return pa.table([columns[name] for name in schema.names], schema=schema)


@lru_cache(maxsize=4)
def _schema_of(bundle: Bundle, explained: bool) -> pa.Schema:
    """`schema_for`, made once per bundle and not per batch."""
    return schema_for(bundle.manifest, explained=explained)


def _null_where_nan(values: NDArray[np.float64]) -> pa.Array:
    return _columns(values[None, :])[0]


def _columns(values: NDArray[Any]) -> list[pa.Array]:
    """The rows of an array, shape (n_columns, n), each as a column with null for NaN.

    There are hundreds and each call costs microseconds: what is left to do one by one is to point into two arrays.
    """
    values = np.ascontiguousarray(values)
    unknown = np.isnan(values)
    known = np.packbits(~unknown, axis=1, bitorder="little")
    kind, n = pa.from_numpy_dtype(values.dtype), values.shape[1]
    return [
        pa.Array.from_buffers(kind, n, [pa.py_buffer(bits) if n_null else None, pa.py_buffer(row)], n_null)
        for bits, row, n_null in zip(known, values, unknown.sum(axis=1).tolist(), strict=True)
    ]


def _identity(alerts: AlertBatch) -> dict[str, pa.Array | pa.ChunkedArray]:
    table = alerts.table
    return {
        "survey": table["survey"],
        "schemaId": table["schema_id"],
        "schemaVersion": table["schema_version"],
        "alertId": table["alert_id"],
        "diaSourceId": table["source_id"],
        "objectId": table["object_id"],
        "visit": table["visit"],
        "detector": table["detector"],
        "mjdTai": table["mjd"],
        "night": pa.array(night_of(alerts.column("mjd"))),
    }


def _measurement(alerts: AlertBatch) -> dict[str, pa.Array | pa.ChunkedArray]:
    table, curves = alerts.table, alerts.light_curves
    longitude, latitude = galactic(alerts.column("ra"), alerts.column("dec"))
    first = curves.first_detection
    return {
        "ra": table["ra"],
        "dec": table["dec"],
        "galLon": pa.array(longitude),
        "galLat": pa.array(latitude),
        "band": table["band"],
        "psfFlux": table["flux"],
        "psfFluxErr": table["flux_err"],
        "snr": table["snr"],
        "hostPhotoz": table["host_photoz"],
        "hostPhotozErr": table["host_photoz_err"],
        "milkyWayEbv": table["milky_way_ebv"],
        "isSolarSystem": table["is_solar_system"],
        "reliability": table["reliability"],
        "extendedness": table["extendedness"],
        **{camel_case(flag): table[flag] for flag in FLAGS},
        "nPoints": pa.array(curves.lengths, pa.int32()),
        "nDetections": pa.array(curves.n_detections, pa.int32()),
        "nDroppedPoints": table["n_dropped_points"],
        "firstDetectionMjdTai": _null_where_nan(first),
        "daysSinceFirstDetection": _null_where_nan(alerts.column("mjd") - first),
    }


def verdict(prediction: Prediction, classes: tuple[ClassNode, ...]) -> dict[str, pa.Array]:
    """The columns that follow from a prediction alone, whichever bundle made it.

    Parameters
    ----------
    prediction : what a bundle says of n alerts.
    classes : the bundle's, in the order of the probabilities.
    """
    return {
        **_best_class(prediction, classes),
        **_class_columns(prediction, classes),
        "classifications": _classifications(prediction, classes),
    }


def _best_class(prediction: Prediction, classes: tuple[ClassNode, ...]) -> dict[str, pa.Array]:
    classified = prediction.classified
    best = np.argmax(np.where(classified[:, None], prediction.probabilities, 0.0), axis=1)
    ids = np.array([node.id for node in classes], dtype=np.int32)[best]
    ids = np.where(classified, ids, NOT_CLASSIFIED).astype(np.int32)
    names = pa.array([node.name for node in classes]).take(pa.array(best))
    probability = np.where(classified, prediction.probabilities[np.arange(len(best)), best], 1.0)
    return {
        "classId": pa.array(ids),
        "className": pc.if_else(pa.array(classified), names, BY_ID[NOT_CLASSIFIED].name),
        "probability": pa.array(probability),
        "novelty": _null_where_nan(prediction.novelty),
        "notClassifiedReason": pa.array(prediction.reasons, pa.utf8()),
    }


def _class_columns(prediction: Prediction, classes: tuple[ClassNode, ...]) -> dict[str, pa.Array]:
    groups = _groups(classes)
    sums = [_sum_columns(prediction.probabilities, below) for below in groups.values()]
    return dict(zip(groups, _columns(np.stack(sums)), strict=True))


@lru_cache(maxsize=4)
def _groups(classes: tuple[ClassNode, ...]) -> dict[str, list[int]]:
    """The probabilities that each class column adds up, as indices of the bundle's classes."""
    below = {
        node.column: [k for k, leaf in enumerate(classes) if leaf.id in descendants(node.id)]
        for node in TAXONOMY
        if node.column
    }
    return {name: leaves for name, leaves in below.items() if leaves}


def _sum_columns(values: NDArray[np.float64], columns: Sequence[int]) -> NDArray[np.float64]:
    total = np.zeros(len(values))
    for k in columns:
        total += values[:, k]
    return np.minimum(total, 1.0)


def _feature_columns(features: pa.Table, bundle: Bundle) -> dict[str, pa.Array]:
    return dict(zip(bundle.feature_names, _columns(feature_array(features, bundle.feature_names).T), strict=True))


def _provenance(alerts: AlertBatch, origins: pa.Array, bundle: Bundle) -> dict[str, pa.Array | pa.ChunkedArray]:
    same = pa.array(np.zeros(len(alerts), np.int32))
    return {
        **{name: value.take(same) for name, value in _repeated(bundle).items()},
        "lightCurve": alerts.table["light_curve"],
        "origin": origins,
    }


@lru_cache(maxsize=4)
def _repeated(bundle: Bundle) -> dict[str, pa.Array]:
    """What is the same for every alert before a filter has matched, once."""
    values = {
        "classifier": {"name": bundle.name, "version": bundle.version, "bundleSha256": bundle.sha256},
        "broker": {"name": BROKER_NAME, "version": broker_version(), "featuresSha256": code_hash()},
        "matchedFilters": [],
    }
    return {name: pa.array([value], TYPES[name]) for name, value in values.items()}


def _classifications(prediction: Prediction, classes: tuple[ClassNode, ...]) -> pa.ListArray:
    """All classes for a classified alert, best first; NotClassified alone, with certainty, for the others."""
    n_classes = prediction.probabilities.shape[1]
    classified = prediction.classified
    order = np.argsort(-np.nan_to_num(prediction.probabilities), axis=1, kind="stable")
    counts = np.where(classified, n_classes, 1)
    keep = np.arange(n_classes)[None, :] < counts[:, None]
    values = np.where(classified[:, None], np.take_along_axis(prediction.probabilities, order, axis=1), 1.0)[keep]
    nodes = [*classes, BY_ID[NOT_CLASSIFIED]]
    chosen = np.where(classified[:, None], order, n_classes)[keep]
    ids = np.array([node.id for node in nodes])[chosen]
    names = pa.array([node.name for node in nodes], pa.utf8()).take(pa.array(chosen))
    entries = pa.StructArray.from_arrays(
        [pa.array(ids, pa.int32()), names, pa.array(values)], fields=list(CLASSIFICATION)
    )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), entries, type=TYPES["classifications"])


@cache
def broker_version() -> str:
    """The installed version of the distribution."""
    return version("boreal-broker")
