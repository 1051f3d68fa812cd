import numpy as np
import pytest

from classifiers.calibration import Cases, calibrate
from training.calibrate import BIAS_SPREAD, POWER_SPREAD, _shares, best_temperature, best_weights, fit_calibration
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


def some_cases(n: int) -> Cases:
    return Cases(RNG.integers(0, 5, n), RNG.integers(0, 2, n), RNG.integers(0, 3, n))


def test_temperatures_undo_sharpening_case_by_case():
    probabilities, labels = truthful(1.0)
    first = np.zeros(len(labels), np.int64)
    cases = Cases(first, RNG.integers(0, 2, len(labels)), RNG.integers(0, 3, len(labels)))
    sharpened = (cases.hosts == 1) & (cases.histories == 2)
    found = fit_calibration(raised(probabilities, np.where(sharpened, 1.4, 1.0)), labels, cases)
    temperatures = np.array(found.temperatures)
    assert temperatures.shape == (5, 2, 3)
    assert temperatures[0, 1, 2] == pytest.approx(1.4, abs=0.1)
    assert temperatures[0].ravel()[:-1] == pytest.approx(1.0, abs=0.05)


def raised(probabilities: np.ndarray, powers: np.ndarray) -> np.ndarray:
    raised = probabilities ** powers[:, None]
    return raised / raised.sum(axis=1, keepdims=True)


def test_biases_undo_a_class_that_is_said_too_often_span_by_span():
    probabilities, labels = truthful(1.0)
    cases = some_cases(len(labels))
    tilted = probabilities * np.where((cases.spans == 3)[:, None], [2.0, 1.0, 1.0], 1.0)
    biases = np.array(fit_calibration(tilted / tilted.sum(axis=1, keepdims=True), labels, cases).biases)
    assert biases.shape == (5, 3)
    assert biases[3, 0] - biases[3, 1:].mean() == pytest.approx(-np.log(2), abs=0.1)
    assert np.delete(biases, 3, axis=0) == pytest.approx(0, abs=0.1)


def test_no_other_calibration_nearby_is_better():
    """The least of the loss, with what keeps the parameters near, is found."""
    probabilities, labels = truthful(1.0)
    cases = some_cases(len(labels))
    given = raised(probabilities, np.full(len(labels), 1.5))
    found = fit_calibration(given, labels, cases)
    temperatures, biases = np.array(found.temperatures), np.array(found.biases)
    middle = 1 / best_temperature(given, labels)

    def loss(temperatures: np.ndarray, biases: np.ndarray) -> float:
        told = calibrate(given, temperatures[cases.spans, cases.hosts, cases.histories], biases[cases.spans])
        powers = (1 / temperatures - middle) / POWER_SPREAD
        return nll(told, labels) + (np.square(powers).sum() + np.square(biases / BIAS_SPREAD).sum()) / 2 / len(labels)

    least = loss(temperatures, biases)
    for _ in range(20):
        assert loss(temperatures * np.exp(RNG.normal(0, 0.01, temperatures.shape)), biases) > least
        assert loss(temperatures, biases + RNG.normal(0, 0.01, biases.shape)) > least


def test_a_case_without_examples_is_calibrated_as_all_are():
    probabilities, labels = truthful(1.0)
    nowhere = np.zeros(len(labels), np.int64)
    found = fit_calibration(raised(probabilities, np.full(len(labels), 2.0)), labels, Cases(nowhere, nowhere, nowhere))
    temperatures, biases = np.array(found.temperatures), np.array(found.biases)
    assert len(set(temperatures.ravel()[1:])) == 1
    assert temperatures == pytest.approx(2.0, rel=0.05)
    assert not biases[1:].any()


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
