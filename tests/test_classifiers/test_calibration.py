import numpy as np
import pytest

from classifiers.calibration import (
    HISTORIES,
    Cases,
    beginning,
    bucket,
    calibrate,
    days_since_first_detection,
    factors,
    history,
)
from classifiers.manifest import CalibrationEntry
from features.family import FeatureInput
from schemas.alerts import LightCurves


def curves(*objects: list[tuple[float, bool]]) -> LightCurves:
    points = [point for item in objects for point in item]
    n = len(points)
    return LightCurves(
        np.concatenate([[0], np.cumsum([len(item) for item in objects])]),
        np.array([mjd for mjd, _ in points]),
        np.ones(n),
        np.ones(n),
        np.zeros(n, np.uint8),
        np.array([detected for _, detected in points], bool),
    )


def test_days_count_from_the_first_detection_to_the_last_point():
    given = curves([(1.0, False), (3.0, True), (4.0, True), (10.0, False)], [], [(5.0, False), (6.0, False)])
    np.testing.assert_array_equal(beginning(given), [3.0, np.nan, 5.0])
    np.testing.assert_array_equal(days_since_first_detection(given), [7.0, np.nan, 1.0])


def test_an_edge_opens_a_span():
    np.testing.assert_array_equal(bucket(np.array([0.0, 1.9, 2.0, 7.0, 8.0, 500.0]), (2.0, 8.0)), [0, 0, 1, 1, 2, 2])


def test_temperature_1_changes_nothing():
    given = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    np.testing.assert_allclose(calibrate(given, np.ones(2)), given, rtol=1e-12)


def test_temperature_2_takes_the_square_root():
    given = np.array([[0.64, 0.36]])
    np.testing.assert_allclose(calibrate(given, np.array([2.0])), [[0.8 / 1.4, 0.6 / 1.4]])


def test_a_bias_multiplies_a_class_by_its_exponential():
    given = np.array([[0.5, 0.25, 0.25]])
    biased = calibrate(given, np.ones(1), np.array([[0.0, np.log(2), 0.0]]))
    np.testing.assert_allclose(biased, [[0.4, 0.4, 0.2]])


def test_the_history_is_told_from_what_lies_before_the_first_detection():
    alone = [(100.0, True), (200.0, True)]
    month = [(69.0, False), (100.0, True)]
    later = [(100.0, True), (101.0, False)]
    farther = [(68.9, False), (100.0, True)]
    nothing_detected = [(1.0, False), (100.0, False)]
    given = curves(alone, month, later, farther, nothing_detected)
    assert [HISTORIES[k] for k in history(given)] == [
        "detections alone", "a month back", "a month back", "farther back", "a month back",
    ]  # fmt: skip


def test_each_light_curve_gets_the_factors_of_its_case():
    given = curves([(100.0, True)], [(99.0, False), (100.0, True), (103.0, True)], [(1.0, False), (100.0, True)])
    photoz = np.array([np.nan, 0.5, np.nan])
    cases = Cases.of(FeatureInput(given, photoz, photoz, photoz), (2.0,))
    entry = CalibrationEntry(
        days=(2.0,),
        temperatures=(((1.0, 1.1, 1.2), (1.3, 1.4, 1.5)), ((2.0, 2.1, 2.2), (2.3, 2.4, 2.5))),
        biases=((0.0, 0.1), (0.2, 0.3)),
    )
    temperatures, biases = factors(cases, entry)
    np.testing.assert_array_equal(temperatures, [1.0, 2.4, 1.2])
    np.testing.assert_array_equal(biases, [[0.0, 0.1], [0.2, 0.3], [0.0, 0.1]])


@pytest.mark.parametrize("temperature", [0.5, 1.5, 3.0])
def test_the_order_of_classes_stays(temperature):
    given = np.random.default_rng(0).dirichlet(np.ones(14), 50)
    answer = calibrate(given, np.full(50, temperature))
    np.testing.assert_array_equal(answer.argsort(axis=1), given.argsort(axis=1))
