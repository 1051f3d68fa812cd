"""The bundle that ships: whole, its manifest true, and better than guessing on objects it never saw."""

from itertools import pairwise

import numpy as np
import pytest

from classifiers.bundle import default_bundle_path
from classifiers.evaluation import COST, ENSEMBLE, read_evaluation
from classifiers.predict import classify, predict
from classifiers.taxonomy import PLASTICC_TARGETS
from features.extract import extract
from schemas.decode import decode
from schemas.packets import packets
from training.card import CARD, with_figures
from training.examples import make_examples
from training.scores import nll, score
from training.sources import sources


def test_it_holds_three_members_the_14_classes_and_no_other_file(bundle):
    assert sorted(entry.kind for entry in bundle.manifest.members) == ["oblivious", "recurrent", "trees"]
    assert all(entry.weight > 0 for entry in bundle.manifest.members)
    assert tuple(entry.plasticc for entry in bundle.manifest.classes) == PLASTICC_TARGETS
    files = {path.name for path in default_bundle_path().iterdir()}
    assert files - {COST} == {"manifest.json", *bundle.manifest.files}
    assert sum(path.stat().st_size for path in default_bundle_path().iterdir()) < 20_000_000


@pytest.fixture(scope="module")
def simulated():
    """The evaluation on simulated objects, with and without host."""
    evaluation = read_evaluation(default_bundle_path())
    samples = [sample for sample in evaluation.samples if "simulator" in sample.name]
    assert [sample.host for sample in samples] == ["with", "without"]
    return samples


def test_the_ensemble_is_better_than_each_member(simulated, bundle):
    for sample in simulated:
        told = {answer.name: answer.all_ages.figures for answer in sample.answers}
        assert len(told) == 2 + len(bundle.members)
        for name in (entry.kind for entry in bundle.manifest.members):
            assert told[ENSEMBLE].nll < told[name].nll
            assert told[ENSEMBLE].weighted < told[name].weighted


def test_its_log_loss_falls_with_age(simulated):
    for sample in simulated:
        losses = [group.figures.nll for group in sample.answer(ENSEMBLE).ages]
        assert len(losses) == 11
        assert losses[-1] < losses[0] / 3
        assert all(later < earlier + 0.02 for earlier, later in pairwise(losses))


def test_it_is_calibrated_at_every_age(simulated):
    for sample in simulated:
        spans = sample.answer(ENSEMBLE).spans
        assert len(spans) == 5
        assert max(span.figures.ece for span in spans) <= 0.02


def test_a_trial_of_novelty_is_told_for_each_class(bundle):
    trials = read_evaluation(default_bundle_path()).novelty
    assert [trial.class_id for trial in trials] == [node.id for node in bundle.classes]
    assert np.mean([trial.auroc for trial in trials]) > 0.5


def test_its_manifest_says_what_it_was_fitted_on(bundle):
    training = bundle.manifest.training_set
    objects = sum(source.objects for source in training.sources)
    assert objects == sum(training.objects_per_class.values()) > 5000
    assert all(count > 0 for count in training.objects_per_class.values())
    curves = np.array(list(training.light_curves_per_class.values()))
    np.testing.assert_allclose(bundle.manifest.prior, curves / curves.sum(), atol=1e-6)
    assert list(training.light_curves_per_class) == [node.name for node in bundle.classes]


def test_every_recorded_score_beats_its_prior_on_simulated_objects(bundle):
    simulated = [entry for entry in bundle.manifest.scores if "simulator" in entry.sample]
    assert {entry.host for entry in simulated} == {"with", "without"}
    assert {entry.days for entry in simulated} == {"all", "0-2", "2-8", "8-32", "32-128", "128+"}
    assert all(entry.nll < entry.prior_nll for entry in simulated)


@pytest.mark.slow
def test_it_beats_its_prior_on_objects_it_never_saw(bundle):
    seed = bundle.manifest.training_set.sources[0].seed
    simulated, *published = sources(600, seed)
    prior = np.asarray(bundle.manifest.prior)
    for source in (simulated, *published):
        examples = make_examples(source.test, bundle.feature_names, 2, 99)
        probabilities, _ = classify(examples.data, bundle)
        assert nll(probabilities, examples.labels) < 0.9 * nll(np.tile(prior, (len(examples), 1)), examples.labels)
    found = score(*_answers(bundle, simulated.test), prior)
    assert found.macro_auc > 0.85


def _answers(bundle, objects):
    examples = make_examples(objects, bundle.feature_names, 2, 99)
    return classify(examples.data, bundle)[0], examples.labels


def test_it_classifies_the_real_packets(bundle, sample_packets, registry):
    alerts = decode(packets(sample_packets), registry).alerts
    answer = predict(alerts, extract(alerts, bundle.feature_names), bundle)
    asteroid = np.asarray(alerts.table["is_solar_system"])
    usable = ~asteroid & (alerts.light_curves.lengths > 0)
    np.testing.assert_array_equal(answer.classified, usable)
    assert usable.sum() > 15
    np.testing.assert_allclose(answer.probabilities[usable].sum(axis=1), 1, atol=1e-12)
    assert (answer.novelty[usable] > 0).all()


def test_the_model_card_shows_the_figures_of_this_bundle(bundle):
    text = CARD.read_text()
    assert bundle.sha256 in text
    assert with_figures(text, default_bundle_path()) == text, "run `python -m training.card`"
