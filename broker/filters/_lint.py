"""What is allowed in a condition, and probably not meant."""

import re
from collections.abc import Iterator

from broker.filters._parse import Problem
from broker.filters.term import Term

_PROBABILITY = re.compile(r"probability|p[A-Z]\w*")
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def doubts(condition: Term, text: str) -> Iterator[Problem]:
    """Warnings about a condition without problems."""
    whole = (0, len(text.rstrip()))
    if not any(term.op == "column" for term in condition.walk()):
        yield Problem("the condition uses no column: it is the same for every alert", whole)
    for term in condition.walk():
        if term.op in _COMPARISONS:
            yield from _never_true(term)
            yield from _beyond_a_probability(term)


def _never_true(term: Term) -> Iterator[Problem]:
    if any(arg.op == "literal" and arg.value is None for arg in term.args):
        yield Problem("a comparison with NULL is never true", term.span, "use IS NULL or IS NOT NULL")


def _beyond_a_probability(term: Term) -> Iterator[Problem]:
    for one, other in (term.args, term.args[::-1]):
        if one.op == "column" and _PROBABILITY.fullmatch(str(one.value)) and _is_beyond(other):
            yield Problem(f"{one.value} is a probability, from 0 to 1, compared with {other.value:g}", term.span)


def _is_beyond(term: Term) -> bool:
    return term.op == "literal" and isinstance(term.value, int | float) and not 0 <= term.value <= 1
