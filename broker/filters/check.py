"""Is a condition right? SQL text in; a typed `Term`, or what is wrong where, out. Nothing is run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
from sqlglot import exp

from broker.filters import _call, _compare, _value
from broker.filters._lint import doubts
from broker.filters._parse import Problem, Span, SyntaxProblem, parse, span_of
from broker.filters._saved import Extent, Names, too_large
from broker.filters.kinds import Columns, Kind
from broker.filters.term import Term, literal

MAX_DEPTH, MAX_BRANCHES = 60, 50
LEAVES = 3
"""So many levels of a syntax tree are no terms, such as a column's name."""


@dataclass(frozen=True)
class Checked:
    """What checking a condition found.

    Parameters
    ----------
    term : the condition, None where it has problems.
    problems : what is wrong.
    doubts : what is allowed and probably not meant.
    extent : how large the term is.
    uses : the values that it names, in lower case.
    """

    term: Term | None
    problems: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    extent: Extent = field(default_factory=Extent)
    uses: frozenset[str] = frozenset()


def check_condition(text: str, schema: pa.Schema, names: Names | None = None) -> Checked:
    """Parse and type a condition against the columns of a schema; finds every problem, not just the first.

    Parameters
    ----------
    text : one SQL expression.
    schema : the columns that it may use.
    names : the values that it may use.
    """
    checked = _check(text, schema, names or Names.of(), Checker.condition)
    return replace(checked, doubts=tuple(doubts(checked.term, text, schema))) if checked.term else checked


def check_value(text: str, schema: pa.Schema, names: Names) -> Checked:
    """The same for an expression of any kind; what is doubtful shows where the condition uses it."""
    return _check(text, schema, names, Checker.term)


def _check(text: str, schema: pa.Schema, names: Names, typed: Callable[["Checker", exp.Expr], Term]) -> Checked:
    try:
        checker, tree = Checker(text, Columns(schema), names), parse(text)
        _refuse_depth(tree, text)
        term = typed(checker, tree)
    except SyntaxProblem as error:
        return Checked(None, (error.problem,))
    problems = tuple(sorted(set(checker.problems), key=lambda problem: problem.span))
    uses = frozenset(checker.uses)
    if problems:
        return Checked(None, problems, uses=uses)
    extent = names.extent(term)
    problem = too_large(term, extent, (0, len(text.rstrip())))
    return Checked(None, (problem,), uses=uses) if problem else Checked(term, extent=extent, uses=uses)


def _refuse_depth(tree: exp.Expr, text: str) -> None:
    """Before it is gone through, which takes long where it is much too deep. A chain of AND or of OR isn't deep."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH + LEAVES:
            raise SyntaxProblem("nested too deeply", (0, len(text)), "split it into several filters")
        chain = isinstance(node, exp.And | exp.Or)
        waiting += [(below, depth + 1 - (chain and type(below) is type(node))) for below in node.iter_expressions()]


class Checker:
    """Goes through a syntax tree once. Only what is listed in `_HANDLERS` passes.

    What has a problem becomes NULL, which goes with everything, so that one mistake isn't told twice.
    """

    def __init__(self, text: str, columns: Columns, names: Names) -> None:
        self.text = text
        self.columns = columns
        self.names = names
        self.problems: list[Problem] = []
        self.uses: set[str] = set()
        self._depth = 0

    def condition(self, tree: exp.Expr) -> Term:
        """The whole condition, which must be true or false."""
        term = self.term(tree)
        if term.kind not in (Kind.BOOLEAN, Kind.NULL):
            what = f"`{self.source(term.span)}` is {term.kind.value}, not true or false"
            self.problem(what, term.span, "compare it with something, like `... > 0.8`")
        return term if term.kind is Kind.BOOLEAN else literal(None, Kind.BOOLEAN, term.span)

    def term(self, node: exp.Expr) -> Term:
        """A part of the condition."""
        handler, keys = _HANDLERS.get(type(node), (_refuse, None))
        if keys is not None and any(value for key, value in node.args.items() if key not in keys):
            handler = _refuse
        if self._depth > MAX_DEPTH:
            return self.problem("nested too deeply", (0, len(self.text)), "split it into several filters")
        self._depth += 1
        try:
            term = handler(self, node)
            return literal(None, Kind.NULL, term.span) if term.kind is Kind.NULL else term
        finally:
            self._depth -= 1

    def terms(self, nodes: Sequence[exp.Expr]) -> tuple[Term, ...]:
        """Several parts."""
        return tuple(self.term(node) for node in nodes)

    def problem(self, message: str, span: Span, hint: str = "") -> Term:
        """Note a problem; NULL stands for what has it."""
        self.problems.append(Problem(message, span, hint))
        return literal(None, Kind.NULL, span)

    def span(self, node: exp.Expr) -> Span:
        """Where the node stands, with the brackets it opens; the whole condition where that isn't known."""
        start, end = span_of(node) or (0, len(self.text))
        while self.text.count("(", start, end) > self.text.count(")", start, end) and ")" in self.text[end:]:
            end = self.text.index(")", end) + 1
        return start, end

    def source(self, span: Span) -> str:
        """The text there, shortened."""
        words = self.text[span[0] : span[1]].split()
        return _shortened(" ".join(words))


