"""A tiny bundle from nothing: fitted, written, loaded, scored, and the same again for the same seed."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from classifiers.bundle import Bundle, file_sha256
from classifiers.evaluation import ENSEMBLE, EVALUATION, UNCALIBRATED, read_evaluation
from classifiers.predict import predict
from features.extract import extract
from training import ensemble, members
from training.commands import app
from training.light_curves import real_plasticc
from training.sources import SIMULATED, sources

pytestmark = pytest.mark.slow

TINY = ["--objects", "150", "--views", "1", "--folds", "2", "--epochs", "1", "--rounds", "5"]


def fit(path, *more):
    done = CliRunner().invoke(app, ["shipped", "--out", str(path), *TINY, *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Bundle.load(path)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("one") / "tiny")


def test_the_bundle_classifies(bundle):
    alerts, _ = real_plasticc()
    answer = predict(alerts, extract(alerts, bundle.feature_names), bundle)
    assert answer.classified.all()
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, atol=1e-12)


def test_the_manifest_tells_the_fit(bundle):
    manifest = bundle.manifest
    assert manifest.name == "tiny"
    assert sum(source.objects for source in manifest.training_set.sources) < 150 + 100 + 346
    assert sum(manifest.training_set.light_curves_per_class.values()) <= 150 + 100 + 346
    assert sum(entry.weight for entry in manifest.members) == pytest.approx(1)
    assert {entry.host for entry in manifest.scores} == {"with", "without"}
    assert len({entry.sample for entry in manifest.scores}) == 3


def test_its_report_and_its_card_lie_beside_it(bundle):
    folder = bundle.path.with_name("tiny-report")
    assert "Where it fails" in (folder / "report.html").read_text()
    card = (folder / "model-card.md").read_text()
    assert card.startswith("# Model card: tiny 2.0.0")
    assert bundle.sha256 in card
    for section in ("## Where it fails\n\n* It is worst on", "## Figures", "| recurrent |", "Boreal's simulator"):
        assert section in card


def test_the_same_seed_makes_the_same_bundle(bundle, tmp_path):
    assert fit(tmp_path / "tiny").sha256 == bundle.sha256


def test_a_fit_that_was_broken_off_goes_on_where_it_was(bundle, tmp_path, monkeypatch):
    """Broken off at its last member, then with no way to fit what is done: the rest is fitted, the bundle the same."""
    whole, fitted = members.NETWORK.fit, []

    def fit_until_the_last(examples, problem, folder, step):
        fitted.append(len(examples))
        if len(fitted) == 3:
            raise RuntimeError("broken off")
        return whole(examples, problem, folder, step)

    def network(fit):
        makers = tuple(replace(maker, fit=fit) if maker.kind == "recurrent" else maker for maker in members.MAKERS)
        monkeypatch.setattr(ensemble, "MAKERS", makers)

    network(fit_until_the_last)
    with pytest.raises(RuntimeError, match="broken off"):
        fit(tmp_path / "tiny")
    assert (tmp_path / "tiny.parts").is_dir()
    assert not (tmp_path / "tiny").exists()
    again = []
    network(lambda examples, *rest: (again.append(len(examples)), whole(examples, *rest))[1])
    assert fit(tmp_path / "tiny").sha256 == bundle.sha256
    assert again == fitted[2:]
    assert not (tmp_path / "tiny.parts").exists()


def test_no_test_object_shares_a_parent_with_what_is_fitted_on():
    parts = sources(150, 1)
    fitted = np.concatenate([source.fit.parents for source in parts])
    tested = np.concatenate([source.test.parents for source in parts])
    assert not set(fitted) & set(tested)
    assert all(len(source.fit) and len(source.test) for source in parts)
    simulated, plasticc, elasticc2 = parts
    assert 0.05 < len(simulated.test) / 150 < 0.3
    assert len(plasticc.fit) + len(plasticc.test) == 100
    assert abs(len(elasticc2.fit) - len(elasticc2.test)) <= 3


def test_the_bundle_keeps_objects_of_every_class_that_it_was_fitted_on(bundle):
    kept = bundle.neighbours
    assert kept is not None
    assert bundle.manifest.files["neighbours.npz"]
    fitted = {source.name: source.fit for source in sources(150, 1)}
    assert set(kept.labels) == set(np.concatenate([objects.labels for objects in fitted.values()]))
    assert set(kept.origins) <= set(fitted)
    assert (kept.published == [name != SIMULATED for name in kept.origins]).all()
    assert np.isfinite(kept.latent).all()
    for name, objects in fitted.items():
        ids = np.asarray(objects.alerts.table["object_id"]).astype(str).tolist()
        rows = [ids.index(each) for each in kept.ids[kept.origins == name]]
        assert objects.labels[rows].tolist() == kept.labels[kept.origins == name].tolist()
        parents = np.abs(objects.parents[rows]).astype(str).tolist()
        assert parents == kept.parents[kept.origins == name].tolist()


def test_the_evaluation_is_in_the_bundle_and_tells_every_member(bundle):
    found = read_evaluation(bundle.path)
    assert bundle.manifest.files[EVALUATION] == file_sha256(bundle.path / EVALUATION)
    assert {(sample.name, sample.host) for sample in found.samples} == {
        (entry.sample, entry.host) for entry in bundle.manifest.scores
    }
    for sample in found.samples:
        assert [answer.name for answer in sample.answers] == ["trees", "recurrent", "oblivious", UNCALIBRATED, ENSEMBLE]
        for answer in sample.answers:
            assert sum(map(sum, answer.all_ages.confusion)) == answer.all_ages.figures.light_curves
            assert sum(each.figures.light_curves for each in answer.ages) == answer.all_ages.figures.light_curves
            assert sum(each.figures.light_curves for each in answer.spans) == answer.all_ages.figures.light_curves
        told = [loss for row in sample.losses.nll for loss in row if loss is not None]
        assert np.mean(told) == pytest.approx(sample.answer(ENSEMBLE).all_ages.figures.nll, abs=1e-4)
    assert {cost.step for cost in found.cost} == {"features", "trees", "recurrent", "oblivious", "classify"}
    assert all(0 < cost.p50 <= cost.p99 for cost in found.cost)


def test_an_evaluation_is_what_the_same_objects_give_again(bundle, tmp_path):
    """In a file of its own, and in a bundle, whose manifest then has its hash."""
    command = ["evaluate", str(bundle.path), "--objects", "150"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "again.json")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    again = read_evaluation(tmp_path / "again.json")
    assert again.model_copy(update={"cost": ()}) == read_evaluation(bundle.path).model_copy(update={"cost": ()})
    assert again.cost
    copy = shutil.copytree(bundle.path, tmp_path / "copy")
    (copy / EVALUATION).write_text("{}")
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"][EVALUATION]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    done = CliRunner().invoke(app, ["evaluate", str(copy), "--objects", "150"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert Bundle.load(copy).manifest.files[EVALUATION] == file_sha256(copy / EVALUATION)
    # What leaving classes out has shown went with the file that was taken away.
    assert read_evaluation(copy).novelty == ()
    left = {"cost": (), "novelty": ()}
    assert read_evaluation(copy).model_copy(update=left) == read_evaluation(bundle.path).model_copy(update=left)
