import importlib

import numpy as np
import pyarrow as pa
import pytest

from classifiers.predict import NO_POINT, SOLAR_SYSTEM, combine, predict
from features.extract import extract
from schemas.alerts import SCHEMA, AlertBatch

LENGTHS = [1, 2, 5, 0, 16, 17, 33, 64, 65, 0, 129, 300, 1] * 8


@pytest.fixture(scope="module")
def alerts(random_alerts):
    made = random_alerts(LENGTHS, seed=3)
    asteroid = np.arange(len(made)) % 11 == 5
    index = SCHEMA.get_field_index("is_solar_system")
    return AlertBatch(made.table.set_column(index, SCHEMA.field(index), pa.array(asteroid)))


@pytest.fixture(scope="module")
def ask(alerts, bundle):
    def answer(rows):
        chosen = alerts.take(np.asarray(rows, np.int64))
        return predict(chosen, extract(chosen, bundle.feature_names), bundle)

    return answer


@pytest.fixture(scope="module")
def whole(ask, alerts):
    return ask(range(len(alerts)))


def same(whole, part, rows):
    return (
        whole.probabilities[rows].tobytes() == part.probabilities.tobytes()
        and whole.novelty[rows].tobytes() == part.novelty.tobytes()
        and list(whole.reasons[rows]) == list(part.reasons)
    )


def test_every_row_is_classified_or_says_why_not(whole, alerts):
    empty = alerts.light_curves.lengths == 0
    asteroid = np.asarray(alerts.table["is_solar_system"])
    expected = [SOLAR_SYSTEM if a else NO_POINT if e else None for a, e in zip(asteroid, empty, strict=True)]
    assert list(whole.reasons) == expected
    np.testing.assert_array_equal(whole.classified, [reason is None for reason in expected])


def test_classified_rows_sum_to_1_and_the_others_are_nan(whole):
    np.testing.assert_allclose(whole.probabilities[whole.classified].sum(axis=1), 1, atol=1e-12)
    assert (whole.probabilities[whole.classified] > 0).all()
    assert (whole.novelty[whole.classified] >= 0).all()
    assert np.isnan(whole.probabilities[~whole.classified]).all()
    assert np.isnan(whole.novelty[~whole.classified]).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_permutation_changes_no_bit(ask, whole, seed):
    rows = np.random.default_rng(seed).permutation(len(LENGTHS))
    assert same(whole, ask(rows), rows)


@pytest.mark.parametrize("size", [1, 2, 5, 13, 32, 33, 64, 103])
def test_a_split_changes_no_bit(ask, whole, size):
    for start in range(0, len(LENGTHS), size):
        rows = np.arange(start, min(start + size, len(LENGTHS)))
        assert same(whole, ask(rows), rows)


def test_one_detection_is_classified(random_alerts, bundle):
    one = random_alerts([1])
    point = {"mjd": 60000.0, "flux": 5000.0, "flux_err": 100.0, "band": "r", "detected": True}
    alerts = AlertBatch.from_rows([{**one.to_rows()[0], "light_curve": [point]}])
    answer = predict(alerts, extract(alerts, bundle.feature_names), bundle)
    assert answer.classified.all()
    assert answer.probabilities.sum() == pytest.approx(1)


def test_points_without_a_detection_are_classified(random_alerts, bundle):
    row = random_alerts([6]).to_rows()[0]
    for point in row["light_curve"]:
        point["detected"] = False
    alerts = AlertBatch.from_rows([row])
    assert predict(alerts, extract(alerts, bundle.feature_names), bundle).classified.all()


def test_no_alerts_make_no_rows(ask, bundle):
    answer = ask([])
    assert answer.probabilities.shape == (0, len(bundle.classes))
    assert len(answer.novelty) == len(answer.reasons) == 0


def test_more_columns_and_another_order_change_nothing(alerts, bundle, whole):
    table = extract(alerts, bundle.feature_names)
    more = table.select(table.column_names[::-1]).append_column("of_tomorrow", pa.array(np.zeros(len(alerts))))
    assert same(whole, predict(alerts, more, bundle), np.arange(len(alerts)))


def test_a_missing_column_is_told(alerts, bundle):
    table = extract(alerts, bundle.feature_names)
    with pytest.raises(ValueError, match=bundle.feature_names[0]):
        predict(alerts, table.drop_columns([bundle.feature_names[0]]), bundle)


def test_another_number_of_rows_is_told(alerts, bundle):
    table = extract(alerts, bundle.feature_names)
    with pytest.raises(ValueError, match="103 rows"):
        predict(alerts, table.slice(1), bundle)


@pytest.mark.parametrize("answer", [0, 1])
def test_an_answer_that_is_no_number_is_refused(ask, monkeypatch, answer):
    def classify(given, bundle):
        found = working(given, bundle)
        found[answer][2] = np.nan
        return found

    working = importlib.import_module("classifiers.predict").classify
    monkeypatch.setattr("classifiers.predict.classify", classify)
    with pytest.raises(ValueError, match="isn't a finite number"):
        ask(range(4))


def test_the_combination_is_a_geometric_mean():
    one, other = np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])
    expected = np.sqrt(one * other)
    np.testing.assert_allclose(combine([one, other], [2.0, 2.0]), expected / expected.sum())
    np.testing.assert_allclose(combine([one, other], [1.0, 0.0]), one)
    unequal = one**0.75 * other**0.25
    np.testing.assert_allclose(combine([one, other], [0.75, 0.25]), unequal / unequal.sum())
