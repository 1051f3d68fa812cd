"""The oblivious trees answer as CatBoost does, and a damaged file of theirs is told."""

import catboost
import numpy as np
import pytest

from classifiers.member import MemberInput
from classifiers.members.oblivious import load
from training.fit_oblivious import ObliviousSettings, _params, fit_oblivious

N_CLASSES, N_FEATURES = 4, 5
SETTINGS = ObliviousSettings(rounds=30, depth=4, borders=16, column_fraction=1.0)
RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(500, N_FEATURES)).astype(np.float32)
FEATURES[RNG.random(FEATURES.shape) < 0.2] = np.nan
LABELS = np.where(FEATURES[:, 1] > 0, 2, np.where(FEATURES[:, 2] > 0.5, 1, 0)).astype(np.int64)
SIZES = {"file": "oblivious.npz", "n_features": N_FEATURES, "n_classes": N_CLASSES}
ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 3.4e38, -3.4e38, 0.5], np.float32)


@pytest.fixture(scope="module")
def arrays():
    return fit_oblivious(FEATURES, LABELS, n_classes=N_CLASSES, settings=SETTINGS, seed=1)


def loaded(folder, arrays, **sizes):
    np.savez(folder / "oblivious.npz", allow_pickle=False, **arrays)
    return load(folder, {**SIZES, **sizes})


def test_it_answers_as_catboost_does(arrays, tmp_path):
    member = loaded(tmp_path, arrays)
    model = catboost.CatBoostClassifier(**_params(SETTINGS, 1)).fit(FEATURES, LABELS)
    asked = np.concatenate([FEATURES, RNG.choice(ODD, (300, N_FEATURES))])
    answer = member.predict(MemberInput(asked, None)).probabilities
    np.testing.assert_allclose(answer[:, :3], model.predict_proba(asked), atol=1e-5)
    assert np.mean(answer[:500].argmax(axis=1) == LABELS) > 0.9


def test_a_class_without_examples_is_hardly_ever_the_answer(arrays, tmp_path):
    answer = loaded(tmp_path, arrays).predict(MemberInput(FEATURES, None)).probabilities
    assert answer[:, 3].max() < 1e-6


def test_the_same_seed_makes_the_same_trees(arrays):
    again = fit_oblivious(FEATURES, LABELS, n_classes=N_CLASSES, settings=SETTINGS, seed=1)
    other = fit_oblivious(FEATURES, LABELS, n_classes=N_CLASSES, settings=SETTINGS, seed=2)
    assert all((again[name] == arrays[name]).all() for name in arrays)
    assert not (other["leaves"] == arrays["leaves"]).all()


def test_every_round_is_told():
    ticks = []
    fit_oblivious(FEATURES, LABELS, n_classes=N_CLASSES, settings=SETTINGS, seed=1, tick=lambda: ticks.append(1))
    assert len(ticks) == SETTINGS.rounds


DAMAGE = {
    "no borders": (lambda a: {name: a[name] for name in ("columns", "leaves")}, "no file of arrays"),
    "a level less": (lambda a: {**a, "columns": a["columns"][:, 1:]}, "don't fit each other"),
    "a tree less": (lambda a: {**a, "leaves": a["leaves"][1:]}, "don't fit each other"),
    "flat leaves": (lambda a: {**a, "leaves": a["leaves"].ravel()}, "doesn't hold trees"),
    "another column": (lambda a: {**a, "columns": a["columns"] + N_FEATURES}, "other columns"),
    "a column before the first": (lambda a: {**a, "columns": a["columns"] - N_FEATURES}, "other columns"),
    "another class": (lambda a: {**a, "leaves": a["leaves"][:, :, 1:]}, "has 3 classes"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_a_value_error(arrays, name, tmp_path):
    change, message = DAMAGE[name]
    with pytest.raises(ValueError, match=message):
        loaded(tmp_path, change(arrays))
