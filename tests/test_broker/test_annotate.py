"""Annotation columns: null exactly where a number isn't known, and nothing that tells of the company."""

import numpy as np
import pytest

from broker.annotate import _columns, annotate, class_fields, schema_for
from classifiers.predict import Prediction, predict
from classifiers.taxonomy import TAXONOMY, descendants
from features.extract import extract
from schemas.alerts import AlertBatch
from schemas.decode import decode
from schemas.packets import packets


@pytest.fixture(scope="module")
def stages(sample_packets, registry, bundle):
    """Alerts, origins, features and prediction of every real packet."""
    decoded = decode(packets(sample_packets), registry)
    features = extract(decoded.alerts, bundle.feature_names)
    return decoded.alerts, decoded.origins, features, predict(decoded.alerts, features, bundle)


@pytest.fixture(scope="module")
def annotated(stages, bundle):
    return annotate(*stages, bundle)


def test_a_feature_is_null_where_it_is_nan_and_else_itself(annotated, stages, bundle):
    unknown = 0
    for name in bundle.feature_names:
        values = stages[2][name].to_numpy()
        np.testing.assert_array_equal(annotated[name].is_null(), np.isnan(values))
        np.testing.assert_array_equal(annotated[name].drop_null(), values[~np.isnan(values)])
        unknown += annotated[name].null_count
    assert 0 < unknown < annotated.num_rows * len(bundle.feature_names)


def test_a_class_column_adds_up_the_classes_below_it(annotated, stages, bundle):
    prediction = stages[3]
    names = [node.column for node in TAXONOMY if node.column in {field.name for field in class_fields(bundle.manifest)}]
    assert len(names) > len(bundle.classes)
    for node in TAXONOMY:
        if node.column in names:
            below = [k for k, leaf in enumerate(bundle.classes) if leaf.id in descendants(node.id)]
            expected = np.minimum(prediction.probabilities[prediction.classified][:, below].sum(axis=1), 1)
            np.testing.assert_allclose(annotated[node.column].drop_null(), expected, rtol=1e-14)
            np.testing.assert_array_equal(annotated[node.column].is_null(), ~prediction.classified)


def test_detections_are_counted(annotated, stages):
    curves = stages[0].light_curves
    parts = zip(curves.offsets[:-1], curves.offsets[1:], strict=True)
    assert annotated["nDetections"].to_pylist() == [curves.detected[start:end].sum() for start, end in parts]


@pytest.mark.parametrize("size", [1, 3, 8, 9])
def test_a_part_says_what_it_says_in_company(annotated, stages, bundle, size):
    expected = annotated.to_pylist()
    for start in range(0, annotated.num_rows, size):
        alone = annotate(*part(stages, slice(start, start + size)), bundle)
        alone.validate(full=True)
        assert repr(alone.to_pylist()) == repr(expected[start : start + size])


def part(stages, rows):
    alerts, origins, features, prediction = stages
    alone = Prediction(prediction.probabilities[rows], prediction.novelty[rows], prediction.reasons[rows])
    return AlertBatch(alerts.table[rows]), origins[rows], features[rows], alone


def test_columns_that_are_made_at_once_hold_nothing_of_each_other():
    """As a column's own bytes go out, whatever it was cut from: to the end of its last byte."""
    values = np.array([[1, np.nan, 3], [4, 5, 6], [np.nan] * 3], np.float32)
    for k, made in enumerate(_columns(values)):
        known, data = made.buffers()
        assert made.null_count == np.isnan(values[k]).sum()
        assert data.size == values[k].nbytes
        assert known is None or known.to_pybytes() == bytes([[0b101, 0b111, 0][k]])


def test_no_alert_makes_no_row(stages, bundle):
    none = annotate(*part(stages, slice(0)), bundle)
    assert none.num_rows == 0
    assert none.schema == schema_for(bundle.manifest)
