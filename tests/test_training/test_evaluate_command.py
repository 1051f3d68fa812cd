"""`boreal-train evaluate` on the official files, with the shipped bundle."""

import pytest
from typer.testing import CliRunner

from classifiers.bundle import default_bundle_path
from classifiers.evaluation import ENSEMBLE, read_evaluation
from training.commands import app

pytestmark = pytest.mark.slow


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """A training set in the official files."""
    folder = tmp_path_factory.mktemp("official")
    done = run("simulate", "--out", folder, "--objects", 60, "--seed", 3)
    assert done.exit_code == 0, done.output
    return folder


def test_all_objects_of_the_official_files_are_scored_when_all_are_kept_back(official, tmp_path):
    done = run(
        "evaluate", default_bundle_path(), "--data", official, "--test-share", 1, "--out", tmp_path / "told.json"
    )
    assert done.exit_code == 0, done.output
    found = read_evaluation(tmp_path / "told.json")
    assert [sample.host for sample in found.samples] == ["with", "without"]
    for sample in found.samples:
        assert "training_set.csv" in sample.name
        assert sample.objects == 60
        assert sample.answer(ENSEMBLE).ages[0].figures.objects == 60
    assert found.cost
    assert not any("seed" in note for note in found.notes)


def test_another_seed_than_the_fit_s_is_noted(official, tmp_path):
    out = tmp_path / "told.json"
    done = run("evaluate", default_bundle_path(), "--data", official, "--test-share", 0.5, "--seed", 8, "--out", out)
    assert done.exit_code == 0, done.output
    found = read_evaluation(out)
    assert "not 8: it may know some of these objects" in found.notes[0]
    assert 20 < found.samples[0].objects < 40


def test_a_folder_that_is_not_there_is_told_before_anything_is_scored(tmp_path):
    done = run("evaluate", default_bundle_path(), "--out", tmp_path / "missing" / "told.json")
    assert done.exit_code == 2
    assert "is no folder" in done.stderr


def test_files_that_are_no_training_set_are_told(tmp_path):
    done = run("evaluate", default_bundle_path(), "--data", tmp_path, "--out", tmp_path / "told.json")
    assert done.exit_code == 2
    assert "doesn't hold the training set" in done.stderr
