"""What do comparisons joined by AND ask of one value? For doubts about ranges that exclude each other."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil, floor, inf, isfinite

from broker.filters._parse import Span
from broker.filters.kinds import Kind
from broker.filters.term import SAVED, Term

Part = tuple[Term, Span]
"""A part of a condition, and where it stands in it."""

_MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq", "ne": "ne"}
_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True)
class Asked:
    """What is asked of a value.

    Parameters
    ----------
    low, high : the range of numbers.
    above, below : whether its ends are excluded.
    among : the only values that will do; None for all.
    but : values that won't do.
    """

    low: float = -inf
    high: float = inf
    above: bool = False
    below: bool = False
    among: frozenset[object] | None = None
    but: frozenset[object] = frozenset()

    @property
    def impossible(self) -> bool:
        """Whether no value will do."""
        if self.among is not None:
            return not any(self._fits(value) for value in self.among)
        if self.low == self.high:
            return self.above or self.below or self.low in self.but
        return self.low > self.high

    def excludes(self, value: object) -> bool:
        """Whether this value won't do."""
        return not self._fits(value) or (self.among is not None and value not in self.among)

    def _fits(self, value: object) -> bool:
        if value in self.but:
            return False
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        over = value > self.low or (value == self.low and not self.above)
        return over and (value < self.high or (value == self.high and not self.below))

    def both(self, other: "Asked") -> "Asked":
        """What is asked by two."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        sets = [each.among for each in (self, other) if each.among is not None]
        return Asked(
            low,
            high,
            any(each.above for each in (self, other) if each.low == low),
            any(each.below for each in (self, other) if each.high == high),
            frozenset.intersection(*sets) if sets else None,
            self.but | other.but,
        )


def asked(term: Term, *, denied: bool = False) -> tuple[Term, Asked] | None:
    """The value that a comparison with constants is about, and what it asks; None for any other term.

    Parameters
    ----------
    term : a part of a condition.
    denied : whether it must be false.
    """
    while term.op in (SAVED, "not"):
        denied ^= term.op == "not"
        term = term.args[0]
    if term.op == "in" and all(map(_is_known, term.args[1:])):
        values = frozenset(item.value for item in term.args[1:])
        return term.args[0], Asked(but=values) if denied else Asked(among=values)
    if term.op not in _OPPOSITE:
        return None
    (subject, constant), op = term.args, term.op
    if _is_known(subject):
        subject, constant, op = constant, subject, _MIRRORED[op]
    if not _is_known(constant) or subject.op == "literal":
        return None
    made = _range(_OPPOSITE[op] if denied else op, constant)
    return None if made is None else (subject, _whole(made) if subject.kind is Kind.INTEGER else made)


def _is_known(term: Term) -> bool:
    return term.op == "literal" and term.value is not None


def _range(op: str, constant: Term) -> Asked | None:
    value = constant.value
    if op in ("eq", "ne"):
        return Asked(among=frozenset({value})) if op == "eq" else Asked(but=frozenset({value}))
    if isinstance(value, str) or value is None:
        return None
    number = float(value)
    return Asked(high=number, below=op == "lt") if op in ("lt", "le") else Asked(low=number, above=op == "gt")


def _whole(made: Asked) -> Asked:
    """The same for a whole number: above 5 is 6 at least."""
    low, high = made.low, made.high
    if isfinite(low):
        low = floor(low) + 1 if made.above else ceil(low)
    if isfinite(high):
        high = ceil(high) - 1 if made.below else floor(high)
    return replace(made, low=low, high=high, above=False, below=False)


def parts(term: Term, op: str) -> Iterator[Part]:
    """The operands of ``a AND b AND c``, through brackets and saved values; each with the place where it is used."""
    waiting: list[tuple[Term, Span | None]] = [(term, None)]
    while waiting:
        part, place = waiting.pop()
        if part.op == op:
            waiting.extend((arg, place) for arg in reversed(part.args))
        elif part.op == SAVED and part.args[0].op in (op, SAVED):
            waiting.append((part.args[0], place or part.span))
        else:
            yield part, place or part.span


def clash(terms: Iterable[Part], *, denied: bool = False) -> Span | None:
    """Where a value is asked for what can't be, of the first comparison of it to the one too many."""
    seen: dict[Term, tuple[Asked, Span]] = {}
    for term, span in terms:
        found = asked(term, denied=denied)
        if found is None:
            continue
        subject, wanted = found
        before, first = seen.get(subject, (Asked(), span))
        together = before.both(wanted)
        if together.impossible and not wanted.impossible:
            return min(first[0], span[0]), max(first[1], span[1])
        seen[subject] = together, first
    return None
