"""One class after the other is kept from the network: it is told as strange where it is, and nothing of it leaks in."""

import numpy as np
import pytest

from classifiers.member import MemberInput
from classifiers.taxonomy import BY_PLASTICC, PLASTICC_TARGETS
from features.family import FeatureInput
from schemas.alerts import LightCurves
from training import leave_one_out as trials
from training import members
from training.examples import Examples
from training.fit_recurrent import RecurrentSettings, n_batches
from training.leave_one_out import Effort, leave_one_out
from training.problem import Problem

PROBLEM = Problem(names=(), n_classes=14, recurrent=RecurrentSettings(batch=32, learning_rate=1e-2))
EFFORT = Effort(light_curves=300, epochs=4, known=200)
STRANGE = 5


class Told:
    """Stages that remember their names and steps."""

    def __init__(self) -> None:
        self.stages: dict[str, list[int]] = {}

    def begin(self, what, total):
        steps = self.stages[what] = [total]
        return lambda count=1: steps.append(count)


def examples(per_class: int, seed: int) -> Examples:
    """Light curves of four classes: 0 and 1 are the same, 2 is brighter and in another band, one is far from all."""
    rng = np.random.default_rng(seed)
    labels = np.tile([0, 1, 2, STRANGE], per_class)
    lengths = rng.integers(4, 12, len(labels))
    owner = np.repeat(labels, lengths)
    level = np.select([owner <= 1, owner == 2], [300.0, 1e4], 3e7)
    curves = LightCurves(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([np.sort(rng.uniform(0, 50, n)) for n in lengths]),
        level * rng.uniform(0.8, 1.2, len(owner)),
        np.full(len(owner), 30.0),
        np.where(owner <= 1, 1, 2).astype(np.uint8),
        np.full(len(owner), True),
    )
    unknown = np.full(len(labels), np.nan)
    given = FeatureInput(curves, unknown, unknown, unknown)
    parents = 1000 * seed + np.arange(len(labels)) // 2
    return Examples(MemberInput(np.zeros((len(labels), 0), np.float32), given), labels, parents)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


@pytest.fixture(scope="module")
def found(told):
    return leave_one_out(examples(120, 1), examples(40, 2), PROBLEM, told, EFFORT)


def test_a_trial_for_each_class(found):
    classes = [BY_PLASTICC[PLASTICC_TARGETS[label]].id for label in (0, 1, 2, STRANGE)]
    assert [trial.class_id for trial in found] == classes
    assert {trial.objects for trial in found} == {40}


def test_a_class_far_from_all_others_is_told_and_the_twin_of_a_known_one_is_not(found):
    assert found[-1].auroc > 0.95
    assert abs(found[1].auroc - 0.5) < 0.2


def test_the_same_seed_gives_the_same_trials(found):
    assert leave_one_out(examples(120, 1), examples(40, 2), PROBLEM, Told(), EFFORT) == found


def test_each_stage_is_told_to_its_end(told):
    assert len(told.stages) == 4
    for total, *steps in told.stages.values():
        assert sum(steps) == total == n_batches(300, RecurrentSettings(epochs=4, batch=32))


def test_neither_network_nor_score_sees_the_class_left_out(monkeypatch):
    seen = []

    def watched(fit):
        def fitted(given, labels, *more, **settings):
            seen.append(set(labels.tolist()))
            return fit(given, labels, *more, **settings)

        return fitted

    for module, name in ((members, "fit_recurrent"), (trials, "fit_novelty")):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    few = Effort(light_curves=100, epochs=1, known=50)
    leave_one_out(examples(40, 1), examples(10, 2), PROBLEM, Told(), few)
    everything = {0, 1, 2, STRANGE}
    assert seen == [everything - {label} for label in (0, 1, 2, STRANGE) for _ in range(2)]


def test_effort_bounds_what_is_fitted_on_and_the_known_light_curves_but_not_the_class_left_out(monkeypatch):
    sizes = []
    monkeypatch.setattr(trials, "_auroc", lambda unknown, score: sizes.append((unknown.sum(), len(score))) or 0.5)
    leave_one_out(examples(40, 1), examples(30, 2), PROBLEM, Told(), Effort(light_curves=64, epochs=1, known=20))
    assert set(sizes) == {(30, 50)}


def test_one_class_alone_is_no_trial():
    held = examples(10, 2)
    alone = held.take(np.flatnonzero(held.labels == 1))
    assert leave_one_out(examples(10, 1), alone, PROBLEM, Told(), EFFORT) == ()
