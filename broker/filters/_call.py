"""Typing of arithmetic, function calls and CAST."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from broker.filters._compare import all_numbers, as_kind, beside, comparable, same_kind
from broker.filters._light_curve_call import light_curve_call
from broker.filters._parse import Span
from broker.filters.functions import AGGREGATES, FUNCTIONS, NAMES, OTHER_NAMES, SPECIAL, Function
from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import Term, literal
from broker.findings import did_you_mean

if TYPE_CHECKING:
    from broker.filters.check import Checker

OPERATORS: dict[type[exp.Expr], str] = {
    exp.Add: "add",
    exp.Sub: "sub",
    exp.Mul: "mul",
    exp.Div: "div",
    exp.Mod: "mod",
    exp.Pow: "power",
}
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "power": "^"}
_EXACT = ("add", "sub", "mul", "mod")

_CASTS = {
    exp.DType.BIGINT: ("to_integer", Kind.INTEGER),
    exp.DType.INT: ("to_integer", Kind.INTEGER),
    exp.DType.DOUBLE: ("to_float", Kind.FLOAT),
    exp.DType.FLOAT: ("to_real", Kind.FLOAT),
}
MAX_DIGITS = 15


def arithmetic(op: str) -> Callable[["Checker", exp.Expr], Term]:
    """A handler of ``a <op> b``. Whole numbers stay whole under + - * %; ``/`` and ``^`` are those of real numbers."""

    def handle(checker: "Checker", node: exp.Expr) -> Term:
        terms = checker.terms([node.this, node.args["expression"]])
        span = checker.span(node)
        if not all_numbers(checker, _SIGNS[op], terms, span):
            return literal(None, Kind.NULL, span)
        whole = op in _EXACT and all(term.kind is Kind.INTEGER for term in terms)
        kind = Kind.INTEGER if whole else Kind.FLOAT
        return Term(op, kind, tuple(as_kind(term, kind) for term in terms), span=span)

    return handle


def call(checker: "Checker", node: exp.Anonymous) -> Term:
    """``name(a, b)``."""
    start, end = checker.span(node)
    written = str(node.this)
    span = (start, max(end, start + len(written)))
    at = (int(node.meta["start"]), int(node.meta["end"]) + 1) if "start" in node.meta else span
    name = OTHER_NAMES.get(written.lower(), written.lower())
    if name not in (*FUNCTIONS, *SPECIAL, *LIGHT_CURVE_FUNCTIONS):
        return _unknown(checker, written, at)
    args = checker.terms(node.expressions)
    if name in LIGHT_CURVE_FUNCTIONS:
        return light_curve_call(checker, LIGHT_CURVE_FUNCTIONS[name], args, span)
    if name in SPECIAL:
        return _SPECIAL_CALLS[name](checker, args, span)
    return _function(checker, FUNCTIONS[name], args, span)


def _unknown(checker: "Checker", written: str, at: Span) -> Term:
    if written.lower() in AGGREGATES:
        hint = "a condition sees one alert at a time; greatest(a, b) and least(a, b) compare columns of it"
        return checker.problem(f"{written} works on many rows, which isn't allowed", at, hint)
    hint = did_you_mean(written, NAMES, f"allowed are {', '.join(NAMES)}")
    return checker.problem(f"function {written!r} isn't allowed", at, hint)


def _function(checker: "Checker", function: Function, args: Sequence[Term], span: Span) -> Term:
    if len(args) != len(function.parameters):
        return _wrong_count(checker, function.name, function.signature, len(args), span)
    if function.takes is Kind.FLOAT:
        if not all_numbers(checker, function.name, args, span):
            return literal(None, Kind.NULL, span)
        keep = function.whole and args[0].kind is Kind.INTEGER
        kind = Kind.INTEGER if keep else Kind.FLOAT
        return Term(function.name, kind, tuple(as_kind(arg, kind) for arg in args), span=span)
    for arg in args:
        if arg.kind not in (function.takes, Kind.NULL):
            what = f"{function.name} needs {function.takes.value}, but `{checker.source(arg.span)}` is {arg.kind.value}"
            return checker.problem(what, arg.span)
    return Term(function.name, function.takes, tuple(as_kind(arg, function.takes) for arg in args), span=span)


def _wrong_count(checker: "Checker", name: str, signature: str, count: int, span: Span) -> Term:
    return checker.problem(f"{name} was given {count} value{'s' * (count != 1)}", span, f"it is {signature}")


def _alike(name: str) -> Callable[["Checker", Sequence[Term], Span], Term]:
    """coalesce, least and greatest: any number of values of one kind."""

    def handle(checker: "Checker", args: Sequence[Term], span: Span) -> Term:
        if not args:
            return _wrong_count(checker, name, SPECIAL[name][0], 0, span)
        terms = same_kind(checker, name, args, span)
        if terms[0].kind is Kind.BOOLEAN and name != "coalesce":
            return checker.problem("true and false have no order", span, "use AND and OR")
        return Term(name, terms[0].kind, tuple(terms), span=span)

    return handle


def _nullif(checker: "Checker", args: Sequence[Term], span: Span) -> Term:
    if len(args) != 2:  # noqa: PLR2004  a and b
        return _wrong_count(checker, "nullif", SPECIAL["nullif"][0], len(args), span)
    if not comparable(checker, args[0], args[1], span):
        return literal(None, Kind.NULL, span)
    return Term("nullif", args[0].kind, (args[0], beside(args[1], args[0])), span=span)


def _round(checker: "Checker", args: Sequence[Term], span: Span) -> Term:
    if len(args) not in (1, 2):
        return _wrong_count(checker, "round", SPECIAL["round"][0], len(args), span)
    digits = args[1].value if len(args) > 1 and args[1].op == "literal" else 0 if len(args) == 1 else None
    if not isinstance(digits, int) or not 0 <= digits <= MAX_DIGITS:
        return checker.problem(f"round needs a whole number of digits from 0 to {MAX_DIGITS}", args[1].span)
    if not all_numbers(checker, "round", args[:1], span):
        return literal(None, Kind.NULL, span)
    if args[0].kind is Kind.INTEGER:
        return args[0]
    return Term("round", Kind.FLOAT, (as_kind(args[0], Kind.FLOAT),), digits, span)


_SPECIAL_CALLS: dict[str, Callable[["Checker", Sequence[Term], Span], Term]] = {
    "coalesce": _alike("coalesce"),
    "least": _alike("least"),
    "greatest": _alike("greatest"),
    "nullif": _nullif,
    "round": _round,
}


def cast(checker: "Checker", node: exp.Cast) -> Term:
    """``CAST(x AS type)`` and ``x::type``, to numbers only."""
    span, term = checker.span(node), checker.term(node.this)
    op, kind = _CASTS.get(node.args["to"].this, (None, None))
    if op is None or kind is None or node.args["to"].expressions:
        wanted = node.args["to"].sql().upper()
        return checker.problem(f"CAST to {wanted} isn't allowed", span, "allowed are INTEGER, BIGINT, REAL and DOUBLE")
    if term.kind is Kind.BOOLEAN and kind is Kind.FLOAT:
        return checker.problem("true and false can be cast to whole numbers only", span)
    return Term(op, kind, (term,), span=span) if term.kind is not kind or op == "to_real" else term
