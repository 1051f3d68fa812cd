"""Trees in groups: a class has its group's probability times its own within the group."""

import lightgbm
import numpy as np
import pytest

from classifiers.member import MemberInput
from classifiers.members.trees import load

N_FEATURES, N_CLASSES = 3, 5
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(300, N_FEATURES)).astype(np.float32)
GROUPS = ((0, 3), (1, 2, 4))


def model(path, n_classes):
    labels = np.digitize(ROWS[:, 0] + 0.1 * ROWS[:, 1], np.linspace(-1, 1, n_classes + 1)[1:-1])
    params = {"objective": "multiclass", "num_class": n_classes, "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(params, lightgbm.Dataset(ROWS, labels), 5)
    path.write_text(booster.model_to_string())
    return lambda rows: booster.predict(rows, num_threads=1)


@pytest.fixture
def parts(tmp_path):
    return {name: model(tmp_path / f"{name}.txt", n) for name, n in (("gate", 2), ("two", 2), ("three", 3))}


def settings(**changes):
    groups = [{"classes": list(GROUPS[0]), "file": "two.txt"}, {"classes": list(GROUPS[1]), "file": "three.txt"}]
    return {"gate": "gate.txt", "groups": groups, "n_features": N_FEATURES, "n_classes": N_CLASSES, **changes}


def test_a_probability_is_that_of_the_group_times_that_within_it(parts, tmp_path):
    answer = load(tmp_path, settings()).predict(MemberInput(ROWS, None)).probabilities
    gate = parts["gate"](ROWS)
    np.testing.assert_allclose(answer[:, list(GROUPS[0])], gate[:, :1] * parts["two"](ROWS), rtol=1e-12)
    np.testing.assert_allclose(answer[:, list(GROUPS[1])], gate[:, 1:] * parts["three"](ROWS), rtol=1e-12)


def test_a_group_of_one_class_needs_no_model(parts, tmp_path):
    groups = [{"classes": [2], "file": None}, {"classes": [0, 1, 4], "file": "three.txt"}]
    answer = load(tmp_path, settings(groups=groups)).predict(MemberInput(ROWS, None)).probabilities
    np.testing.assert_allclose(answer[:, 2], parts["gate"](ROWS)[:, 0], rtol=1e-12)
    assert (answer[:, 3] == 0).all()
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-12)


def test_one_group_needs_no_gate(parts, tmp_path):
    groups = [{"classes": [0, 1, 4], "file": "three.txt"}]
    answer = load(tmp_path, settings(groups=groups, gate=None)).predict(MemberInput(ROWS, None)).probabilities
    np.testing.assert_allclose(answer[:, [0, 1, 4]], parts["three"](ROWS), rtol=1e-12)


WRONG = {
    "a class in two groups": ({"groups": [{"classes": [0, 3], "file": "two.txt"}] * 2}, "twice"),
    "no group": ({"groups": [], "gate": None}, "or none"),
    "a class too many": ({"groups": [{"classes": [0, 5], "file": "two.txt"}], "gate": None}, "classes up to 5"),
    "groups and no gate": ({"gate": None}, "tells 2 classes or groups apart"),
    "a model of other classes": (
        {"groups": [{"classes": [0, 1, 2], "file": "two.txt"}], "gate": None}, "two.txt has .features, classes",
    ),
    "a model of other columns": ({"n_features": 4}, "two.txt has .features, classes"),
}  # fmt: skip


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_together_is_a_value_error(name, tmp_path):
    changes, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        load(tmp_path, settings(**changes))
