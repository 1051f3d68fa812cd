"""Which annotation columns does a filter read? A table that has these, in their types, can be given to `evaluate`."""

from broker.filters import light_curve
from broker.filters.definition import Filter
from broker.filters.term import Term

POSITION = frozenset({"ra", "dec"})


def columns_needed(wanted: Filter) -> frozenset[str]:
    """The columns that its condition and regions read; what it sends along isn't among them."""
    return columns_of(wanted.term) | (POSITION if wanted.regions else frozenset())


def columns_of(term: Term) -> frozenset[str]:
    """The columns that a term reads."""
    named = frozenset(str(part.value) for part in term.walk() if part.op == "column")
    return named | light_curve.COLUMNS if light_curve.calls(term) else named
