"""Random conditions of six terms over the columns of real annotations, and filters made of them."""

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.kinds import Kind, kind_of

SEED = 1

_SHAPES = (
    "{0} AND {1} AND ({2} OR {3}) AND {4} AND {5}",
    "{0} AND {1} AND {2} AND {3} AND {4} AND {5}",
    "({0} OR {1}) AND {2} AND NOT ({3} AND {4}) AND {5}",
)
_NUMBER_TERMS = (
    "{name} > {low:.6g}",
    "{name} < {high:.6g}",
    "{name} NOT BETWEEN {high:.6g} AND {low:.6g}",
    "abs({name}) >= {low:.6g}",
    "coalesce({name}, 0) <= {high:.6g}",
    "{name} * 2 > {low:.6g} + 1",
)

MIDDLES = (0.5, 0.8)
"""A bound lies above so much of the values, or below so much of them."""


def random_conditions(annotations: pa.Table, count: int, seed: int = SEED) -> list[str]:
    """Conditions as subscribers write them; each passes a small part of the alerts.

    Parameters
    ----------
    annotations : real ones; the bounds in the conditions are taken from them.
    count : how many.
    seed : the same one gives the same conditions; a longer list begins with the shorter one.
    """
    draw = random.Random(seed)  # noqa: S311  # to repeat a run, not to keep a secret
    numbers = dict(_number_columns(annotations))
    flags = [field.name for field in annotations.schema if kind_of(field.type) is Kind.BOOLEAN]
    return [_condition(draw, numbers, flags) for _ in range(count)]


def random_filters(annotations: pa.Table, count: int) -> tuple[Filter, ...]:
    """As many filters, checked.

    Raises
    ------
    RuntimeError
        If a condition isn't one.
    """
    made = []
    for number, condition in enumerate(random_conditions(annotations, count)):
        checked = check_condition(condition, annotations.schema)
        if checked.term is None:
            raise RuntimeError(f"{condition}: {checked.problems}")
        made.append(Filter(_name(number), "benchmark", condition, checked.term))
    return tuple(made)


def write_filters(directory: Path, examples: Sequence[Path], conditions: Sequence[str]) -> Path:
    """A directory of filter files: copies of examples, and one a condition; give the directory."""
    directory.mkdir(parents=True)
    for example in examples:
        (directory / example.name).write_bytes(example.read_bytes())
    for number, condition in enumerate(conditions):
        content = {"name": _name(number), "owner": "benchmark", "condition": condition}
        (directory / f"{_name(number)}.yaml").write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML, too
    return directory


def _name(number: int) -> str:
    return f"random-{number:04}"


def _condition(draw: random.Random, numbers: dict[str, np.ndarray], flags: Sequence[str]) -> str:
    terms = [_number_term(draw, numbers) for _ in range(5)]
    terms.append(draw.choice((f"{draw.choice(flags)} IS NOT TRUE", "band IN ('g', 'r', 'i')")))
    draw.shuffle(terms)
    return draw.choice(_SHAPES).format(*terms)


def _number_term(draw: random.Random, numbers: dict[str, np.ndarray]) -> str:
    name = draw.choice(list(numbers))
    # Most alerts fail a term, as they fail those that people write: few filters ask for what is common.
    middle = draw.uniform(*MIDDLES)
    low, high = np.quantile(numbers[name], (middle, 1 - middle))
    return draw.choice(_NUMBER_TERMS).format(name=name, low=low, high=high)


def _number_columns(annotations: pa.Table) -> Iterator[tuple[str, np.ndarray]]:
    """Those of fractions that are known for half of the alerts or more, with their values."""
    for field in annotations.schema:
        column = annotations[field.name]
        if kind_of(field.type) is Kind.FLOAT and 2 * column.null_count < len(column):
            yield field.name, np.asarray(column.drop_null(), np.float64)