def _shortened(words: str, most: int = 40) -> str:
    return words if len(words) <= most else words[: most - 3] + "..."


def _refuse(checker: Checker, node: exp.Expr) -> Term:
    span = checker.span(node)
    for kinds, message in _REFUSALS:
        if isinstance(node, kinds):
            return checker.problem(message, span, "a condition sees one alert at a time, and its columns only")
    return checker.problem(
        f"`{checker.source(span)}` isn't allowed in a condition", span, "docs/subscribers.md lists what is"
    )


_REFUSALS: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], str], ...] = (
    ((exp.Select, exp.Subquery, exp.Exists, exp.Any, exp.All), "SELECT and sub-queries aren't allowed"),
    ((exp.Window, exp.Filter, exp.IgnoreNulls), "window functions and aggregates aren't allowed"),
)


def _junction(op: str) -> Callable[[Checker, exp.Expr], Term]:
    def handle(checker: Checker, node: exp.Expr) -> Term:
        terms = tuple(_truth(checker, part) for part in _parts(node, type(node)))
        return Term(op, Kind.BOOLEAN, terms, span=checker.span(node))

    return handle


def _parts(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """The operands of ``a AND b AND c``, from left to right, however deep the tree is."""
    parts, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, kind):
            waiting.extend((part.args["expression"], part.this))
        else:
            parts.append(part)
    return parts


def _truth(checker: Checker, node: exp.Expr) -> Term:
    term = checker.term(node)
    if term.kind is Kind.BOOLEAN:
        return term
    if term.kind is not Kind.NULL:
        source = checker.source(term.span)
        checker.problem(
            f"`{source}` is {term.kind.value}; AND, OR, NOT and WHEN need true or false",
            term.span,
            "compare it with something",
        )
    return literal(None, Kind.BOOLEAN, term.span)


def _not(checker: Checker, node: exp.Not) -> Term:
    return Term("not", Kind.BOOLEAN, (_truth(checker, node.this),), span=checker.span(node))


def _paren(checker: Checker, node: exp.Paren) -> Term:
    return checker.term(node.this)


def _case(checker: Checker, node: exp.Case) -> Term:
    if len(node.args["ifs"]) > MAX_BRANCHES:
        what = f"CASE has {len(node.args['ifs']):,} branches; at most {MAX_BRANCHES} are taken"
        return checker.problem(what, checker.span(node))
    subject = checker.term(node.this) if node.this else None
    whens = [
        _compare.comparison(checker, "eq", subject, checker.term(branch.this), checker.span(branch.this))
        if subject
        else _truth(checker, branch.this)
        for branch in node.args["ifs"]
    ]
    values = list(checker.terms([branch.args["true"] for branch in node.args["ifs"]]))
    default = node.args.get("default")
    values.append(checker.term(default) if default else literal(None, Kind.NULL))
    values = _compare.same_kind(checker, "CASE", values, checker.span(node))
    pairs = [part for pair in zip(whens, values, strict=False) for part in pair]
    return Term("case", values[-1].kind, (*pairs, values[-1]), span=checker.span(node))


_BOTH = frozenset({"this", "expression"})
_HANDLERS: dict[type[exp.Expr], tuple[Callable[..., Term], frozenset[str] | None]] = {
    exp.Column: (_value.column, frozenset({"this", "table", "db", "catalog"})),
    exp.Literal: (_value.constant, frozenset({"this", "is_string"})),
    exp.Boolean: (lambda _, node: literal(bool(node.this), Kind.BOOLEAN), frozenset({"this"})),
    exp.Null: (lambda _, __: literal(None, Kind.NULL), frozenset()),
    exp.Paren: (_paren, frozenset({"this"})),
    exp.Neg: (_value.minus, frozenset({"this"})),
    exp.And: (_junction("and"), _BOTH),
    exp.Or: (_junction("or"), _BOTH),
    exp.Not: (_not, frozenset({"this"})),
    exp.Case: (_case, frozenset({"this", "ifs", "default"})),
    exp.Between: (_compare.between, frozenset({"this", "low", "high"})),
    exp.In: (_compare.within, frozenset({"this", "expressions"})),
    exp.Is: (_compare.is_, _BOTH),
    exp.NullSafeEQ: (_compare.same, _BOTH),
    exp.NullSafeNEQ: (_compare.distinct, _BOTH),
    exp.Like: (_compare.like, _BOTH | {"negate"}),
    exp.ILike: (_compare.like, _BOTH | {"negate"}),
    exp.Escape: (_compare.escaped_like, _BOTH),
    **{kind: (_compare.compare(op), _BOTH) for kind, op in _compare.OPERATORS.items()},
    **{kind: (_call.arithmetic(op), _BOTH | {"typed", "safe"}) for kind, op in _call.OPERATORS.items()},
    exp.Anonymous: (_call.call, frozenset({"this", "expressions"})),
    exp.Cast: (_call.cast, frozenset({"this", "to"})),
}
