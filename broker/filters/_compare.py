"""Typing of comparisons: =, <, BETWEEN, IN, IS, LIKE; and of values that must be of one kind."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from broker.filters._parse import Span
from broker.filters.kinds import Kind
from broker.filters.term import Term, literal

if TYPE_CHECKING:
    from broker.filters.check import Checker

OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "eq",
    exp.NEQ: "ne",
    exp.LT: "lt",
    exp.LTE: "le",
    exp.GT: "gt",
    exp.GTE: "ge",
}
MAX_PATTERN = 200


def compare(op: str) -> Callable[["Checker", exp.Expr], Term]:
    """A handler of ``a <op> b``."""

    def handle(checker: "Checker", node: exp.Expr) -> Term:
        left, right = checker.terms([node.this, node.args["expression"]])
        if op in ("lt", "le", "gt", "ge") and left.kind is Kind.BOOLEAN and isinstance(node.this, tuple(OPERATORS)):
            return _chained(checker, node)
        return comparison(checker, op, left, right, checker.span(node))

    return handle


def _chained(checker: "Checker", node: exp.Expr) -> Term:
    middle = checker.source(checker.span(node.this.args["expression"]))
    hint = f"write both comparisons with AND between them, or `{middle} BETWEEN low AND high`"
    return checker.problem("comparisons can't be chained", checker.span(node), hint)


def comparison(checker: "Checker", op: str, left: Term, right: Term, span: Span) -> Term:
    """Two values compared; a problem where their kinds can't be."""
    if not comparable(checker, left, right, span):
        return literal(None, Kind.BOOLEAN, span)
    if op in ("lt", "le", "gt", "ge") and Kind.BOOLEAN in (left.kind, right.kind):
        checker.problem("true and false have no order", span, "use = , or the column alone: isDipole, NOT isDipole")
    return Term(op, Kind.BOOLEAN, (beside(left, right), beside(right, left)), span=span)


def beside(term: Term, other: Term) -> Term:
    """A constant made the kind of what it is compared with, where that is exact: the engine compares like with like."""
    if term.kind is Kind.NULL:
        return as_kind(term, other.kind)
    whole = term.op == "literal" and term.kind is Kind.INTEGER and isinstance(term.value, int)
    return (
        as_kind(term, Kind.FLOAT)
        if whole and other.kind is Kind.FLOAT and int(float(term.value or 0)) == term.value
        else term
    )


def comparable(checker: "Checker", left: Term, right: Term, span: Span) -> bool:
    """Whether the kinds can be compared; notes the problem where not."""
    if left.kind is right.kind or Kind.NULL in (left.kind, right.kind):
        return True
    if left.kind.is_number and right.kind.is_number:
        return True
    names = [f"`{checker.source(term.span)}` is {term.kind.value}" for term in (left, right)]
    checker.problem(f"can't be compared: {names[0]}, {names[1]}", span, _how_to_compare(checker, left, right))
    return False


def _how_to_compare(checker: "Checker", left: Term, right: Term) -> str:
    kinds = {left.kind, right.kind}
    if Kind.BOOLEAN in kinds:
        flag = checker.source((left if left.kind is Kind.BOOLEAN else right).span)
        return f"write `{flag}` or `NOT {flag}`"
    number, text = (left, right) if right.kind is Kind.TEXT else (right, left)
    if number.op == "literal":
        return f"put quotes around the value: '{checker.source(number.span)}'"
    return (
        "write the number without quotes" if text.op == "literal" else "a column of text can be compared with text only"
    )


def all_numbers(checker: "Checker", what: str, terms: Sequence[Term], span: Span) -> bool:
    """Whether all are numbers; notes the problem where not."""
    wrong = [term for term in terms if not term.kind.is_number]
    for term in wrong:
        checker.problem(
            f"`{what}` needs numbers, but `{checker.source(term.span)}` is {term.kind.value}", term.span or span
        )
    return not wrong


def same_kind(checker: "Checker", what: str, terms: Sequence[Term], span: Span) -> list[Term]:
    """The values made one kind: NULL goes with all, whole numbers with numbers; notes the problem where they aren't."""
    kinds = {term.kind for term in terms} - {Kind.NULL}
    if kinds == {Kind.INTEGER, Kind.FLOAT}:
        return [as_kind(term, Kind.FLOAT) for term in terms]
    if len(kinds) > 1:
        seen = " and ".join(sorted(kind.value for kind in kinds))
        checker.problem(f"the values of {what} must be of one kind, but are {seen}", span)
        return [literal(None, Kind.NULL, term.span) for term in terms]
    wanted = kinds.pop() if kinds else Kind.NULL
    return [as_kind(term, wanted) for term in terms]


