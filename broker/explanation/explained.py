"""What speaks for a class of one alert: members, features, points of the light curve, known objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broker.explanation.nearest import Near, nearest
from broker.stored_alerts import alerts_of
from classifiers.bundle import Bundle
from classifiers.calibration import Cases, factors
from classifiers.member import MemberInput, MemberOutput
from classifiers.predict import answers, combine, feature_array
from classifiers.taxonomy import ClassNode
from classifiers.why.contributions import contributions, trees_of
from classifiers.why.points import support
from features.family import FeatureInput

RECURRENT = "recurrent"
"""The kind of member that reads points, of which each can be left out."""


@dataclass(frozen=True)
class FeatureSaid:
    """A feature, and what it says for a class; `value` is None where it isn't defined, which may say something too."""

    name: str
    value: float | None
    unit: str
    meaning: str
    contribution: float


@dataclass(frozen=True)
class FeaturesSaid:
    """What the trees make of a class: all features that say something, the strongest first.

    `base` is said without any feature; with the contributions it adds up to `total`.
    """

    features: tuple[FeatureSaid, ...]
    base: float
    total: float


@dataclass(frozen=True)
class ClassSaid:
    """What is said for one class.

    Parameters
    ----------
    node : the class.
    probability : as the annotation has it.
    mean : of the members, before calibration.
    bias : of the calibration, for the days since the first detection; above 0 makes the class more probable.
    members : each member's own probability, in the bundle's order.
    features : of the trees; None where the bundle has none, or they don't know the class.
    support : float64 array, shape (n_points,)
        See `classifiers.why.points.support`; None in a bundle without the recurrent member.
    """

    node: ClassNode
    probability: float
    mean: float
    bias: float
    members: tuple[float, ...]
    features: FeaturesSaid | None
    support: NDArray[np.float64] | None


@dataclass(frozen=True)
class Explained:
    """Why an alert was classified as it was.

    Parameters
    ----------
    alert : its annotation by column name.
    members : kind and share of the weights of each member.
    temperature : of the calibration, for an alert like this; above 1 makes less certain.
    classes : those that were asked for.
    near : the nearest known objects of each class, the nearest class first; None in a bundle without any.
    """

    alert: dict[str, Any]
    members: tuple[tuple[str, float], ...]
    temperature: float
    classes: tuple[ClassSaid, ...]
    near: tuple[Near, ...] | None


def explain(annotation: pa.Table, bundle: Bundle, asked: Sequence[int] = ()) -> Explained:
    """Say what speaks for some classes of a classified alert.

    Parameters
    ----------
    annotation : one row of `broker.annotate.schema_for`, of an alert that is classified.
    bundle : what classified it.
    asked : classIds of classes of the bundle; the two most probable ones if left out.
    """
    alert: dict[str, Any] = annotation.to_pylist()[0]
    given = MemberInput(
        feature_array(annotation, bundle.feature_names), FeatureInput.from_alerts(alerts_of(annotation))
    )
    outputs = answers(given, bundle)
    ids = asked or [each["classId"] for each in alert["classifications"][:2]]
    calibration = bundle.manifest.calibration
    temperatures, biases = factors(Cases.of(given.given, calibration.days), calibration)
    classes = [_index(bundle, class_id) for class_id in ids]
    said = tuple(_classes(annotation, given, bundle, outputs, classes, biases[0]))
    weights = [entry.weight for entry in bundle.manifest.members]
    kinds = [entry.kind for entry in bundle.manifest.members]
    members = tuple((kind, weight / sum(weights)) for kind, weight in zip(kinds, weights, strict=True))
    return Explained(alert, members, float(temperatures[0]), said, nearest(outputs, given.given, bundle))


def _index(bundle: Bundle, class_id: int) -> int:
    return [node.id for node in bundle.classes].index(class_id)


def _classes(
    annotation: pa.Table,
    given: MemberInput,
    bundle: Bundle,
    outputs: Sequence[MemberOutput],
    classes: Sequence[int],
    biases: NDArray[np.float64],
) -> Iterator[ClassSaid]:
    probabilities = [output.probabilities for output in outputs]
    mean = combine(probabilities, [entry.weight for entry in bundle.manifest.members])[0]
    calibrated = {each["classId"]: each["probability"] for each in annotation["classifications"][0].as_py()}
    for k in classes:
        node, label = bundle.classes[k], np.array([k])
        yield ClassSaid(
            node,
            calibrated[node.id],
            float(mean[k]),
            float(biases[k]),
            tuple(float(each[0, k]) for each in probabilities),
            _features(annotation.schema, given.features, label, bundle),
            _support(given.given, label, bundle),
        )


def _features(
    schema: pa.Schema, rows: NDArray[np.float32], label: NDArray[np.int64], bundle: Bundle
) -> FeaturesSaid | None:
    if trees_of(bundle.manifest) is None:
        return None
    told = contributions(rows, label, bundle)
    if not np.isfinite(told.total[0]):
        return None
    order = np.argsort(-np.abs(told.features[0]), kind="stable")
    features = (
        _feature(schema.field(bundle.feature_names[k]), float(rows[0, k]), float(told.features[0, k])) for k in order
    )
    return FeaturesSaid(
        tuple(each for each in features if each.contribution), float(told.base[0]), float(told.total[0])
    )


def _feature(field: pa.Field, value: float, contribution: float) -> FeatureSaid:
    about = field.metadata or {}
    unit, meaning = (about.get(key, b"").decode() for key in (b"unit", b"meaning"))
    return FeatureSaid(field.name, None if np.isnan(value) else value, unit, meaning, contribution)


def _support(given: FeatureInput, label: NDArray[np.int64], bundle: Bundle) -> NDArray[np.float64] | None:
    kinds = [entry.kind for entry in bundle.manifest.members]
    if RECURRENT not in kinds:
        return None
    return support(given, label, bundle.members[kinds.index(RECURRENT)])
