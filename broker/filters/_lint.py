"""What is allowed in a condition, and probably not meant."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from broker.filters._asked import asked, clash, parts
from broker.filters._domain import column_values, group_column, never_filled
from broker.filters._parse import Problem, Span
from broker.filters._possible import NOTHING, Possibilities, Possible
from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import SAVED, Term
from broker.findings import did_you_mean
from schemas.surveys import discover

_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def doubts(condition: Term, text: str, schema: pa.Schema) -> Iterator[Problem]:
    """Warnings about a condition without problems."""
    whole = (0, len(text.rstrip()))
    columns = column_values(schema)
    told = [problem for term in _own_terms(condition) for problem in _of_term(term, columns)]
    if told:
        yield from dict.fromkeys(told)
        return
    yield from _of_the_whole(condition, columns, whole) or _where_nothing_is_known(condition, columns, whole)


def _own_terms(condition: Term) -> Iterator[Term]:
    """The terms that are written in the condition itself."""
    waiting = [condition]
    while waiting:
        term = waiting.pop()
        yield term
        if term.op != SAVED:
            waiting.extend(reversed(term.args))


def _of_term(term: Term, columns: Mapping[str, Possible]) -> Iterator[Problem]:
    if term.op in _COMPARISONS:
        yield from _never_true(term)
        yield from _beyond_a_probability(term, columns)
    if term.op in (*_COMPARISONS, "in"):
        yield from _text_that_never_occurs(term, columns)
    if term.op == "like":
        yield from _pattern_that_never_fits(term, columns)
    if term.op == "not" and term.args[0].op == "in":
        yield from _never_out_of(term.args[0])
    if term.op in ("and", "or"):
        yield from _exclude_each_other(term)


def _never_true(term: Term) -> Iterator[Problem]:
    if any(arg.op == "literal" and arg.value is None for arg in term.args):
        yield Problem("a comparison with NULL is never true", term.span, "use IS NULL or IS NOT NULL")


def _never_out_of(term: Term) -> Iterator[Problem]:
    if any(item.op == "literal" and item.value is None for item in term.args[1:]):
        yield Problem("NOT IN a list with a NULL is never true", term.span, "leave the NULL out")


def _beyond_a_probability(term: Term, columns: Mapping[str, Possible]) -> Iterator[Problem]:
    for one, other in (term.args, term.args[::-1]):
        if one.op == "column" and _is_probability(columns.get(str(one.value))) and _is_beyond(other):
            yield Problem(f"{one.value} is a probability, from 0 to 1, compared with {other.value:g}", term.span)


def _is_probability(known: Possible | None) -> bool:
    return known is not None and (known.low, known.high) == (0, 1)


def _is_beyond(term: Term) -> bool:
    return term.op == "literal" and isinstance(term.value, int | float) and not 0 <= term.value <= 1


def _text_that_never_occurs(term: Term, columns: Mapping[str, Possible]) -> Iterator[Problem]:
    for one, others in ((term.args[0], term.args[1:]), *([] if term.op == "in" else [(term.args[1], term.args[:1])])):
        known = columns.get(str(one.value)) if one.op == "column" else None
        if known is None or known.values is None or one.kind is Kind.BOOLEAN:
            continue
        for other in others:
            if other.op == "literal" and other.value is not None and other.value not in known.values:
                yield _never(str(one.value), other, sorted(map(str, known.values)), term.span)


def _never(column: str, given: Term, names: list[str], span: Span) -> Problem:
    quoted = repr(given.value) if given.kind is Kind.TEXT else f"{given.value}"
    instead = group_column(given.value) if column == "className" else ""
    if instead:
        return Problem(f"{column} is never {quoted}", span, f"that is a group of classes: {instead} is its probability")
    hint = did_you_mean(str(given.value), names, f"it is one of {', '.join(names)}")
    return Problem(f"{column} is never {quoted}", span, hint)


def _pattern_that_never_fits(term: Term, columns: Mapping[str, Possible]) -> Iterator[Problem]:
    known = columns.get(str(term.args[0].value)) if term.args[0].op == "column" else None
    if known and known.values is not None and not Possibilities(columns)(term).may_be(True):
        names = ", ".join(sorted(map(str, known.values)))
        yield Problem(f"no {term.args[0].value} is like this", term.span, f"it is one of {names}")


def _exclude_each_other(term: Term) -> Iterator[Problem]:
    span = clash(parts(term, term.op), denied=term.op == "or")
    if span is None:
        return
    if term.op == "and":
        yield Problem("these exclude each other, so that both are never true", span)
    else:
        yield Problem("one of these is true whatever the value, so that this excludes unknown values only", span)


def _of_the_whole(condition: Term, columns: Mapping[str, Possible], whole: Span) -> list[Problem]:
    if not any(term.op == "column" or term.op in LIGHT_CURVE_FUNCTIONS for term in condition.walk()):
        return [Problem("the condition uses no column: it is the same for every alert", whole)]
    possible = Possibilities(columns)(condition)
    if not possible.may_be(True):
        return [Problem("the condition is never true: no alert passes", _culprit(condition, columns) or whole)]
    if not possible.may_be(False) and not possible.null:
        return [Problem("the condition is always true: every alert passes", whole)]
    return []


def _culprit(condition: Term, columns: Mapping[str, Possible]) -> Span | None:
    """The part of ``a AND b AND c`` that is never true by itself."""
    possible = Possibilities(columns)
    return next((span for part, span in parts(condition, "and") if not possible(part).may_be(True)), None)


def _where_nothing_is_known(condition: Term, columns: Mapping[str, Possible], whole: Span) -> Iterator[Problem]:
    """Columns that a survey never fills, where the condition asks for that survey, or where no survey is left."""
    found = [asked(part) for part, _ in parts(condition, "and")]
    wanted = [each for subject, each in filter(None, found) if (subject.op, subject.value) == ("column", "survey")]
    surveys = [name for name in discover() if not any(each.excludes(name) for each in wanted)]
    lost = {name: told for name in surveys if (told := _lost(condition, columns, name, whole))}
    if lost and (wanted or len(lost) == len(surveys)):
        yield from dict.fromkeys(lost.values())


def _lost(condition: Term, columns: Mapping[str, Possible], survey: str, whole: Span) -> Problem | None:
    here = {**columns, "survey": Possible(null=False, values=frozenset({survey}))}
    unfilled = {name: NOTHING for name in never_filled(survey) if name in columns}
    if Possibilities({**here, **unfilled})(condition).may_be(True) or not Possibilities(here)(condition).may_be(True):
        return None
    span = _culprit(condition, {**here, **unfilled}) or whole
    names = [name for name in unfilled if not Possibilities({**here, name: NOTHING})(condition).may_be(True)]
    what = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else "what this needs is"
    hint = "IS NULL, IS NOT TRUE and coalesce see what isn't known"
    return Problem(f"{what} NULL in every alert of {survey}: none of them passes", span, hint)
