"""How long the ensemble takes, member by member and together with the features."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from benchmarks.figure import Figure, Goal
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.lots import Lot, figure_of
from classifiers.bundle import Bundle
from classifiers.member import Member, MemberInput
from classifiers.predict import predict
from features.extract import extract
from features.family import FeatureInput
from schemas.alerts import AlertBatch


def measure(bench: Bench) -> Iterator[Figure]:
    """Microseconds an alert of each member, of the whole prediction, and of features and prediction together."""
    bundle, rounds = bench.bundle, bench.scale.rounds
    for lot in bench.lots:
        features = {id(batch): extract(batch, bundle.feature_names) for batch in (*lot.alerts, *lot.alone)}
        for entry, member in zip(bundle.manifest.members, bundle.members, strict=True):
            yield _of_member(entry.kind, member, lot, features, rounds)
        yield figure_of("members.predict", lot, rounds, partial(_predict, features, bundle))
        goal = Goal("value", "<=", lot.most_us) if lot.most_us else None
        yield figure_of("members.features-and-predict", lot, rounds, lambda b: _score(b, bundle), goal)


def _of_member(kind: str, member: Member, lot: Lot, features: dict[int, pa.Table], rounds: int) -> Figure:
    given = {
        id(batch): MemberInput(_matrix(features[id(batch)]), FeatureInput.from_alerts(batch))
        for batch in (*lot.alerts, *lot.alone)
    }
    return figure_of(f"members.{kind}", lot, rounds, lambda b: member.predict(given[id(b)]))


def _predict(features: dict[int, pa.Table], bundle: Bundle, batch: AlertBatch) -> object:
    return predict(batch, features[id(batch)], bundle)


def _score(batch: AlertBatch, bundle: Bundle) -> object:
    alerts = AlertBatch(batch.table)  # one that nothing was asked of yet
    return predict(alerts, extract(alerts, bundle.feature_names), bundle)


def _matrix(features: pa.Table) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.stack([np.asarray(column, np.float32) for column in features.columns], axis=1)
