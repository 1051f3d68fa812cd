"""From light curves and features to calibrated class probabilities and a novelty score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifiers._rows import safe_log, softmax
from classifiers.bundle import Bundle
from classifiers.calibration import Cases, calibrate, factors
from classifiers.member import MemberInput, MemberOutput
from features.family import FeatureInput
from schemas.alerts import AlertBatch, LightCurves

NO_POINT = "no usable light-curve point"
SOLAR_SYSTEM = "known solar-system object"
NO_NUMBER = "a probability or the novelty isn't a finite number"


@dataclass(frozen=True)
class Prediction:
    """What the bundle says of n alerts.

    Parameters
    ----------
    probabilities : float64 array, shape (n, n_classes)
        Calibrated, rows sum to 1; NaN for an alert that isn't classified.
    novelty : float64 array, shape (n,)
        See `classifiers.novelty`; NaN for an alert that isn't classified, and for all if the bundle has none.
    reasons : object array of str or None, shape (n,)
        Why an alert isn't classified; None where it is.
    has_novelty : whether the bundle has a novelty score.
    """

    probabilities: NDArray[np.float64]
    novelty: NDArray[np.float64]
    reasons: NDArray[np.object_]
    has_novelty: bool = True

    @property
    def classified(self) -> NDArray[np.bool_]:
        """Which alerts are classified, shape (n,)."""
        return ~np.isnan(self.probabilities[:, 0])

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which alerts have no reason not to be classified, and yet not finite numbers throughout, shape (n,)."""
        finite = np.isfinite(self.probabilities).all(axis=1) & (np.isfinite(self.novelty) | (not self.has_novelty))
        return np.asarray(~finite & (self.reasons == None))  # noqa: E711  element by element


def predict(alerts: AlertBatch, features: pa.Table, bundle: Bundle) -> Prediction:
    """Classify a batch; a row depends on its own alert only, bit for bit.

    Parameters
    ----------
    alerts : n alerts.
    features : table with n rows and at least the columns that the bundle names.
    bundle : the classifiers.

    Raises
    ------
    ValueError
        As of `predict_some`, or if the members make of an alert what is no number: a NaN would pass for an alert that
        isn't classified, without a reason.
    """
    prediction = predict_some(alerts, features, bundle)
    if prediction.failed.any():
        raise ValueError(NO_NUMBER)
    return prediction


def predict_some(alerts: AlertBatch, features: pa.Table, bundle: Bundle) -> Prediction:
    """The same, where alerts of which the members make what is no number are told by `Prediction.failed`.

    Raises
    ------
    ValueError
        If `features` lacks a column of the bundle or has another number of rows.
    """
    columns = _checked_features(features, bundle, len(alerts))
    reasons = _reasons(alerts)
    rows = np.flatnonzero(reasons == None)  # noqa: E711  element by element: `is` would ask about the array
    probabilities = np.full((len(alerts), len(bundle.classes)), np.nan)
    novelty = np.full(len(alerts), np.nan)
    if len(rows):
        given = MemberInput(columns[rows], _of_rows(FeatureInput.from_alerts(alerts), rows))
        probabilities[rows], novelty[rows] = classify(given, bundle)
    return Prediction(probabilities, novelty, reasons, has_novelty=bundle.novelty is not None)


def combine(outputs: list[NDArray[np.float64]], weights: list[float]) -> NDArray[np.float64]:
    """Weighted geometric mean of the members' probabilities, rows normalised.

    Parameters
    ----------
    outputs : float64 arrays, shape (n, n_classes)
    weights : one number a member; only their ratios matter.
    """
    total = sum(weights)
    logs = np.zeros_like(outputs[0])
    for probabilities, weight in zip(outputs, weights, strict=True):
        logs += weight / total * safe_log(probabilities)
    return softmax(logs)


def classify(given: MemberInput, bundle: Bundle) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Calibrated probabilities, shape (n, n_classes), and novelty, shape (n,), of light curves with points."""
    return settle(answers(given, bundle), given, bundle)


def answers(given: MemberInput, bundle: Bundle) -> list[MemberOutput]:
    """What each member says by itself of light curves with points, in the manifest's order."""
    return [member.predict(given) for member in bundle.members]


def settle(
    outputs: Sequence[MemberOutput], given: MemberInput, bundle: Bundle
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Calibrated probabilities and novelty, as `classify` gives them, from the members' `answers`."""
    mean = combine([output.probabilities for output in outputs], [entry.weight for entry in bundle.manifest.members])
    calibration = bundle.manifest.calibration
    return calibrate(mean, *factors(Cases.of(given.given, calibration.days), calibration)), _novelty(outputs, bundle)


def _novelty(outputs: Sequence[MemberOutput], bundle: Bundle) -> NDArray[np.float64]:
    entry, novelty = bundle.manifest.novelty, bundle.novelty
    if entry is None or novelty is None:
        return np.full(len(outputs[0].probabilities), np.nan)
    latent = outputs[entry.member].latent
    if latent is None:
        raise ValueError(f"member {entry.member}, whose latent the novelty score reads, answered without one")
    return novelty.score(latent)


def _reasons(alerts: AlertBatch) -> NDArray[np.object_]:
    reasons = np.full(len(alerts), None, dtype=object)
    reasons[alerts.light_curves.lengths == 0] = NO_POINT
    reasons[np.asarray(alerts.table["is_solar_system"])] = SOLAR_SYSTEM
    return reasons


def _of_rows(given: FeatureInput, rows: NDArray[np.int64]) -> FeatureInput:
    """Some of the objects; a table of alerts takes far longer to take rows from, light curves and all."""
    curves = given.curves
    if len(rows) == len(curves):
        return given
    lengths = curves.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    points = np.arange(offsets[-1]) + np.repeat(curves.offsets[rows] - offsets[:-1], lengths)
    columns = (curves.mjd, curves.flux, curves.flux_err, curves.band, curves.detected)
    return FeatureInput(
        LightCurves(offsets, *(column[points] for column in columns)),
        given.host_photoz[rows],
        given.host_photoz_err[rows],
        given.milky_way_ebv[rows],
    )


def _checked_features(features: pa.Table, bundle: Bundle, n_alerts: int) -> NDArray[np.float32]:
    missing = sorted(set(bundle.feature_names) - set(features.column_names))
    if missing:
        raise ValueError(f"bundle {bundle.name!r} reads feature columns that weren't given: {', '.join(missing)}")
    if features.num_rows != n_alerts:
        raise ValueError(f"{n_alerts} alerts but {features.num_rows} rows of features")
    return feature_array(features, bundle.feature_names)


def feature_array(features: pa.Table, names: Sequence[str]) -> NDArray[np.float32]:
    """Columns of a table of features, NaN where null, shape (n, n_names); each column lies in one piece."""
    if not (features.num_rows and names):
        return np.zeros((features.num_rows, len(names)), np.float32)
    (batch,) = features.select(list(names)).combine_chunks().to_batches()
    return np.asarray(batch.to_tensor(null_to_nan=True, row_major=False), np.float32)
