"""Alerts -> named columns of numbers, computing only the families that are asked for."""

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.families import discover
from features.family import Feature, FeatureInput
from schemas.alerts import AlertBatch


class UnknownFeatureError(ValueError):
    """A feature was asked for that no family computes; says which, and what comes nearest."""


def catalogue() -> tuple[Feature, ...]:
    """Every feature, family by family in a fixed order."""
    return tuple(feature for family in discover() for feature in family.features)


def extract(alerts: AlertBatch, names: Sequence[str] | None = None) -> pa.Table:
    """Compute features of a batch of alerts.

    Parameters
    ----------
    alerts : AlertBatch
    names : names of features, all of `catalogue` when None

    Returns
    -------
    pyarrow.Table
        One float32 column a name, in the order of `names`, one row an alert; NaN where a feature is undefined.
        A row depends on its own alert only, bit for bit.

    Raises
    ------
    UnknownFeatureError
        If no family computes one of `names`.
    """
    chosen = [feature.name for feature in catalogue()] if names is None else list(names)
    matrix = feature_matrix(FeatureInput.from_alerts(alerts), chosen)
    columns = [pa.array(np.ascontiguousarray(column)) for column in matrix.T]
    return pa.table(columns, schema=pa.schema([pa.field(name, pa.float32()) for name in chosen]))


def feature_matrix(given: FeatureInput, names: Sequence[str]) -> NDArray[np.float32]:
    """Compute the features `names`, as a float32 array of shape (n_objects, n_names), NaN where undefined.

    Raises
    ------
    UnknownFeatureError
        If no family computes one of `names`.
    """
    places = [_place(name) for name in names]
    matrix = np.empty((len(given.curves), len(places)), dtype=np.float32)
    for number, family in enumerate(discover()):
        here = [column for column, (owner, _) in enumerate(places) if owner == number]
        if here:
            matrix[:, here] = _finite(family.compute(given))[:, [places[column][1] for column in here]]
    return matrix


def _finite(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """As float32, with NaN for what is infinite or too large for it."""
    with np.errstate(over="ignore", under="ignore"):
        narrow = values.astype(np.float32)
    narrow[np.isinf(narrow)] = np.nan
    return narrow


def _place(name: str) -> tuple[int, int]:
    try:
        return _places()[name]
    except KeyError:
        near = difflib.get_close_matches(name, _places(), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "`boreal features list` prints them all"
        raise UnknownFeatureError(f"no feature is called {name!r}; {hint}") from None


@lru_cache(maxsize=1)
def _places() -> dict[str, tuple[int, int]]:
    """Where each feature is computed: the family's number and the column within it."""
    places: dict[str, tuple[int, int]] = {}
    for number, family in enumerate(discover()):
        for column, feature in enumerate(family.features):
            if feature.name in places:
                raise RuntimeError(f"two families compute a feature called {feature.name!r}: rename one")
            places[feature.name] = (number, column)
    return places


@lru_cache(maxsize=1)
def code_hash() -> str:
    """SHA-256 over the source of this package: which code computed a feature.

    The same wherever the package lies and however a platform ends its lines.
    """
    return _hash_of(files("features"))


def _hash_of(folder: Traversable) -> str:
    digest = hashlib.sha256()
    for path, text in sorted(_sources(folder, "")):
        digest.update(f"{path}\0{len(text)}\0".encode())
        digest.update(text)
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".py"):
            yield f"{prefix}{entry.name}", entry.read_bytes().replace(b"\r\n", b"\n")
