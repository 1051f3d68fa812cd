import numpy as np
import pytest

from training.calibrate import SPANS, _shares, best_temperatures, best_weights
from training.scores import ece, macro_auc, macro_f1, nll, score

RNG = np.random.default_rng(2)
LABELS = RNG.integers(0, 3, 4000)


def truthful(sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels drawn from them."""
    probabilities = RNG.dirichlet(np.full(3, 1 / sharpness), 20_000)
    labels = (probabilities.cumsum(axis=1) < RNG.random((20_000, 1))).sum(axis=1)
    return probabilities, np.minimum(labels, 2)


def test_log_loss_of_known_probabilities():
    assert nll(np.array([[0.5, 0.5], [0.25, 0.75]]), np.array([0, 1])) == pytest.approx(-np.log([0.5, 0.75]).mean())


def test_perfect_answers():
    found = score(np.eye(3)[LABELS], LABELS, np.full(3, 1 / 3))
    assert (found.accuracy, found.macro_f1, found.macro_auc) == (1, 1, 1)
    assert found.ece == pytest.approx(0)
    assert found.nll == pytest.approx(0)
    assert found.prior_nll == pytest.approx(np.log(3))


def test_scores_of_one_class_alone():
    found = score(np.tile([0.8, 0.1, 0.1], (10, 1)), np.zeros(10, np.int64), np.full(3, 1 / 3))
    assert found.macro_auc is None
    assert found.macro_f1 == 1
    assert found.rounded()["macro_auc"] is None


def test_means_run_over_the_classes_present():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.1, 0.7], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    assert macro_f1(probabilities.argmax(axis=1), labels) == pytest.approx((2 / 3 + 1) / 2)
    assert macro_auc(probabilities, labels) == pytest.approx((0.75 + 1) / 2)


def test_truthful_probabilities_are_calibrated_and_sharpened_ones_are_not():
    probabilities, labels = truthful(2.0)
    sharper = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    assert ece(probabilities, labels) < 0.015
    assert ece(sharper, labels) > 0.05


def test_the_temperature_undoes_sharpening_span_by_span():
    probabilities, labels = truthful(1.0)
    days = RNG.choice([0.5, 4.0, 16.0, 64.0, 500.0], len(labels))
    power = np.where(days < SPANS[0], 2.0, 1.0)[:, None]
    sharper = probabilities**power / (probabilities**power).sum(axis=1, keepdims=True)
    found = best_temperatures(sharper, labels, days)
    assert found[0] == pytest.approx(2.0, rel=0.1)
    assert found[1:] == pytest.approx((1.0,) * 4, rel=0.1)


def test_a_span_without_examples_takes_the_temperature_of_all():
    probabilities, labels = truthful(1.0)
    found = best_temperatures(probabilities, labels, np.zeros(len(labels)))
    assert len(set(found)) == 1


def test_the_better_member_gets_the_weight():
    good, labels = truthful(2.0)
    noise = RNG.dirichlet(np.ones(3), len(labels))
    assert best_weights([good, noise], labels)[0] > 0.9
    assert best_weights([noise, good], labels)[1] > 0.9
    assert sum(best_weights([good, good], labels)) == 1


def test_every_share_of_three_members_is_tried():
    good, labels = truthful(2.0)
    noise = RNG.dirichlet(np.ones(3), len(labels))
    assert best_weights([noise, good, noise], labels)[1] > 0.9
    shares = list(_shares(3, 4))
    assert len(shares) == len({tuple(share) for share in shares}) == 15
    assert all(sum(share) == 1 for share in shares)
