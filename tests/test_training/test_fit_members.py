"""Which models the trees get for the classes that have light curves, and that fits side by side end as one by one."""

import numpy as np
import pytest

from classifiers.members.trees import load
from features.extract import catalogue
from training.ensemble import fit_members
from training.examples import Examples, Objects, make_examples
from training.fit_oblivious import ObliviousSettings
from training.fit_recurrent import RecurrentSettings
from training.fit_trees import TreesSettings
from training.members import TREES, files_of
from training.parts import Parts
from training.problem import ClassGroup, Problem
from training.simulate import simulate

NAMES = tuple(feature.name for feature in catalogue())[:40]
PROBLEM = Problem(
    NAMES,
    n_classes=5,
    groups=(ClassGroup("near", (0, 3)), ClassGroup("far", (1, 2, 4))),
    trees=TreesSettings(rounds=3, min_in_leaf=2),
    recurrent=RecurrentSettings(epochs=1),
    oblivious=ObliviousSettings(rounds=3, depth=2),
    folds=2,
)


class Quiet:
    def begin(self, _what, _total):
        return lambda _count=1: None


def examples_of(labels) -> Examples:
    alerts = simulate(len(labels), 5)[0]
    return make_examples(Objects(alerts, np.asarray(labels), np.arange(len(labels))), NAMES, 1, 1)


def fitted(labels, folder):
    """The settings of trees for such classes, and what they say of the light curves."""
    examples, ticks = examples_of(labels), []
    settings = TREES.fit(examples, PROBLEM, folder, lambda count=1: ticks.append(count))
    assert len(ticks) == TREES.steps(examples, PROBLEM)
    assert {path.name for path in folder.iterdir()} == set(files_of(settings))
    member = load(folder, {**settings, "n_features": len(NAMES), "n_classes": PROBLEM.n_classes})
    return settings, member.predict(examples.data).probabilities


def test_each_side_has_a_model_and_a_gate_parts_them(tmp_path):
    settings, answer = fitted(np.arange(60) % 5, tmp_path)
    assert files_of(settings) == ["trees_gate.txt", "trees_near.txt", "trees_far.txt"]
    assert (answer > 0).all()


def test_a_side_without_light_curves_has_no_model_and_there_is_no_gate(tmp_path):
    settings, answer = fitted([1, 2, 4] * 20, tmp_path)
    assert files_of(settings) == ["trees_far.txt"]
    assert settings["gate"] is None
    assert (answer[:, [0, 3]] == 0).all()


def test_a_class_without_light_curves_stays_improbable(tmp_path):
    _, answer = fitted([0, 1, 2] * 20, tmp_path)
    assert answer[:, [3, 4]].max() < 0.1
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-12)


@pytest.mark.slow
def test_members_are_the_same_whether_fitted_side_by_side_or_one_by_one(tmp_path, monkeypatch):
    examples = examples_of(np.arange(80) % 5)
    found = {}
    for cores in (1, 8):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found[cores] = fit_members(examples, PROBLEM, Parts(tmp_path / str(cores)), Quiet())
    one, other = found[1], found[8]
    assert [folder.name for folder in one.folders] == [folder.name for folder in other.folders]
    for first, second in zip(one.answers, other.answers, strict=True):
        assert first.tobytes() == second.tobytes()
    for first, second in zip(one.folders, other.folders, strict=True):
        for path in first.iterdir():
            assert path.read_bytes() == (second / path.name).read_bytes()