def as_kind(term: Term, kind: Kind) -> Term:
    """A NULL, or a whole number, in another kind."""
    if term.kind is kind:
        return term
    if term.kind is Kind.NULL:
        return literal(None, kind, term.span)
    if term.op == "literal" and isinstance(term.value, int):
        return literal(float(term.value), kind, term.span)
    return Term("to_float", kind, (term,), span=term.span)


def between(checker: "Checker", node: exp.Between) -> Term:
    """``x BETWEEN low AND high``."""
    span = checker.span(node)
    x, low, high = checker.terms([node.this, node.args["low"], node.args["high"]])
    bounds = (comparison(checker, "ge", x, low, span), comparison(checker, "le", x, high, span))
    return Term("and", Kind.BOOLEAN, bounds, span=span)


def within(checker: "Checker", node: exp.In) -> Term:
    """``x IN (a, b)``."""
    span = checker.span(node)
    if not node.expressions:
        return checker.problem("IN needs a list of values", span, "like band IN ('g', 'r')")
    x, *items = checker.terms([node.this, *node.expressions])
    fine = [comparable(checker, x, item, span) for item in items]
    if not all(fine) or x.kind is Kind.NULL:
        return literal(None, Kind.BOOLEAN, span)
    return Term("in", Kind.BOOLEAN, (x, *(beside(item, x) for item in items)), span=span)


def is_(checker: "Checker", node: exp.Is) -> Term:
    """``x IS NULL``, ``x IS TRUE``, ``x IS FALSE``."""
    span, x, what = checker.span(node), checker.term(node.this), node.args["expression"]
    if isinstance(what, exp.Null):
        return Term("is_null", Kind.BOOLEAN, (x,), span=span)
    if not isinstance(what, exp.Boolean):
        return checker.problem("IS is followed by NULL, TRUE or FALSE only", span, "use = to compare values")
    if x.kind not in (Kind.BOOLEAN, Kind.NULL):
        return checker.problem(f"`{checker.source(x.span)}` is {x.kind.value}, not true or false", span)
    return Term("is_true" if what.this else "is_false", Kind.BOOLEAN, (as_kind(x, Kind.BOOLEAN),), span=span)


def same(checker: "Checker", node: exp.NullSafeEQ | exp.NullSafeNEQ) -> Term:
    """``a IS NOT DISTINCT FROM b``."""
    left, right = checker.terms([node.this, node.args["expression"]])
    comparison(checker, "eq", left, right, checker.span(node))
    return Term("same", Kind.BOOLEAN, (beside(left, right), beside(right, left)), span=checker.span(node))


def distinct(checker: "Checker", node: exp.NullSafeNEQ) -> Term:
    """``a IS DISTINCT FROM b``."""
    return Term("not", Kind.BOOLEAN, (same(checker, node),), span=checker.span(node))


def escaped_like(checker: "Checker", node: exp.Escape) -> Term:
    """``text LIKE pattern ESCAPE '!'``."""
    escape, span = node.args["expression"], checker.span(node)
    if (
        not isinstance(node.this, exp.Like | exp.ILike)
        or not isinstance(escape, exp.Literal)
        or len(str(escape.this)) != 1
    ):
        return checker.problem("ESCAPE takes one character in quotes", span)
    return like(checker, node.this, str(escape.this))


def like(checker: "Checker", node: exp.Like | exp.ILike, escape: str = "") -> Term:
    """``text LIKE pattern``: % stands for any text, _ for one character."""
    span, text, pattern = checker.span(node), checker.term(node.this), node.args["expression"]
    if text.kind not in (Kind.TEXT, Kind.NULL):
        return checker.problem(f"LIKE needs text, but `{checker.source(text.span)}` is {text.kind.value}", span)
    if not isinstance(pattern, exp.Literal) or not pattern.is_string or len(str(pattern.this)) > MAX_PATTERN:
        return checker.problem(
            f"LIKE needs a pattern in quotes, of at most {MAX_PATTERN} characters", span, "like 'SN%'"
        )
    regex = _regex(str(pattern.this), escape)
    if regex is None:
        return checker.problem(f"the pattern ends with the escape character {escape}", span)
    flags = "is" if isinstance(node, exp.ILike) else "s"
    term = Term("like", Kind.BOOLEAN, (as_kind(text, Kind.TEXT),), f"^(?{flags}:{regex})$", span)
    return Term("not", Kind.BOOLEAN, (term,), span=span) if node.args.get("negate") else term


def _regex(pattern: str, escape: str) -> str | None:
    found, characters = [], iter(pattern)
    for character in characters:
        if character == escape:
            following = next(characters, None)
            if following is None:
                return None
            found.append(re.escape(following))
        else:
            found.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return "".join(found)
