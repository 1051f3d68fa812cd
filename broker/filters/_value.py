"""Typing of columns and constants."""

from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TYPE_CHECKING

import pyarrow as pa
from sqlglot import exp

from broker.filters._compare import all_numbers
from broker.filters._parse import Span
from broker.filters._saved import use
from broker.filters.kinds import Kind
from broker.filters.term import Term, literal
from broker.findings import did_you_mean

if TYPE_CHECKING:
    from broker.filters.check import Checker

LIST_FIELDS = "`boreal filter fields` lists the columns that a condition may use"
LIGHT_CURVE = "functions look into it, like detections_within(30, 'g') and flux_max_within(30)"


def column(checker: "Checker", node: exp.Column) -> Term:
    """A column, or a value that was saved under a name; whatever the case of its letters."""
    written, span = node.name, checker.span(node)
    if node.table:
        return checker.problem(f"`{checker.source(span)}` isn't a column", span, f"write the name alone: {written}")
    name = checker.columns.find(written)
    if name is None:
        return _saved(checker, written, span) or _unknown(checker, node, span)
    kind = checker.columns.kind(name)
    if kind is None:
        what = checker.columns.schema.field(name).type
        short = "a list" if pa.types.is_list(what) else "a structure" if pa.types.is_struct(what) else str(what)
        hint = LIGHT_CURVE if name == "lightCurve" else LIST_FIELDS
        return checker.problem(f"column {name!r} is {short}, which a condition can't use", span, hint)
    return Term("column", kind, value=name, span=span)


def _saved(checker: "Checker", written: str, span: Span) -> Term | None:
    names = checker.names
    if saved := names.saved.get(written.lower()):
        checker.uses.add(written.lower())
        return use(saved, saved.term, span) if saved.term else literal(None, Kind.NULL, span)
    if written.lower() in names.later:
        hint = "a value may use those that stand above it, and not itself"
        return checker.problem(f"the value {written!r} can't be used here", span, hint)
    return None


def _unknown(checker: "Checker", node: exp.Column, span: Span) -> Term:
    written = node.name
    if node.this.args.get("quoted"):
        hint = f"text stands in single quotes: '{written}'"
        return checker.problem(f"no column is called {written!r}, and double quotes are for names", span, hint)
    known = [*checker.columns.usable(), *(saved.name for saved in checker.names.saved.values())]
    return checker.problem(f"unknown column {written!r}", span, did_you_mean(written, known, LIST_FIELDS))


def constant(checker: "Checker", node: exp.Literal) -> Term:
    """A text in quotes, or a number."""
    span = checker.span(node)
    if node.is_string:
        return literal(str(node.this), Kind.TEXT, span)
    return _number(checker, str(node.this), span)


def _number(checker: "Checker", written: str, span: Span) -> Term:
    try:
        exact = Decimal(written)
    except InvalidOperation:
        return checker.problem(f"{written!r} isn't a number", span)
    nearest = float(exact)
    if not isfinite(nearest):
        return checker.problem(f"{written} is too large for a number", span)
    rounded = abs(exact) < 2**64 and exact == exact.to_integral_value() and int(nearest) != int(exact)
    # Ids have more digits than a float holds: a whole number that would be rounded stays whole, `.0` or not.
    if rounded or written.lstrip("-").isdigit():
        if not -(2**63) <= int(exact) < 2**63:
            return checker.problem(
                f"{written} doesn't fit into 64 bits", span, f"write {nearest!r} if the nearest number will do"
            )
        return literal(int(exact), Kind.INTEGER, span)
    return literal(nearest, Kind.FLOAT, span)


def minus(checker: "Checker", node: exp.Neg) -> Term:
    """``-x``; with a constant it is a constant."""
    inner = node.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        start, end = checker.span(inner)
        return _number(checker, f"-{inner.this}", (max(0, start - 1), end))
    term = checker.term(inner)
    if not all_numbers(checker, "-", [term], term.span):
        return literal(None, Kind.NULL, term.span)
    return Term("neg", term.kind, (term,), span=term.span)
