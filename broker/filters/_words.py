"""A term in the words of a condition, so that what is shown is what was evaluated."""

import re
from collections.abc import Callable

from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.term import SAVED, Term

_SIGNS = {
    "eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
    "add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%",
    "and": "AND", "or": "OR",
}  # fmt: skip
_STRENGTH = {
    **dict.fromkeys(("or",), 1), **dict.fromkeys(("and",), 2), "not": 3,
    **dict.fromkeys(("eq", "ne", "lt", "le", "gt", "ge", "in", "same", "like", "is_null", "is_true", "is_false"), 4),
    "add": 5, "sub": 5, "mul": 6, "div": 6, "mod": 6, "neg": 7,
}  # fmt: skip
"""How tightly an operator holds its operands together; calls and names, which aren't listed, hold tightest."""

_TIGHTEST = 8
_ENDINGS = {"is_null": "NULL", "is_true": "TRUE", "is_false": "FALSE"}
_CASTS = {"to_integer": "BIGINT", "to_real": "REAL"}
_ESCAPE = "!"


def in_words(term: Term) -> str:
    """The term as a condition writes it; a value that was saved by its name."""
    if term.op in ("column", SAVED):
        return str(term.value)
    if term.op == "literal":
        return _constant(term.value)
    if term.op in _SIGNS:
        return _joined(term)
    return _FORMS.get(term.op, _call)(term)


def _constant(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value).upper() if value is not None else "NULL"
    if isinstance(value, float):
        return f"{value:.17g}" if float(f"{value:.15g}") != value else f"{value:.15g}"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _bracketed(term: Term, within: int) -> str:
    """An operand, in brackets where its operator holds no tighter than the one it is within."""
    shown = term.args[0] if _is_widened(term) else term
    text = in_words(shown)
    return f"({text})" if _STRENGTH.get(shown.op, _TIGHTEST) <= within else text


def _joined(term: Term) -> str:
    """``a + b``: the first operand needs no brackets where it is of the same strength, since all go from the left."""
    strength, arithmetic = _STRENGTH[term.op], term.kind.is_number
    texts = [_bracketed(arg, strength - (arithmetic and k == 0)) for k, arg in enumerate(term.args)]
    return f" {_SIGNS[term.op]} ".join(texts)


def _is_widened(term: Term) -> bool:
    """A whole number made a number where it meets one: nobody wrote that."""
    return term.op == "to_float" and term.args[0].kind is Kind.INTEGER


def _call(term: Term) -> str:
    args = [in_words(arg) for arg in term.args]
    return f"{term.op}({', '.join(args)})"


def _of_light_curve(term: Term) -> str:
    args = [in_words(arg) for arg in term.args if arg.value is not None]
    return f"{term.op}({', '.join(args)})"


def _not(term: Term) -> str:
    (inner,) = term.args
    if inner.op in _ENDINGS:
        return f"{_bracketed(inner.args[0], 4)} IS NOT {_ENDINGS[inner.op]}"
    if inner.op in ("in", "like"):
        return (_in if inner.op == "in" else _like)(inner, "NOT ")
    if inner.op == "same":
        return " IS DISTINCT FROM ".join(_bracketed(arg, 4) for arg in inner.args)
    return f"NOT {_bracketed(inner, 3)}"


def _in(term: Term, negation: str = "") -> str:
    return f"{_bracketed(term.args[0], 4)} {negation}IN ({', '.join(map(in_words, term.args[1:]))})"


def _like(term: Term, negation: str = "") -> str:
    """The pattern was made an expression for the engine; made back, with an escape character where it needs one."""
    found = re.fullmatch(r"\^\(\?(i?)s:(.*)\)\$", str(term.value), re.DOTALL)
    flag, expression = found.groups() if found else ("", str(term.value))
    pattern = re.sub(r"\.\*|\.|\\(.)|[%_!]", _unmade, expression, flags=re.DOTALL)
    escape = f" ESCAPE '{_ESCAPE}'" if _ESCAPE in pattern else ""
    return f"{_bracketed(term.args[0], 4)} {negation}{'I' * bool(flag)}LIKE {_constant(pattern)}{escape}"


def _unmade(found: re.Match[str]) -> str:
    wild = {".*": "%", ".": "_"}.get(found.group())
    character = found.group(1) or found.group()
    return wild or (_ESCAPE + character if character in "%_!" else character)


def _negative(term: Term) -> str:
    """Two minus signs in a row would begin a comment."""
    text = _bracketed(term.args[0], _STRENGTH["neg"])
    return f"-({text})" if text.startswith("-") else f"-{text}"


def _case(term: Term) -> str:
    pairs = zip(term.args[:-1:2], term.args[1:-1:2], strict=True)
    branches = " ".join(f"WHEN {in_words(when)} THEN {in_words(value)}" for when, value in pairs)
    return f"CASE {branches} ELSE {in_words(term.args[-1])} END"


def _cast(term: Term) -> str:
    return f"CAST({in_words(term.args[0])} AS {_CASTS.get(term.op, 'DOUBLE')})"


_FORMS: dict[str, Callable[[Term], str]] = {
    "not": _not,
    "in": _in,
    "like": _like,
    "case": _case,
    "neg": _negative,
    "same": lambda term: " IS NOT DISTINCT FROM ".join(_bracketed(arg, 4) for arg in term.args),
    "round": lambda term: f"round({in_words(term.args[0])}, {term.value})",
    "to_float": lambda term: in_words(term.args[0]) if _is_widened(term) else _cast(term),
    **dict.fromkeys(_CASTS, _cast),
    **{op: lambda term: f"{_bracketed(term.args[0], 4)} IS {_ENDINGS[term.op]}" for op in _ENDINGS},
    **dict.fromkeys(LIGHT_CURVE_FUNCTIONS, _of_light_curve),
}
