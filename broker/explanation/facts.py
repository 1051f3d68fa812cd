"""An explanation as JSON."""

from dataclasses import asdict
from typing import Any

import numpy as np

from broker.explanation.explained import ClassSaid, Explained, FeaturesSaid
from broker.explanation.nearest import Near

IDENTITY = ("survey", "alertId", "diaSourceId", "objectId", "mjdTai", "origin")
VERDICT = ("classId", "className", "probability", "novelty", "classifier")


def facts(found: Explained, features: int) -> dict[str, Any]:
    """All that is said, with so many features of each class; 64-bit integers are strings, as in deliveries."""
    alert = found.alert
    return {
        **{name: str(alert[name]) if name in ("alertId", "diaSourceId") else alert[name] for name in IDENTITY},
        **{name: alert[name] for name in VERDICT},
        "temperature": found.temperature,
        "members": [{"kind": kind, "weight": weight} for kind, weight in found.members],
        "classes": [_class(each, alert["lightCurve"], features) for each in found.classes],
        "nearest": None if found.near is None else [_near(each) for each in found.near],
    }


def _class(said: ClassSaid, points: list[dict[str, Any]], features: int) -> dict[str, Any]:
    return {
        "classId": said.node.id,
        "className": said.node.name,
        "probability": said.probability,
        "meanBeforeCalibration": said.mean,
        "bias": said.bias,
        "members": list(said.members),
        "trees": None if said.features is None else _features(said.features, features),
        "points": None
        if said.support is None
        else [
            {**point, "support": None if np.isnan(value) else float(value)}
            for point, value in zip(points, said.support, strict=True)
        ],
    }


def _features(said: FeaturesSaid, most: int) -> dict[str, Any]:
    shown = said.features[:most]
    rest = sum(each.contribution for each in said.features[most:])
    return {"base": said.base, "features": [asdict(each) for each in shown], "otherFeatures": rest, "total": said.total}


def _near(near: Near) -> dict[str, Any]:
    return {
        "classId": near.node.id,
        "className": near.node.name,
        "objects": [asdict(each) for each in near.objects],
    }
