"""What a point says for a class, against the answer to a light curve from which it was taken by hand."""

import numpy as np
import pytest

from classifiers.bundle import Bundle
from classifiers.member import Member, MemberInput
from classifiers.sequences import MAX_POINTS, kept_points, thin
from classifiers.why.points import support
from features.family import FeatureInput
from schemas.alerts import AlertBatch


@pytest.fixture(scope="module")
def member(bundle: Bundle) -> Member:
    return bundle.members[[entry.kind for entry in bundle.manifest.members].index("recurrent")]


def log_odds(member: Member, alerts: AlertBatch, label: int) -> np.ndarray:
    given = FeatureInput.from_alerts(alerts)
    p = member.predict(MemberInput(np.zeros((len(alerts), 0), np.float32), given)).probabilities
    return np.log(p[:, label]) - np.log(np.delete(p, label, axis=1).sum(axis=1))


def without(alerts: AlertBatch, row: int, point: int) -> AlertBatch:
    (found,) = AlertBatch(alerts.table.slice(row, 1)).to_rows()
    return AlertBatch.from_rows([{**found, "light_curve": np.delete(found["light_curve"], point).tolist()}])


@pytest.mark.parametrize(("length", "label"), [(2, 0), (17, 11), (150, 3)])
def test_it_is_how_far_the_answer_falls_when_the_point_is_taken_away(random_alerts, member, length, label):
    alerts = random_alerts([5, length, 9], seed=length)
    told = support(FeatureInput.from_alerts(alerts), np.array([1, label, 2]), member)[5 : 5 + length]
    whole = log_odds(member, alerts, label)[1]
    read, _ = kept_points(AlertBatch(alerts.table.slice(1, 1)).light_curves, MAX_POINTS)
    assert np.flatnonzero(~np.isnan(told)).tolist() == read.tolist()
    for point in read[:: max(1, len(read) // 7)]:
        expected = whole - log_odds(member, without(alerts, 1, int(point)), label)[0]
        assert told[point] == pytest.approx(expected, abs=1e-12)


def test_a_light_curve_alone_is_told_as_in_a_batch_bit_for_bit(random_alerts, member):
    alerts = random_alerts([3, 70, 1, 12, 40], seed=8)
    classes = np.array([0, 3, 5, 7, 11])
    whole = support(FeatureInput.from_alerts(alerts), classes, member)
    alone = [
        support(FeatureInput.from_alerts(AlertBatch(alerts.table.slice(k, 1))), classes[k : k + 1], member)
        for k in range(5)
    ]
    assert np.concatenate(alone).tobytes() == whole.tobytes()


def test_an_only_point_is_not_told(random_alerts, member):
    assert np.isnan(support(FeatureInput.from_alerts(random_alerts([1])), np.array([0]), member)).all()


def test_the_points_that_are_told_are_those_that_thinning_keeps(random_alerts):
    curves = random_alerts([100, 3], seed=4).light_curves
    points, counts = kept_points(curves, MAX_POINTS)
    kept = thin(curves, MAX_POINTS)
    np.testing.assert_array_equal(curves.mjd[points], kept.mjd)
    np.testing.assert_array_equal(counts, kept.lengths)
