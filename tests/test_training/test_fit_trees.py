import lightgbm
import numpy as np
import pytest

from training.fit_trees import TreesSettings, fit_trees

NAMES = ("one", "two", "three")
FEATURES = np.random.default_rng(0).normal(size=(600, 3)).astype(np.float32)
FEATURES[::5, 0] = np.nan
LABELS = (FEATURES[:, 1] > 0).astype(np.int64) + (FEATURES[:, 2] > 0.5)


def fit(**changes) -> str:
    given = {
        "n_classes": 4,
        "settings": TreesSettings(rounds=20, feature_fraction=0.7, l2=0.0, learning_rate=0.2),
        "seed": 1,
        **changes,
    }
    return fit_trees(FEATURES, NAMES, LABELS, **given)


@pytest.fixture(scope="module")
def model() -> str:
    return fit()


def test_the_same_seed_makes_the_same_bytes(model):
    assert fit() == model
    assert fit(seed=2) != model


def test_the_text_is_the_whole_model(model):
    booster = lightgbm.Booster(model_str=model)
    assert booster.num_trees() == 20 * 4
    assert tuple(booster.feature_name()) == NAMES
    answer = booster.predict(FEATURES)
    assert answer.shape == (600, 4)
    assert np.mean(answer.argmax(axis=1) == LABELS) > 0.9


def test_a_class_without_examples_stays_improbable(model):
    assert lightgbm.Booster(model_str=model).predict(FEATURES)[:, 3].max() < 0.05


def test_every_round_is_told():
    ticks = []
    fit(tick=lambda: ticks.append(1))
    assert len(ticks) == 20
