"""Checked conditions -> polars expressions. What is undefined in SQL or in arithmetic is null, never NaN or infinite.

polars sorts NaN above every number, so that ``NaN > 5`` is true; each computed number is therefore guarded at once.
The guard looks at a value twice. Written as one expression, nested arithmetic would double with each level; so each
computed number gets a column of its own (a step), and equal terms of all conditions share one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from broker.filters.functions import FUNCTIONS
from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import SAVED, Term

DTYPES: dict[Kind, Any] = {
    Kind.BOOLEAN: pl.Boolean,
    Kind.INTEGER: pl.Int64,
    Kind.FLOAT: pl.Float64,
    Kind.TEXT: pl.String,
    Kind.NULL: pl.Boolean,
}

BEYOND_INTEGERS = 1e30
"""Above every 64-bit whole number, and inside 128 bits."""


def column_name(name: str, kind: Kind) -> str:
    """The name, in the engine's frame, of an annotation column seen as this kind."""
    return f"column:{kind.name}:{name}"


def curve_name(call: Term) -> str:
    """The name, in the engine's frame, of what a function of the light curve gives."""
    return f"curve:{call.op}:{':'.join(str(arg.value) for arg in call.args)}"


def column_expression(name: str, kind: Kind) -> pl.Expr:
    """An annotation column as conditions see it: 64 bits wide, and null where NaN or infinite."""
    cast = pl.col(name).cast(DTYPES[kind])
    return (guarded(cast) if kind is Kind.FLOAT else cast).alias(column_name(name, kind))


def guarded(number: pl.Expr) -> pl.Expr:
    """Null where not finite."""
    return pl.when(number.is_finite()).then(number)


@dataclass
class Translator:
    """Translates terms, and collects the steps that must be computed before them.

    Parameters
    ----------
    steps : expressions by level; a level needs those below it.
    """

    steps: list[list[pl.Expr]] = field(default_factory=list)
    _done: dict[Term, tuple[pl.Expr, int]] = field(default_factory=dict)
    _columns: set[Term] = field(default_factory=set)

    def translate(self, term: Term) -> pl.Expr:
        """The expression of a term, to be evaluated after all `steps`."""
        return self._leveled(term)[0]

    def _leveled(self, term: Term) -> tuple[pl.Expr, int]:
        if term not in self._done:
            self._done[term] = self._translate(term)
        return self._done[term]

    def _translate(self, term: Term) -> tuple[pl.Expr, int]:
        if (leaf := _leaf(term)) is not None:
            self._columns.add(term)
            return leaf, 0
        if term.op == SAVED:
            self._columns.add(term)
            return self._step(term.args[0], *self._leveled(term.args[0]))
        below = [self._leveled(arg) for arg in term.args]
        level = max((at for _, at in below), default=0)
        build = _BUILD.get(term.op, _build_function)
        if build in _USE_TWICE:
            below = [self._step(e, *at) for e, at in zip(term.args, below, strict=True)]
            level = max((at for _, at in below), default=level)
        made = build(term, [expression for expression, _ in below])
        if term.op == "case":  # a chain, as long as it has branches: named, so that no chain stands within another
            return self._name(term, made, level)
        if term.kind is not Kind.FLOAT or term.op in _NEVER_UNDEFINED:
            return made, level
        raw, level = self._name(term, made, level)
        return self._name(term, guarded(raw), level)

    def _step(self, term: Term, expression: pl.Expr, at: int) -> tuple[pl.Expr, int]:
        """A value that can be used several times at no cost: a column of the frame."""
        if term not in self._columns:
            self._done[term] = self._name(term, expression, at)
        return self._done[term]

    def _name(self, term: Term, expression: pl.Expr, level: int) -> tuple[pl.Expr, int]:
        while len(self.steps) <= level:
            self.steps.append([])
        name = f"step:{level}:{len(self.steps[level])}"
        self.steps[level].append(expression.alias(name))
        self._columns.add(term)
        return pl.col(name), level + 1


def _leaf(term: Term) -> pl.Expr | None:
    """What needs nothing computed before it; None for all else."""
    if term.op == "column":
        return pl.col(column_name(str(term.value), term.kind))
    if term.op == "literal":
        return pl.lit(term.value, DTYPES[term.kind])
    return pl.col(curve_name(term)) if term.op in LIGHT_CURVE_FUNCTIONS else None


Build = Callable[[Term, Sequence[pl.Expr]], pl.Expr]


