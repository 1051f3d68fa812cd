"""Contributions of the trees against Shapley's definition, for one joint model and for trees in groups."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import lightgbm
import numpy as np
import pytest

from classifiers.bundle import Bundle
from classifiers.manifest import MemberEntry
from classifiers.member import MemberInput
from classifiers.members.trees import load
from classifiers.why.contributions import _Said, _together, contributions, shapley_values

RNG = np.random.default_rng(0)
N_FEATURES = 4
ROWS = RNG.normal(size=(400, N_FEATURES)).astype(np.float32)
ROWS[::7, 1] = np.nan
GROUPS = ((0, 3), (1, 2, 4), (5,))


def grow(path, n_classes: int) -> None:
    score = ROWS[:, 0] + 0.7 * np.nan_to_num(ROWS[:, 1]) * ROWS[:, 2]
    labels = np.digitize(score, np.quantile(score, np.linspace(0, 1, n_classes + 1)[1:-1]))
    params = {"objective": "multiclass", "num_class": n_classes, "verbose": -1, "num_threads": 1, "num_leaves": 6}
    lightgbm.train(params, lightgbm.Dataset(ROWS, labels), 8).save_model(path)


def with_trees(bundle: Bundle, path, gate: str | None, groups: list[dict[str, object]]) -> Bundle:
    files = tuple(str(name) for name in (gate, *(group["file"] for group in groups)) if name)
    entry = MemberEntry(kind="trees", files=files, settings={"gate": gate, "groups": groups}, weight=1)
    names = bundle.feature_names[:N_FEATURES]
    manifest = bundle.manifest.model_copy(update={"members": (entry,), "features": names})
    return replace(bundle, path=path, manifest=manifest)


@pytest.fixture(scope="module")
def joint(bundle: Bundle, tmp_path_factory) -> Bundle:
    path = tmp_path_factory.mktemp("joint")
    grow(path / "trees.txt", 5)
    return with_trees(bundle, path, None, [{"classes": [2, 0, 1, 3, 4], "file": "trees.txt"}])


@pytest.fixture(scope="module")
def grouped(bundle: Bundle, tmp_path_factory) -> Bundle:
    path = tmp_path_factory.mktemp("grouped")
    for name, n_classes in (("gate", 3), ("two", 2), ("three", 3)):
        grow(path / f"{name}.txt", n_classes)
    files = ("two.txt", "three.txt", None)
    groups = [{"classes": list(classes), "file": file} for classes, file in zip(GROUPS, files, strict=True)]
    return with_trees(bundle, path, "gate.txt", groups)


def booster_of(made: Bundle, name: str) -> lightgbm.Booster:
    return lightgbm.Booster(model_file=made.path / name)


def answers(made: Bundle, rows: np.ndarray) -> np.ndarray:
    settings = {**made.manifest.members[0].settings, "n_features": N_FEATURES, "n_classes": 6}
    return load(made.path, settings).predict(MemberInput(rows, None)).probabilities


def test_what_features_add_to_a_score_adds_up_to_the_score(joint):
    booster = booster_of(joint, "trees.txt")
    np.testing.assert_allclose(
        shapley_values(booster, ROWS).sum(axis=2), booster.predict(ROWS, raw_score=True), atol=1e-6
    )


def test_what_features_add_to_a_score_is_what_shapley_asks_for(joint):
    booster = booster_of(joint, "trees.txt")
    trees = booster.dump_model()["tree_info"]
    for row in ROWS[:4]:
        expected = np.zeros((5, N_FEATURES))
        for number, tree in enumerate(trees):
            expected[number % 5] += by_definition(tree["tree_structure"], row)
        np.testing.assert_allclose(shapley_values(booster, row[None])[0, :, :-1], expected, atol=1e-9)


def by_definition(tree, row) -> np.ndarray:
    """Shapley's weighted mean of what a feature adds to each set of the others (Lundberg et al. 2020, eq. 4)."""
    found = np.zeros(N_FEATURES)
    for feature in range(N_FEATURES):
        others = [k for k in range(N_FEATURES) if k != feature]
        for size in range(N_FEATURES):
            weight = math.factorial(size) * math.factorial(N_FEATURES - size - 1) / math.factorial(N_FEATURES)
            for known in combinations(others, size):
                found[feature] += weight * (expected(tree, row, {*known, feature}) - expected(tree, row, {*known}))
    return found


