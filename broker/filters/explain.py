"""Why does an alert pass a filter, or not? Each part of the condition with what came out and the values that it saw.

The values are those of the expressions that the stream evaluates, each term compiled as it stands in the filter.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import pyarrow as pa

from broker.filters._words import in_words
from broker.filters.definition import Filter
from broker.filters.distance import outside_by
from broker.filters.evaluate import evaluate
from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.regions import Box, Cone, Galactic, Moc, Polygon, Region
from broker.filters.term import SAVED, Term, Value

CORNERS_SHOWN = 6
"""Of a polygon."""


@dataclass(frozen=True)
class Seen:
    """A value that a part of the condition saw.

    Parameters
    ----------
    text : as a condition writes it.
    kind : of the value.
    value : None where it isn't known.
    """

    text: str
    kind: Kind
    value: Value


@dataclass(frozen=True)
class Part:
    """A part of the condition.

    Parameters
    ----------
    text : as a condition writes it.
    outcome : true, false, or None for unknown.
    joins : ``AND``, ``OR`` or ``NOT`` where it is made of `parts`; the name where it is a value that was saved; else
        empty.
    parts : what it is made of.
    seen : the values that it saw, where it isn't made of parts.
    """

    text: str
    outcome: bool | None
    joins: str = ""
    parts: tuple["Part", ...] = ()
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True)
class Place:
    """A region, and where the alert is.

    Parameters
    ----------
    text : the region as its file has it.
    inside : whether the position lies in it; None where the position isn't known.
    outside_by : degrees to its border; 0 inside; None where that isn't known.
    """

    text: str
    inside: bool | None
    outside_by: float | None


@dataclass(frozen=True)
class Explanation:
    """Why an alert passes a filter, or not.

    Parameters
    ----------
    passes : what the stream's evaluation says.
    condition : its parts.
    regions : empty where the filter has none.
    values : what is saved under a name.
    error : why the filter can't be evaluated, empty where it can.
    """

    passes: bool
    condition: Part
    regions: tuple[Place, ...] = ()
    values: tuple[Seen, ...] = field(default=())
    error: str = ""


def explain(wanted: Filter, alert: pa.Table) -> Explanation:
    """Explain a filter on one alert.

    Parameters
    ----------
    wanted : the filter.
    alert : one row, with the columns that its condition, its values and its regions read.
    """
    matches = evaluate((wanted,), alert)
    passes, error = matches.table[wanted.name][0].as_py(), matches.errors.get(wanted.name, "")
    terms = dict.fromkeys([*_shown(wanted.term), *(each.term for each in wanted.values)])
    values = {} if error else _values(tuple(terms), alert)
    saved = tuple(Seen(each.name, each.term.kind, values.get(each.term)) for each in wanted.values)
    places = tuple(_place(region, alert) for region in wanted.regions)
    return Explanation(passes, _part(wanted.term, values), places, saved, error)


def _values(terms: Sequence[Term], alert: pa.Table) -> dict[Term, Value]:
    from broker.filters._program import Program  # its engine takes a while to load

    columns = Program.of_terms(terms).run(alert)
    return {term: column[0].as_py() for term, column in zip(terms, columns, strict=True)}


def _joins(term: Term) -> str:
    """How a term is made of conditions, empty where it is shown whole."""
    if term.op in ("and", "or"):
        return term.op.upper()
    if term.op == SAVED and term.kind is Kind.BOOLEAN:
        return str(term.value)
    return "NOT" if term.op == "not" and (_joins(term.args[0]) or term.args[0].op == SAVED) else ""


def _shown(term: Term) -> Iterator[Term]:
    """The terms whose values are shown, from the top down."""
    yield term
    if _joins(term):
        for arg in term.args:
            yield from _shown(arg)
    else:
        yield from _seen(term)


def _seen(term: Term) -> list[Term]:
    """What a comparison saw: its sides where they are computed, values that were saved, and the columns below."""
    while term.op == "not":
        (term,) = term.args
    sides = [arg.args[0] if arg.op == "to_float" else arg for arg in term.args]
    below = [part for part in term.walk() if part.op in ("column", SAVED) or part.op in LIGHT_CURVE_FUNCTIONS]
    in_order = sorted(below, key=lambda part: part.span)
    return [part for part in dict.fromkeys([*sides, *in_order]) if part.op != "literal" and part != term]


def _part(term: Term, values: Mapping[Term, Value]) -> Part:
    outcome = values.get(term)
    assert outcome is None or isinstance(outcome, bool)  # noqa: S101 - a condition
    joins = _joins(term)
    if joins:
        parts = tuple(_part(arg, values) for arg in term.args)
        return Part(in_words(term), outcome, joins, parts)
    seen = tuple(Seen(in_words(each), each.kind, values.get(each)) for each in _seen(term))
    return Part(in_words(term), outcome, seen=seen)


def _place(region: Region, alert: pa.Table) -> Place:
    ra, dec = (alert[name][0].as_py() for name in ("ra", "dec"))
    if ra is None or dec is None or not (isfinite(ra) and isfinite(dec)):
        return Place(_written(region), None, None)
    inside = bool(region.contains(np.array([ra]), np.array([dec]))[0])
    return Place(_written(region), inside, 0.0 if inside else outside_by(region, ra, dec))


def _written(region: Region) -> str:
    """The region as its file has it; of a polygon of many corners the first."""
    match region:
        case Cone(ra, dec, radius):
            return f"cone: {{ra: {ra}, dec: {dec}, radius: {radius}}}"
        case Box(ra, dec):
            return f"box: {{ra: {list(ra)}, dec: {list(dec)}}}"
        case Galactic(low, high):
            return f"galactic: {{minAbsB: {low}, maxAbsB: {high}}}"
        case Polygon(corners):
            shown = ", ".join(f"[{ra}, {dec}]" for ra, dec in corners[:CORNERS_SHOWN])
            return f"polygon: [{shown}{', ...' if len(corners) > CORNERS_SHOWN else ''}]"
        case _:
            return f"moc: {region.source if isinstance(region, Moc) else region}"
