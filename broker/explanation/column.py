"""The column of annotations that says why: what features say for the best class of each alert."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifiers.bundle import Bundle, BundleError
from classifiers.manifest import Manifest
from classifiers.predict import Prediction, feature_array
from classifiers.why.contributions import TREES, contributions, trees_of
from schemas.annotation import EXPLANATION


def check_explains(manifest: Manifest, most: int) -> None:
    """See that a bundle can say why, where it is to.

    Parameters
    ----------
    most : how many features are to be told; 0 asks for nothing.

    Raises
    ------
    BundleError
        If it has no trees.
    """
    if most and trees_of(manifest) is None:
        kinds = ", ".join(member.kind for member in manifest.members)
        raise BundleError(
            f"`explain` asks what features say in a member of kind {TREES!r}, and bundle {manifest.name} has {kinds}; "
            "leave `explain` out, or give another bundle"
        )


def explain_column(features: pa.Table, prediction: Prediction, bundle: Bundle, most: int) -> pa.Array:
    """The features that weigh most for each alert's best class; null for an alert that isn't classified.

    Null, too, where the best class is one that the trees don't know. A row depends on its own alert only, bit for bit.

    Parameters
    ----------
    features, prediction : of n alerts.
    most : how many features are told of an alert; those that say nothing never are.

    Returns
    -------
    pyarrow.Array
        Of the type of `schemas.annotation.EXPLANATION`, n rows.
    """
    values = feature_array(features, bundle.feature_names)
    said = np.full(values.shape, np.nan)
    rows = np.flatnonzero(prediction.classified)
    if len(rows):
        best = np.argmax(prediction.probabilities[rows], axis=1)
        said[rows] = contributions(values[rows], best, bundle).features
    known = ~np.isnan(said).any(axis=1)
    order = np.argsort(-np.abs(said), axis=1, kind="stable")[:, :most]
    told = np.take_along_axis(said, order, axis=1)
    kept = known[:, None] & (told != 0)
    return _lists(bundle, order[kept], np.take_along_axis(values, order, axis=1)[kept], told[kept], kept)


def _lists(
    bundle: Bundle,
    which: NDArray[np.int64],
    values: NDArray[np.float32],
    said: NDArray[np.float64],
    kept: NDArray[np.bool_],
) -> pa.Array:
    counts = kept.sum(axis=1)
    names = pa.array(bundle.feature_names, pa.utf8()).take(pa.array(which))
    entry = EXPLANATION.type.value_type
    entries = pa.StructArray.from_arrays(
        [names, pa.array(values, from_pandas=True), pa.array(said)],
        fields=[entry.field(k) for k in range(entry.num_fields)],
    )
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, entries, type=EXPLANATION.type, mask=pa.array(counts == 0))
