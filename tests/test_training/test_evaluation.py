"""The evaluation of a bundle: which light curves are scored, and scores that can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from classifiers.bundle import BundleError
from classifiers.evaluation import EvaluationError, read_evaluation
from classifiers.taxonomy import BY_PLASTICC, PLASTICC_TARGETS
from features.family import FeatureInput
from schemas.alerts import LightCurves
from training.columns import hide_host
from training.evaluation.bundle import evaluate
from training.evaluation.cost import of_length
from training.evaluation.cuts import AGES, DETECTIONS, at_ages, at_detections, at_successive_alerts, cut
from training.evaluation.figures import group
from training.evaluation.stability import stability
from training.light_curves import real_plasticc
from training.scores import (
    auc_by_class,
    brier,
    challenge_loss,
    challenge_weights,
    confusion,
    f1_by_class,
    macro_auc,
    macro_f1,
    reliability,
)

RNG = np.random.default_rng(4)


def curves(*objects: list[tuple[float, bool]]) -> LightCurves:
    """Light curves of (mjd, detected) points."""
    points = [point for points in objects for point in points]
    n = len(points)
    return LightCurves(
        np.concatenate([[0], np.cumsum([len(points) for points in objects])]),
        np.array([mjd for mjd, _ in points]),
        np.arange(n, dtype=float),
        np.ones(n),
        np.zeros(n, np.uint8),
        np.array([detected for _, detected in points]),
    )


def given(found: LightCurves) -> FeatureInput:
    known = np.full(len(found), 0.5)
    return FeatureInput(found, known, known, known)


THREE = curves(
    [(90.0, False), (100.0, True), (103.0, True), (104.0, False), (109.0, True)],
    [(5.0, False), (6.0, False)],
    [(50.0, True), (50.5, True)],
)


def test_an_object_counts_at_the_ages_that_its_light_curve_reaches():
    found = at_ages(THREE)
    assert found.objects.tolist() == [0, 0, 0, 0]
    assert [AGES[k] for k in found.groups] == [1, 2, 4, 8]
    assert found.ends.tolist() == [101, 102, 104, 108]


def test_an_object_without_a_detection_counts_nowhere():
    rng = np.random.default_rng(0)
    for found in (at_ages(THREE), at_detections(THREE, rng), at_successive_alerts(THREE, rng)):
        assert 1 not in found.objects


def test_light_curves_end_with_the_age_and_keep_what_was_before():
    found = at_ages(THREE)
    parts = cut(given(THREE), found, np.arange(len(found)))
    assert parts.curves.lengths.tolist() == [2, 2, 4, 4]
    assert parts.curves.mjd[parts.curves.offsets[2] : parts.curves.offsets[3]].tolist() == [90, 100, 103, 104]


def test_a_light_curve_of_some_detections_has_so_many_and_ends_with_one():
    alerts, _ = real_plasticc()
    whole = FeatureInput.from_alerts(alerts)
    found = at_detections(whole.curves, np.random.default_rng(1))
    parts = cut(whole, found, np.arange(len(found))).curves
    low = np.array([first for first, _ in DETECTIONS])[found.groups]
    high = np.array([last or 10_000 for _, last in DETECTIONS])[found.groups]
    assert ((parts.n_detections >= low) & (parts.n_detections <= high)).all()
    assert parts.detected[parts.offsets[1:] - 1].all()
    assert set(found.groups) == set(range(len(DETECTIONS)))
    assert all(
        (found.groups[found.objects == k] == np.arange((found.objects == k).sum())).all()
        for k in np.unique(found.objects)
    )


def test_successive_alerts_are_all_alerts_one_after_the_other():
    found = at_successive_alerts(THREE, np.random.default_rng(0))
    assert found.objects.tolist() == [0, 0, 0, 2, 2]
    assert found.ends.tolist() == [100, 103, 109, 50, 50.5]


def test_without_host_nothing_of_it_is_known():
    hidden = hide_host(given(THREE))
    assert np.isnan([hidden.host_photoz, hidden.host_photoz_err, hidden.milky_way_ebv]).all()
    assert hidden.curves is THREE


def test_costs_are_measured_on_light_curves_of_one_length():
    whole = FeatureInput.from_alerts(real_plasticc()[0])
    for length in (10, 125):
        found = of_length(whole, length).curves
        assert set(found.lengths) == {length}
        assert len(found) > 20


def test_the_challenge_s_loss_of_a_prior_answer_is_that_of_its_weights():
    prior = np.array([0.7, 0.2, 0.1])
    told, labels = np.tile(prior, (4, 1)), np.array([0, 0, 1, 2])
    assert challenge_loss(told, labels, prior, np.ones(3)) == pytest.approx(np.log(3))
    weights = np.array([2.0, 1.0, 1.0])
    expected = -(2 * np.log(0.5) + 2 * np.log(0.25)) / 4
    assert challenge_loss(told, labels, prior, weights) == pytest.approx(expected)
    assert challenge_loss(told[:2], labels[:2], prior, weights) == pytest.approx(-np.log(0.5)), "classes present alone"


def test_a_class_that_the_training_set_lacks_gets_nothing_and_takes_nothing():
    prior, ones = np.array([0.5, 0.5, 0.0]), np.ones(3)
    told = np.array([[0.6, 0.3, 0.1]])
    assert challenge_loss(told, np.array([0]), prior, ones) == pytest.approx(-np.log(2 / 3))
    assert challenge_loss(told, np.array([2]), prior, ones) > 20


def test_a_bundle_of_other_classes_is_refused(bundle):
    manifest = bundle.manifest.model_copy(update={"classes": bundle.manifest.classes[::-1]})
    with pytest.raises(BundleError, match="expected PLAsTiCC's 14 classes in their order, found SLSN"):
        evaluate(replace(bundle, manifest=manifest), (), 1, None)


def test_tidal_disruptions_and_kilonovae_count_twice():
    weights = challenge_weights([BY_PLASTICC[target].id for target in PLASTICC_TARGETS])
    assert {target for target, w in zip(PLASTICC_TARGETS, weights, strict=True) if w == 2} == {15, 64}
    assert set(weights) == {1, 2}


def test_brier_score_by_hand():
    assert brier(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 1])) == pytest.approx((0.5 + 2.0) / 2)


def test_areas_and_f1_are_those_of_scikit_learn():
    told, labels = np.round(RNG.dirichlet(np.ones(4), 300), 1), RNG.integers(0, 3, 300)
    areas, best = auc_by_class(told, labels), told.argmax(axis=1)
    assert areas[:3] == pytest.approx([roc_auc_score(labels == k, told[:, k]) for k in range(3)])
    assert np.isnan(areas[3])
    assert macro_auc(told, labels) == pytest.approx(areas[:3].mean())
    expected = f1_score(labels, best, labels=[0, 1, 2], average=None)
    assert f1_by_class(confusion(best, labels, 4))[:3] == pytest.approx(expected)
    assert macro_f1(best, labels) == pytest.approx(expected.mean())


def test_reliability_bins_by_hand():
    told = np.array([[0.55, 0.45], [0.5, 0.5], [0.9, 0.1], [0.0, 1.0]])
    bins = reliability(told, np.array([0, 1, 1, 1]), 2)
    assert bins.counts.tolist() == [0, 4]
    assert bins.right.tolist() == [0, 2]
    assert bins.told.tolist() == pytest.approx([0, 2.95])
    assert bins.ece == pytest.approx(0.95 / 4)


def test_a_group_tells_purity_completeness_and_counts():
    told = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
    found = group(
        "8", told, np.array([0, 0, 1, 1]), np.array([5, 5, 6, 7]), np.full(3, 1 / 3), (2222, 2223, 2224), by_class=True
    )
    assert found.confusion == ((1, 1, 0), (1, 1, 0), (0, 0, 0))
    assert (found.figures.objects, found.figures.light_curves, found.figures.classes) == (3, 4, 2)
    first, _, absent = found.classes
    assert (first.purity, first.completeness, first.f1, first.light_curves) == (0.5, 0.5, 0.5, 2)
    assert (absent.purity, absent.completeness, absent.f1, absent.auc, absent.light_curves) == (None,) * 4 + (0,)
    assert found.figures.reliability is None


def test_stability_by_hand():
    a, b = [1.0, 0.0], [0.25, 0.75]
    found = stability(np.array([a, b, a, a, b, b, a]), np.array([0, 0, 0, 0, 1, 1, 2]))
    assert (found.objects, found.updates) == (3, 4)
    assert found.changed == 0.5
    assert found.distance == pytest.approx(2 * 0.75 / 4)
    assert (found.watched, found.back) == (2, 0.5)


def test_objects_of_one_update_have_no_stability():
    found = stability(np.eye(3), np.arange(3))
    assert (found.updates, found.changed, found.distance, found.back) == (0, None, None, None)


def test_what_is_no_evaluation_is_told(tmp_path):
    with pytest.raises(EvaluationError, match=r"evaluation\.json can't be read.*boreal-train evaluate"):
        read_evaluation(tmp_path)
    (tmp_path / "evaluation.json").write_text('{"format_version": 2}')
    with pytest.raises(EvaluationError, match=r"expected a bundle's evaluation.*format_version"):
        read_evaluation(tmp_path)
