"""What is a checked condition made of? A small typed tree, free of SQL's spelling."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from broker.filters.kinds import Kind

Value = bool | int | float | str | None

SAVED = "saved"
"""The operation of a term that is used under the name that the filter gave it; it changes nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """A value, or an operation on values.

    Parameters
    ----------
    op : ``column``, ``literal``, ``saved``, or the name of an operation or function.
    kind : of the result.
    args : what it is applied to.
    value : a literal's value, the name of a column or of what was saved, a pattern, a number of digits.
    span : first and last (exclusive) character in the condition, or in the expression that was saved; no part of what
        the term means.
    """

    op: str
    kind: Kind
    args: tuple["Term", ...] = ()
    value: Value = None
    span: tuple[int, int] = field(default=(0, 0), compare=False)

    @property
    def is_simple(self) -> bool:
        """Whether it costs nothing to use it twice."""
        return self.op in ("column", "literal")

    def walk(self) -> Iterator["Term"]:
        """The term and every term below it."""
        waiting = [self]
        while waiting:
            term = waiting.pop()
            yield term
            waiting.extend(term.args)


def literal(value: Value, kind: Kind, span: tuple[int, int] = (0, 0)) -> Term:
    """A constant; None is NULL."""
    return Term("literal", kind, value=value, span=span)
