"""What must hold of an outcome, whatever the packets were."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from broker.filters.definition import Filter
from broker.pipeline import Outcome
from classifiers.taxonomy import NOT_CLASSIFIED

_SUM_TOLERANCE = 1e-9
_LATER_STAGES = pa.array(["features", "classify"])


def broken_promises(given: Sequence[tuple[str, bytes]], outcome: Outcome, filters: Sequence[Filter]) -> list[str]:
    """What an outcome breaks, one line each; empty if nothing.

    Parameters
    ----------
    given : the packets, as pairs of origin and payload.
    outcome : what became of them.
    filters : those that they were matched against.
    """
    return [
        *_books([origin for origin, _ in given], outcome),
        *_later_rejects(outcome.rejects),
        *_numbers(outcome.annotations),
        *_verdicts(outcome.annotations),
        *_filters(outcome, filters),
    ]


def _books(origins: Sequence[str], outcome: Outcome) -> Iterator[str]:
    annotated, rejected = outcome.annotations, outcome.rejects
    if outcome.received != annotated.num_rows + rejected.num_rows:
        yield f"received {outcome.received}, but annotated {annotated.num_rows} and rejected {rejected.num_rows}"
    told = [*annotated["origin"].to_pylist(), *rejected["origin"].to_pylist()]
    packets = {origin.rpartition("#")[0] if "#" in origin else origin for origin in told}
    if lost := set(origins) - packets:
        yield f"nothing became of {sorted(lost)}"
    if made_up := packets - set(origins):
        yield f"no packet has the name of {sorted(made_up)}"
    if len(set(told)) != len(told):
        yield "two alerts have one name"


def _later_rejects(rejects: pa.Table) -> Iterator[str]:
    """What decodes must be annotated: a later stage that gives up has met a number that it can't bear."""
    for row in rejects.filter(pc.is_in(rejects["stage"], _LATER_STAGES)).select(["origin", "reason"]).to_pylist():
        yield f"{row['origin']}: {row['reason']}"


def _numbers(table: pa.Table) -> Iterator[str]:
    for field in table.schema:
        if pa.types.is_floating(field.type):
            known = table[field.name].drop_null().to_numpy()
            if not np.isfinite(known).all():
                yield f"{_first(table, pc.invert(pc.is_finite(table[field.name])))}: {field.name} isn't finite"
        if not field.nullable and table[field.name].null_count:
            yield f"{_first(table, pc.is_null(table[field.name]))}: {field.name} is null"


def _verdicts(table: pa.Table) -> Iterator[str]:
    column = table["classifications"].combine_chunks()
    probabilities = column.flatten().field("probability").to_numpy()
    owner = pc.list_parent_indices(column).to_numpy()
    sums = np.bincount(owner, probabilities, minlength=len(column))
    if (wrong := ~(np.abs(sums - 1.0) <= _SUM_TOLERANCE)).any():
        yield f"{_first(table, pa.array(wrong))}: the probabilities don't sum to 1"
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        yield "a probability lies outside 0 to 1"
    unclassified = pc.equal(table["classId"], NOT_CLASSIFIED)
    for name in ("pSNIa", "notClassifiedReason", "novelty"):
        wanted = pc.is_valid(table[name]) if name == "notClassifiedReason" else pc.is_null(table[name])
        if pc.any(wrong := pc.not_equal(unclassified, wanted)).as_py():
            yield f"{_first(table, wrong)}: {name} doesn't fit the class"


def _filters(outcome: Outcome, filters: Sequence[Filter]) -> Iterator[str]:
    for name, alerts in outcome.filter_errors.items():
        yield f"the filter {name} could not be evaluated on {alerts} alerts"
    matched = set(outcome.annotations["matchedFilters"].combine_chunks().flatten().to_pylist())
    if unknown := matched - {wanted.name for wanted in filters}:
        yield f"alerts passed filters that nobody has: {sorted(unknown)}"


def _first(table: pa.Table, wrong: pa.Array | pa.ChunkedArray) -> str:
    """The first alert for which something is wrong."""
    return str(table.filter(wrong)["origin"][0])
