"""LightGBM's text models, read without LightGBM, which takes a second to import.

Source: LightGBM 4, `GBDT::SaveModelToString`, `Tree::ToString` and `Tree::NumericalDecision`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers._forest import MOST_LEAVES, Forest

_END = "\nend of trees\n"
_HEADER = {
    *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx"),
    *("objective", "feature_names", "feature_infos", "tree_sizes"),
}
_EVERY = (1 << MOST_LEAVES) - 1
_DEFAULT_LEFT, _NAN_IS_0, _NAN_IS_MISSING = 2, (0, 2), (8, 10)
"""Of a split's `decision_type`: a bit, and the types of those splits that are read."""


class _Split(NamedTuple):
    nan_goes_right: bool
    column: int
    threshold: float
    kept: int


def read_forest(text: str) -> Forest | None:
    """The trees of a model, or None where only LightGBM can tell what the text says.

    That is any objective but the softmax of several classes, averaged trees, categorical splits, linear leaves, splits
    that take 0 for missing, a tree of more than `MOST_LEAVES` leaves, and what is no model.
    """
    try:
        return _read(text)
    except (ValueError, LookupError):
        return None


def _read(text: str) -> Forest:
    head, *texts = text[: text.index(_END)].split("\nTree=")
    header = _fields(head)
    n_classes, n_features = int(header["num_class"]), int(header["max_feature_idx"]) + 1
    _need(head.startswith("tree\n") and header.keys() == _HEADER and header["version"] == "v4")
    _need(header["objective"] == f"multiclass num_class:{n_classes}" and n_classes > 1)
    _need(int(header["num_tree_per_iteration"]) == n_classes and len(texts) % n_classes == 0)
    trees = [_tree(_fields(tree)) for tree in texts]
    splits = [split for found, _ in trees for split in found]
    _, columns, thresholds, kept = (np.array(values) for values in zip(*splits, strict=True))
    _need(columns.min() >= 0 and columns.max() < n_features and not np.isnan(thresholds).any())
    bounds = np.cumsum([0, *(count for found, _ in trees for count in _turns(found))])
    leaves = np.array([leaf for _, found in trees for leaf in found])
    return Forest(n_features, n_classes, bounds, columns, _rounded_down(thresholds), kept.astype(np.uint32), leaves)


def _fields(text: str) -> dict[str, str]:
    """The named values below a first line that says what they are of."""
    return dict(line.split("=", 1) for line in text.strip().split("\n")[1:])


def _turns(splits: list[_Split]) -> tuple[int, int]:
    """How many splits send a NaN to the left, and how many to the right."""
    n_right = sum(split.nan_goes_right for split in splits)
    return len(splits) - n_right, n_right


def _tree(fields: dict[str, str]) -> tuple[list[_Split], list[float]]:
    """A tree's splits, those that send a NaN to the left first, and its leaves from the left."""
    columns, kinds, left, right = (
        [int(value) for value in fields[name].split()]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds, leaves = ([float(value) for value in fields[name].split()] for name in ("threshold", "leaf_value"))
    n_leaves = int(fields["num_leaves"])
    _need(fields["num_cat"] == fields["is_linear"] == "0" and n_leaves == len(leaves) <= MOST_LEAVES)
    root = 0 if left else ~0
    _need(sorted([root, *left, *right]) == [*range(-n_leaves, n_leaves - 1)])
    order, kept = _in_order(root, left, right)
    _need(len(order) == n_leaves)
    splits = [
        _Split(_nan_goes_right(kind, threshold), column, threshold, mask)
        for kind, column, threshold, mask in zip(kinds, columns, thresholds, kept, strict=True)
    ]
    return sorted(splits, key=lambda split: split.nan_goes_right), [leaves[leaf] for leaf in order]


def _in_order(root: int, left: list[int], right: list[int]) -> tuple[list[int], list[int]]:
    """The leaves from the left, and for each split a bit for every leaf in this order but those on its left."""
    order: list[int] = []
    kept = [0] * len(left)

    def descend(node: int) -> None:
        if node < 0:
            order.append(~node)
            return
        n_before = len(order)
        descend(left[node])
        kept[node] = _EVERY ^ (1 << len(order)) - (1 << n_before)
        descend(right[node])

    descend(root)
    return order, kept


def _nan_goes_right(kind: int, threshold: float) -> bool:
    _need(kind in (*_NAN_IS_0, *_NAN_IS_MISSING))
    return threshold < 0 if kind in _NAN_IS_0 else not kind & _DEFAULT_LEFT


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 numbers that aren't above: a float32 number is at most either of the two, or neither."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
        return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def _need(holds: bool) -> None:
    if not holds:
        raise ValueError("not a model that is read here")
