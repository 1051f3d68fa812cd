"""Typing of calls of functions of the light curve: constants only, so that each call is one column."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from broker.filters._parse import Span
from broker.filters.kinds import Kind
from broker.filters.light_curve import COLUMNS, LightCurveFunction
from broker.filters.term import Term, literal
from broker.findings import did_you_mean
from schemas.alerts import BANDS

if TYPE_CHECKING:
    from broker.filters.check import Checker


def light_curve_call(checker: "Checker", function: LightCurveFunction, args: Sequence[Term], span: Span) -> Term:
    """``detections_within(30, 'g')``."""
    missing = sorted(name for name in COLUMNS if name not in checker.columns.schema.names)
    if missing:
        return checker.problem(f"{function.name} needs the column {missing[0]}, which isn't here", span)
    most, least = len(function.parameters), function.days + function.needs_band
    if not least <= len(args) <= most:
        given = f"{len(args)} value{'s' * (len(args) != 1)}"
        return checker.problem(f"{function.name} was given {given}", span, f"it is {function.signature}")
    days = _days(checker, function, args[0]) if function.days else literal(None, Kind.FLOAT)
    band = _band(checker, function, args[-1]) if len(args) > function.days else literal(None, Kind.TEXT)
    return Term(function.name, function.kind, (days, band), span=span)


def _days(checker: "Checker", function: LightCurveFunction, given: Term) -> Term:
    number = given.value if given.op == "literal" else None
    if isinstance(number, bool) or not isinstance(number, int | float) or number <= 0:
        what = f"{function.name} needs a number of days above 0, but got `{checker.source(given.span)}`"
        return checker.problem(what, given.span, f"it is {function.signature}")
    return literal(float(number), Kind.FLOAT, given.span)


def _band(checker: "Checker", function: LightCurveFunction, given: Term) -> Term:
    if given.op == "literal" and given.value in BANDS:
        return given
    hint = f"the bands are {', '.join(map(repr, BANDS))}"
    if given.op == "literal" and given.kind is Kind.TEXT:
        hint = did_you_mean(str(given.value), BANDS, hint)
        return checker.problem(f"no band is called {given.value!r}", given.span, hint)
    return checker.problem(f"{function.name} needs a band in quotes, like 'g'", given.span, hint)
