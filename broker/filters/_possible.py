"""Which results can a term have? Never fewer than it has; for doubts about conditions, nothing else.

Numbers are told by the range they lie in, texts and truth values by the set of them. No alert is looked at.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import SAVED, Term


@dataclass(frozen=True)
class Possible:
    """The results that a term can have.

    Parameters
    ----------
    null : whether NULL is one of them.
    values : the others, where they can be listed; None where they can't.
    low, high : the range of numbers, both ends included.
    """

    null: bool = True
    values: frozenset[object] | None = None
    low: float = -inf
    high: float = inf

    @property
    def only_null(self) -> bool:
        """Whether there is no other."""
        return self.values is not None and not self.values

    def may_be(self, truth: bool) -> bool:
        """Whether a condition can come out so."""
        return self.values is None or truth in self.values


NOTHING = Possible(values=frozenset())
ANY_TRUTH = Possible(values=frozenset({True, False}))


def truths(*, true: bool, false: bool, null: bool) -> Possible:
    """Some of true, false and NULL."""
    return Possible(null, frozenset(value for value, may in ((True, true), (False, false)) if may))


class Possibilities:
    """Goes through terms, each once.

    Parameters
    ----------
    columns : what each column can hold; anything, where it isn't listed.
    """

    def __init__(self, columns: Mapping[str, Possible]) -> None:
        self._columns = columns
        self._found: dict[int, Possible] = {}

    def __call__(self, term: Term) -> Possible:
        """The results of a term. The term must live on: it is known by its identity."""
        if id(term) not in self._found:
            self._found[id(term)] = self._look(term)
        return self._found[id(term)]

    def _look(self, term: Term) -> Possible:
        if term.op == "literal":
            return _constant(term)
        if term.op == "column":
            return self._columns.get(str(term.value), ANY_TRUTH if term.kind is Kind.BOOLEAN else Possible())
        if term.op in LIGHT_CURVE_FUNCTIONS:
            return _of_light_curve(term)
        args = [self(arg) for arg in term.args]
        return _RULES.get(term.op, _anything)(term, args)


def _constant(term: Term) -> Possible:
    if term.value is None:
        return NOTHING
    number = isinstance(term.value, int | float) and not isinstance(term.value, bool)
    ends = (float(term.value), float(term.value)) if number else ()
    return Possible(False, frozenset({term.value}), *ends)


def _of_light_curve(term: Term) -> Possible:
    counts = LIGHT_CURVE_FUNCTIONS[term.op].kind is Kind.INTEGER
    return Possible(not counts, None, 0.0 if counts or term.op == "days_since_previous" else -inf)


def _anything(term: Term, _: Sequence[Possible]) -> Possible:
    return ANY_TRUTH if term.kind is Kind.BOOLEAN else Possible()


def _compare(term: Term, args: Sequence[Possible]) -> Possible:
    a, b = args
    if a.only_null or b.only_null:
        return NOTHING
    null = a.null or b.null
    if term.args[0].kind.is_number and term.args[1].kind.is_number:
        return _compare_numbers(term.op, a, b, null)
    if a.values is None or b.values is None:
        return replace(ANY_TRUTH, null=null)
    outcomes = {_ORDER[term.op](x, y) for x in a.values for y in b.values}
    return Possible(null, frozenset(outcomes))


def _compare_numbers(op: str, a: Possible, b: Possible, null: bool) -> Possible:
    apart = a.high < b.low or b.high < a.low
    listed = a.values is not None and b.values is not None and not a.values & b.values
    same = a.low == a.high == b.low == b.high
    may = {
        "lt": (a.low < b.high, a.high >= b.low),
        "le": (a.low <= b.high, a.high > b.low),
        "gt": (a.high > b.low, a.low <= b.high),
        "ge": (a.high >= b.low, a.low < b.high),
        "eq": (not apart and not listed, not same),
        "ne": (not same, not apart and not listed),
    }
    true, false = may[op]
    return truths(true=true, false=false, null=null)


_ORDER: dict[str, Callable[..., bool]] = {
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
}


def _and(_: Term, args: Sequence[Possible]) -> Possible:
    return truths(
        true=all(arg.may_be(True) for arg in args),
        false=any(arg.may_be(False) for arg in args),
        null=any(arg.null for arg in args) and all(arg.null or arg.may_be(True) for arg in args),
    )


def _or(_: Term, args: Sequence[Possible]) -> Possible:
    return _not(_, [_and(_, [_not(_, [arg]) for arg in args])])


def _not(_: Term, args: Sequence[Possible]) -> Possible:
    return truths(true=args[0].may_be(False), false=args[0].may_be(True), null=args[0].null)


def _in(term: Term, args: Sequence[Possible]) -> Possible:
    x = term.args[0]
    tests = [
        _compare(Term("eq", Kind.BOOLEAN, (x, item)), [args[0], arg])
        for item, arg in zip(term.args[1:], args[1:], strict=True)
    ]
    return _or(term, tests)


def _same(_: Term, args: Sequence[Possible]) -> Possible:
    either = any(arg.only_null for arg in args) and not all(arg.null for arg in args)
    return truths(true=not either, false=not all(arg.only_null for arg in args), null=False)


def _like(term: Term, args: Sequence[Possible]) -> Possible:
    if args[0].values is None:
        return replace(ANY_TRUTH, null=args[0].null)
    pattern = re.compile(str(term.value).removeprefix("^").removesuffix("$"))
    return Possible(args[0].null, frozenset(pattern.fullmatch(str(text)) is not None for text in args[0].values))


def _union(options: Iterable[Possible]) -> Possible:
    options = list(options)
    known = [each.values for each in options if each.values is not None]
    values = frozenset[object]().union(*known) if len(known) == len(options) else None
    some = [each for each in options if not each.only_null]
    low, high = min((each.low for each in some), default=-inf), max((each.high for each in some), default=inf)
    return Possible(any(each.null for each in options), values, low, high)


def _coalesce(_: Term, args: Sequence[Possible]) -> Possible:
    return replace(_union(args), null=all(arg.null for arg in args))


def _extreme(pick: Callable[[Iterable[float]], float]) -> "Rule":
    def rule(_: Term, args: Sequence[Possible]) -> Possible:
        if any(arg.only_null for arg in args):
            return NOTHING
        return Possible(any(a.null for a in args), None, pick(a.low for a in args), pick(a.high for a in args))

    return rule


def _number(low: float = -inf, high: float = inf) -> "Rule":
    """Of a function that gives NULL for NULL, and maybe for more, and otherwise a number in this range."""

    def rule(_: Term, args: Sequence[Possible]) -> Possible:
        return NOTHING if any(arg.only_null for arg in args) else Possible(True, None, low, high)

    return rule


def _absolute(_: Term, args: Sequence[Possible]) -> Possible:
    (x,) = args
    if x.only_null:
        return NOTHING
    inside = x.low <= 0 <= x.high
    return Possible(x.null, None, 0.0 if inside else min(abs(x.low), abs(x.high)), max(abs(x.low), abs(x.high)))


def _cased(change: Callable[[str], str]) -> "Rule":
    def rule(_: Term, args: Sequence[Possible]) -> Possible:
        values = args[0].values
        return Possible(args[0].null, None if values is None else frozenset(change(str(text)) for text in values))

    return rule


Rule = Callable[[Term, Sequence[Possible]], Possible]

_RULES: dict[str, Rule] = {
    SAVED: lambda _, args: args[0],
    **dict.fromkeys(_ORDER, _compare),
    "and": _and,
    "or": _or,
    "not": _not,
    "in": _in,
    "same": _same,
    "like": _like,
    "is_null": lambda _, args: truths(true=args[0].null, false=not args[0].only_null, null=False),
    "is_true": lambda _, args: truths(
        true=args[0].may_be(True), false=args[0].null or args[0].may_be(False), null=False
    ),
    "is_false": lambda _, args: truths(
        true=args[0].may_be(False), false=args[0].null or args[0].may_be(True), null=False
    ),
    "case": lambda _, args: _union([*args[1:-1:2], args[-1]]),
    "coalesce": _coalesce,
    "nullif": lambda _, args: replace(args[0], null=True),
    "to_float": lambda term, args: args[0] if term.args[0].kind.is_number else Possible(),
    "least": _extreme(min),
    "greatest": _extreme(max),
    "abs": _absolute,
    "sqrt": _number(0.0),
    "exp": _number(0.0),
    "angular_distance": _number(0.0, 180.0),
    "sin": _number(-1.0, 1.0),
    "cos": _number(-1.0, 1.0),
    **dict.fromkeys(
        ("add", "sub", "mul", "div", "mod", "power", "neg", "ln", "log10", "tan", "asin", "acos", "atan", "atan2",
         "degrees", "radians", "ab_magnitude", "sign", "floor", "ceil", "round", "to_real", "to_integer"),
        _number(),
    ),
    "lower": _cased(str.lower),
    "upper": _cased(str.upper),
}  # fmt: skip