def _fold(expressions: Iterable[pl.Expr], join: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> pl.Expr:
    """Join in pairs, so that the tree is as flat as can be."""
    left = list(expressions)
    while len(left) > 1:
        left = [join(*left[k : k + 2]) if k + 1 < len(left) else left[k] for k in range(0, len(left), 2)]
    return left[0]


def _compare(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    one, other = term.args
    if {one.kind, other.kind} == {Kind.INTEGER, Kind.FLOAT}:
        if one.kind is Kind.INTEGER:
            return _compare_whole(term.op, args[0], args[1])
        return _compare_whole(_MIRRORED[term.op], args[1], args[0])
    return _COMPARISONS[term.op](args[0], args[1])


def _compare_whole(op: str, whole: pl.Expr, number: pl.Expr) -> pl.Expr:
    """A whole number against a float, exactly: made a float, ids above 2^53 would be rounded."""
    within = number.clip(-BEYOND_INTEGERS, BEYOND_INTEGERS)
    low, high, whole = within.floor().cast(pl.Int128), within.ceil().cast(pl.Int128), whole.cast(pl.Int128)
    answers: dict[str, Callable[[], pl.Expr]] = {
        "lt": lambda: whole < high,
        "le": lambda: whole <= low,
        "gt": lambda: whole > low,
        "ge": lambda: whole >= high,
        "eq": lambda: (whole <= low) & (whole >= high),
        "ne": lambda: (whole > low) | (whole < high),
    }
    return answers[op]()


_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_COMPARISONS: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}


def _in(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    x = term.args[0]
    plain = {
        item.value for item in term.args[1:] if item.op == "literal" and item.kind is x.kind and item.value is not None
    }
    tests = [args[0].is_in(sorted(plain))] if plain else []
    for item, expression in zip(term.args[1:], args[1:], strict=True):
        if not (item.op == "literal" and item.value in plain and item.kind is x.kind):
            tests.append(_compare(Term("eq", Kind.BOOLEAN, (x, item)), (args[0], expression)))
    return _fold(tests, lambda a, b: a | b)


def _same(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    equal = _compare(Term("eq", Kind.BOOLEAN, term.args), args)
    return equal.fill_null(value=False) | (args[0].is_null() & args[1].is_null())


def _case(_: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    chain: Any = pl
    for when, value in zip(args[:-1:2], args[1:-1:2], strict=True):
        chain = chain.when(when).then(value)
    made: pl.Expr = chain.otherwise(args[-1])
    return made


def _extreme(pick: Callable[..., pl.Expr]) -> Build:
    def build(_: Term, args: Sequence[pl.Expr]) -> pl.Expr:
        known = _fold([arg.is_not_null() for arg in args], lambda a, b: a & b)
        return pl.when(known).then(pick(*args))

    return build


def _nullif(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    equal = _compare(Term("eq", Kind.BOOLEAN, term.args), args)
    return pl.when(equal.fill_null(value=False)).then(None).otherwise(args[0])


def _arithmetic(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    a, b = args
    if term.kind is Kind.INTEGER:
        # 128 bits hold every result of 64-bit arguments; what doesn't fit back is null instead of wrapped around.
        a, b = a.cast(pl.Int128), b.cast(pl.Int128)
        return _ARITHMETIC[term.op](a, b).cast(pl.Int64, strict=False)
    return _ARITHMETIC[term.op](a, b)


def _remainder(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """The rest a - b * trunc(a / b): the sign is that of a, as in SQL; polars' own takes that of b."""
    size = a.abs() - b.abs() * (a.abs() // b.abs())
    return pl.when(b != 0).then(pl.when(a < 0).then(0 - size).otherwise(size))


_ARITHMETIC: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "mod": _remainder,
}


def _negative(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    if term.kind is Kind.INTEGER:
        return (0 - args[0].cast(pl.Int128)).cast(pl.Int64, strict=False)
    return -args[0]


def _to_integer(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    rounded = args[0].round(mode="half_to_even") if term.args[0].kind is Kind.FLOAT else args[0]
    return rounded.cast(pl.Int64, strict=False)


def _build_function(term: Term, args: Sequence[pl.Expr]) -> pl.Expr:
    if term.kind is Kind.INTEGER:
        if term.op != "abs":
            return args[0] if term.op in ("floor", "ceil") else args[0].sign()
        args = [args[0].cast(pl.Int128)]
        return args[0].abs().cast(pl.Int64, strict=False)
    made: pl.Expr = FUNCTIONS[term.op].build(*args)
    return made


_BUILD: dict[str, Build] = {
    "and": lambda _, args: _fold(args, lambda a, b: a & b),
    "or": lambda _, args: _fold(args, lambda a, b: a | b),
    "not": lambda _, args: ~args[0],
    **dict.fromkeys(_COMPARISONS, _compare),
    "in": _in,
    "same": _same,
    "is_null": lambda _, args: args[0].is_null(),
    "is_true": lambda _, args: args[0].fill_null(value=False),
    "is_false": lambda _, args: (~args[0]).fill_null(value=False),
    "like": lambda term, args: args[0].str.contains(str(term.value)),
    "case": _case,
    "coalesce": lambda _, args: pl.coalesce(*args),
    "least": _extreme(pl.min_horizontal),
    "greatest": _extreme(pl.max_horizontal),
    "nullif": _nullif,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    "neg": _negative,
    "round": lambda term, args: args[0].round(int(term.value or 0), mode="half_away_from_zero"),
    "to_float": lambda _, args: args[0].cast(pl.Float64, strict=False),
    "to_real": lambda _, args: args[0].cast(pl.Float32, strict=False).cast(pl.Float64),
    "to_integer": _to_integer,
}

_NEVER_UNDEFINED = frozenset({"neg", "coalesce", "least", "greatest", "nullif", "abs", "sign", "floor", "ceil", "pi"})
"""Finite for finite arguments: no guard needed."""

_USE_TWICE = frozenset(
    {_compare, _in, _same, _nullif, _arithmetic, _build_function, _BUILD["least"], _BUILD["greatest"]}
)
"""These read an argument more than once."""