def expected(node, row, known: set[int]) -> float:
    """The mean of a tree's leaves where only these features are known, by how many fitted rows went each way."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    sides = [node["left_child"], node["right_child"]]
    if node["split_feature"] in known:
        return expected(sides[goes_right(node, row)], row, known)
    counts = [side.get("internal_count", side.get("leaf_count")) for side in sides]
    return sum(count / sum(counts) * expected(side, row, known) for side, count in zip(sides, counts, strict=True))


def goes_right(node, row) -> bool:
    value = float(row[node["split_feature"]])
    if math.isnan(value) and node["missing_type"] == "NaN":
        return not node["default_left"]
    return not (0.0 if math.isnan(value) else value) <= node["threshold"]


def entropy(p: np.ndarray) -> np.ndarray:
    return -(p * np.log(p)).sum(axis=1)


@pytest.mark.parametrize("label", range(5))
def test_of_one_model_they_add_up_to_the_log_odds_and_the_entropy_of_the_others(joint, label):
    p = answers(joint, ROWS)[:, :5]
    others = np.delete(p, label, axis=1)
    told = contributions(ROWS, np.full(len(ROWS), label), joint)
    odds = np.log(p[:, label] / others.sum(axis=1))
    np.testing.assert_allclose(told.total, odds + entropy(others / others.sum(axis=1, keepdims=True)), atol=1e-6)


@pytest.mark.parametrize("label", range(6))
def test_of_trees_in_groups_they_are_those_of_each_question_by_how_open_it_is(grouped, label):
    place = next(k for k, classes in enumerate(GROUPS) if label in classes)
    gate = booster_of(grouped, "gate.txt")
    group, against = gate.predict(ROWS)[:, place], 1 - answers(grouped, ROWS)[:, label]
    parts = ((1 - group) / against)[:, None] * against_others(shapley_values(gate, ROWS), gate.predict(ROWS), place)
    if len(GROUPS[place]) > 1:
        model = booster_of(grouped, ("two.txt", "three.txt")[place])
        k = GROUPS[place].index(label)
        p = model.predict(ROWS)
        parts += ((1 - p[:, k]) / against)[:, None] * against_others(shapley_values(model, ROWS), p, k)
    told = contributions(ROWS, np.full(len(ROWS), label), grouped)
    np.testing.assert_allclose(told.features, parts[:, :-1], atol=1e-9)
    np.testing.assert_allclose(told.base, parts[:, -1], atol=1e-9)


def against_others(values: np.ndarray, p: np.ndarray, label: int) -> np.ndarray:
    weights = np.delete(p, label, axis=1) / np.delete(p, label, axis=1).sum(axis=1, keepdims=True)
    return values[:, label] - np.einsum("nk,nkf->nf", weights, np.delete(values, label, axis=1))


def test_the_share_of_a_question_is_how_the_log_odds_follow_a_small_change_of_it():
    """Log-odds of p = p(group) p(class | group), by a central difference in the log-odds of each factor."""
    group, within = RNG.uniform(0.01, 0.99, (2, 50))
    step = 1e-5

    def log_odds(first, second):
        p = first * second
        return np.log(p / (1 - p))

    def moved(p, by):
        return 1 / (1 + np.exp(-np.log(p / (1 - p)) - by))

    one, none = np.ones((50, 1)), np.zeros((50, 1))
    gate, model = (_Said(one, np.log(p), np.log1p(-p)) for p in (group, within))
    by_group = (log_odds(moved(group, step), within) - log_odds(moved(group, -step), within)) / (2 * step)
    by_class = (log_odds(group, moved(within, step)) - log_odds(group, moved(within, -step))) / (2 * step)
    np.testing.assert_allclose(_together(gate, replace(model, parts=none))[:, 0], by_group, rtol=1e-7)
    np.testing.assert_allclose(_together(replace(gate, parts=none), model)[:, 0], by_class, rtol=1e-7)


@pytest.mark.parametrize("name", ["joint", "grouped"])
def test_an_alert_alone_is_told_as_in_a_batch_bit_for_bit(name, request):
    made = request.getfixturevalue(name)
    classes = RNG.integers(0, 5, len(ROWS))
    whole = contributions(ROWS, classes, made)
    for part in parts_of(len(ROWS)):
        told = contributions(ROWS[part], classes[part], made)
        assert told.features.tobytes() == whole.features[part].tobytes()
        assert told.base.tobytes() == whole.base[part].tobytes()


def parts_of(n: int) -> Iterator[np.ndarray]:
    yield from (np.array([k]) for k in range(0, n, 41))
    yield np.arange(n)[::-1]
    yield np.arange(7)


def test_a_class_that_the_trees_do_not_know_has_none(joint):
    told = contributions(ROWS[:2], np.array([5, 0]), joint)
    assert np.isnan(told.features[0]).all()
    assert np.isfinite(told.features[1]).all()


def test_an_answer_as_good_as_certain_has_finite_contributions(grouped):
    told = contributions(np.full((1, N_FEATURES), 1e30, np.float32), np.array([5]), grouped)
    assert np.isfinite(told.features).all()


def test_a_bundle_without_trees_has_none(bundle: Bundle):
    members = tuple(entry for entry in bundle.manifest.members if entry.kind != "trees")
    without = replace(bundle, manifest=bundle.manifest.model_copy(update={"members": members}))
    with pytest.raises(ValueError, match="no member of kind 'trees'"):
        contributions(np.zeros((1, len(bundle.feature_names)), np.float32), np.zeros(1, np.int64), without)


def test_the_shipped_bundle_tells_the_parts_of_both_its_questions(bundle: Bundle):
    rows = RNG.normal(size=(8, len(bundle.feature_names))).astype(np.float32)
    place = [entry.kind for entry in bundle.manifest.members].index("trees")
    p = bundle.members[place].predict(MemberInput(rows, None)).probabilities
    settings = bundle.manifest.members[place].settings
    gate = lightgbm.Booster(model_file=bundle.path / settings["gate"])
    groups, parted = gate.predict(rows), shapley_values(gate, rows)
    for k, group in enumerate(settings["groups"]):
        model = lightgbm.Booster(model_file=bundle.path / group["file"])
        within, values = model.predict(rows), shapley_values(model, rows)
        for number, label in enumerate(group["classes"]):
            told = contributions(rows, np.full(len(rows), label), bundle)
            against = 1 - p[:, label]
            parts = ((1 - groups[:, k]) / against)[:, None] * against_others(parted, groups, k)
            parts += ((1 - within[:, number]) / against)[:, None] * against_others(values, within, number)
            np.testing.assert_allclose(told.features, parts[:, :-1], atol=1e-7)
            np.testing.assert_allclose(told.base, parts[:, -1], atol=1e-7)
