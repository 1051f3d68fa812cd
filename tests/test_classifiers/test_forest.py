"""The compiled look-up gives LightGBM's bits, and leaves to LightGBM what it doesn't know."""

import lightgbm
import numpy as np
import pytest

from classifiers._lightgbm_text import read_forest
from classifiers.member import MemberInput
from classifiers.members.trees import Boosted, load

ODD = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 1.1e-35, 1e-36, 1e-40, -1e-44, 3.4e38, -3.4e38]
N_CLASSES, N_FEATURES = 3, 5


def fitted(seed=0, holes=0.2, labels=N_CLASSES, categories=(), **settings):
    """The text of a small model of random features, a share `holes` of them missing."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(600, N_FEATURES)) * 10.0 ** rng.integers(-40, 30, N_FEATURES)
    features[:, 0] = rng.integers(0, 6, 600)
    target = (features[:, 0] + (features[:, 1] > 0) + 3 * rng.random(600)).astype(int) % labels
    features[rng.random(features.shape) < holes] = np.nan
    params = {"objective": "multiclass", "num_class": N_CLASSES, "verbose": -1, "min_data_in_leaf": 2, "num_threads": 1}
    data = lightgbm.Dataset(features, target, params={**params, **settings}, categorical_feature=list(categories))
    return lightgbm.train({**params, **settings}, data, 12).model_to_string()


def rows_of(forest, n, seed):
    """Rows that meet every edge: ordinary numbers, thresholds, their neighbours, and odd numbers."""
    rng = np.random.default_rng(seed)
    edges = np.concatenate([forest.thresholds, np.nextafter(forest.thresholds, np.float32(np.inf))])
    owner = np.concatenate([forest.columns, forest.columns])
    at_edges = np.stack([rng.choice([0, *edges[owner == k]], n) for k in range(forest.n_features)], axis=1)
    plain = rng.normal(size=at_edges.shape) * 10.0 ** rng.integers(-5, 6, at_edges.shape)
    kind = rng.choice(3, at_edges.shape, p=rng.dirichlet([1, 1, 1]))
    return np.choose(kind, [plain, at_edges, rng.choice(ODD, at_edges.shape)]).astype(np.float32)


def lightgbm_says(text, rows):
    return lightgbm.Booster(model_str=text).predict(rows, num_threads=1)


@pytest.fixture(scope="module")
def shipped(bundle):
    entry = next(entry for entry in bundle.manifest.members if entry.kind == "trees")
    return (bundle.path / entry.settings["groups"][-1]["file"]).read_text()


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 200])
def test_the_shipped_trees_answer_with_lightgbm_s_bits(shipped, n):
    forest = read_forest(shipped)
    rows = rows_of(forest, n, seed=n)
    assert forest.probabilities(rows).tobytes() == lightgbm_says(shipped, rows).tobytes()


@pytest.mark.parametrize("n_leaves", [2, 3, 8, 31, 32])
@pytest.mark.parametrize("holes", [0, 0.2])
def test_trees_of_any_size_answer_with_lightgbm_s_bits(n_leaves, holes):
    text = fitted(n_leaves, holes, num_leaves=n_leaves)
    forest = read_forest(text)
    rows = np.concatenate([rows_of(forest, 300, seed) for seed in range(4)])
    assert forest.probabilities(rows).tobytes() == lightgbm_says(text, rows).tobytes()


def odd_rows(n):
    return np.random.default_rng(n).choice([*ODD, 0.5, 1.5, 2.5, 1.0, 2.0], (n, N_FEATURES)).astype(np.float32)


def test_a_class_that_no_tree_splits_for_is_answered():
    text = fitted(labels=2)
    assert "num_leaves=1\n" in text
    rows = odd_rows(100)
    assert read_forest(text).probabilities(rows).tobytes() == lightgbm_says(text, rows).tobytes()


UNKNOWN = {
    "categories": {"categories": [0]},
    "zero is missing": {"zero_as_missing": True},
    "averaged": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    "linear leaves": {"linear_tree": True},
    "large": {"num_leaves": 40},
    "another objective": {"objective": "multiclassova"},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_lightgbm_answers_for_what_the_look_up_does_not_know(name, tmp_path):
    text = fitted(**UNKNOWN[name])
    assert read_forest(text) is None
    (tmp_path / "trees.txt").write_text(text)
    groups = [{"classes": list(range(N_CLASSES)), "file": "trees.txt"}]
    trees = load(tmp_path, {"gate": None, "groups": groups, "n_features": N_FEATURES, "n_classes": N_CLASSES})
    assert isinstance(trees.groups[0].model, Boosted)
    rows = odd_rows(50)
    expected = lightgbm_says(text, rows)
    answer = trees.predict(MemberInput(rows, None)).probabilities
    np.testing.assert_allclose(answer, expected / expected.sum(axis=1, keepdims=True), rtol=1e-15)


def damaged(text, name, change):
    """The model with a field of its first tree that has several splits changed."""
    head, tree = text.split("split_feature=", 1)
    lines = ("split_feature=" + tree).split("\n")
    k = next(k for k, line in enumerate(lines) if line.startswith(f"{name}="))
    values = lines[k].removeprefix(f"{name}=").split()
    lines[k] = f"{name}={' '.join(change(values))}"
    return head + "\n".join(lines)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("split_feature", lambda values: ["213", *values[1:]]),
        ("split_feature", lambda values: ["-1", *values[1:]]),
        ("split_feature", lambda values: values[1:]),
        ("threshold", lambda values: ["nan", *values[1:]]),
        ("threshold", lambda values: ["high", *values[1:]]),
        ("decision_type", lambda values: ["1", *values[1:]]),
        ("left_child", lambda values: ["0", *values[1:]]),
        ("left_child", lambda values: values[::-1]),
        ("left_child", lambda values: ["-99", *values[1:]]),
        ("right_child", lambda values: [*values, "-1"]),
        ("leaf_value", lambda values: values[1:]),
        ("is_linear", lambda _: ["1"]),
    ],
)
def test_a_damaged_tree_is_not_read(shipped, name, change):
    assert damaged(shipped, name, list) == shipped
    assert read_forest(damaged(shipped, name, change)) is None


@pytest.mark.parametrize(
    "text", ["", "tree", "tree\n\nend of trees\n", "no tree\nversion=v4\n\nTree=0\n\nend of trees\n"]
)
def test_what_is_no_model_is_not_read(text):
    assert read_forest(text) is None


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("version=v4", "version=v9"),
        ("\nend of trees\n", "\n"),
        ("\nobjective=multiclass ", "\nobjective=multiclassova "),
        ("\nlabel_index=0", "\nlabel_index=0\naverage_output=1"),
        ("num_tree_per_iteration=9", "num_tree_per_iteration=3"),
    ],
)
def test_another_head_or_end_is_not_read(shipped, there, instead):
    assert there in shipped
    assert read_forest(shipped.replace(there, instead, 1)) is None


def test_rows_of_another_width_are_refused(shipped):
    with pytest.raises(ValueError, match="broadcast"):
        read_forest(shipped).probabilities(np.zeros((3, 7), np.float32))
