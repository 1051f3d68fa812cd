"""Answers for the PLAsTiCC challenge: probabilities of its 15 classes, the one that nobody was told of included."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from broker._atomic import replacing
from classifiers.bundle import Bundle
from classifiers.member import MemberInput
from classifiers.predict import classify
from classifiers.taxonomy import PLASTICC_TARGETS
from features.extract import feature_matrix
from features.family import FeatureInput
from training.light_curves import alerts_to_classify
from training.official import ASKED, points_by_object, read_metadata

UNKNOWN = 99
"""The challenge's number for all that isn't in the training set."""

UNKNOWN_SHARE = 2.0 / 18.0
"""The unknown class's part of the score's weights: 2 of it, 2 each of two classes, 1 each of twelve."""

Array = NDArray[np.float64]


def write_submission(
    files: Sequence[Path], metadata: Path, out: Path, bundle: Bundle, tick: Callable[[int], None] = lambda _: None
) -> int:
    """Write the challenge's table; memory is bounded by a block of the files and the metadata.

    Parameters
    ----------
    files : light curves, sorted by object.
    metadata : of all their objects.
    out : ``object_id, class_6, ..., class_99``, a row an object.
    bundle : of the 14 classes.
    tick : called with a number of objects whenever so many more are done.

    Returns
    -------
    The number of objects.

    Raises
    ------
    TrainingTableError
        If a file isn't what it should be.
    """
    about, done = read_metadata(metadata, ASKED).set_index("object_id", drop=False), 0
    with replacing(out) as path, path.open("w", encoding="utf-8") as table:
        table.write(",".join(["object_id", *(f"class_{target}" for target in (*PLASTICC_TARGETS, UNKNOWN))]) + "\n")
        for file in files:
            for points in points_by_object(file):
                answers = _answers(points, about, (file.name, metadata.name), bundle)
                answers.to_csv(table, index=False, header=False, float_format="%.6g")
                done += len(answers)
                tick(len(answers))
    return done


def with_unknown(probabilities: Array) -> Array:
    """The 14 probabilities, made smaller for a fifteenth.

    The model knows no unknown class. For the score alone it gets what the others leave: in proportion to the
    product of (1 - p), which is largest where none is likely, and `UNKNOWN_SHARE` in the mean of all answers if they
    were as undecided as can be.

    Parameters
    ----------
    probabilities : shape (n, 14)

    Returns
    -------
    float64 array, shape (n, 15)
    """
    n = probabilities.shape[1]
    left = np.prod(1.0 - probabilities, axis=1) / (1.0 - 1.0 / n) ** n
    unknown = UNKNOWN_SHARE * left
    return np.column_stack([probabilities * (1.0 - unknown)[:, None], unknown])


def _answers(points: pd.DataFrame, about: pd.DataFrame, names: tuple[str, str], bundle: Bundle) -> pd.DataFrame:
    ids = points["object_id"].unique()
    known = about.loc[about.index.intersection(pd.Index(ids))]
    given = FeatureInput.from_alerts(alerts_to_classify(points, known, names))
    probabilities, _ = classify(MemberInput(feature_matrix(given, bundle.feature_names), given), bundle)
    table = pd.DataFrame(with_unknown(probabilities))
    table.insert(0, "object_id", known["object_id"].to_numpy())
    return table
