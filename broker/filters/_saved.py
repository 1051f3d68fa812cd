"""Values under a name, where conditions use them: found, put in, and kept from growing without bound.

Each use stands for the whole term. A value that uses another twice, and so on, doubles with each step; so the size of
what it stands for is added up before anything goes through it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from broker.filters._parse import Problem, Span
from broker.filters.light_curve import MOST_CALLS, calls
from broker.filters.term import SAVED, Term

MAX_TERMS, MAX_TERM_DEPTH = 60_000, 100
"""Of a condition with all its values written out. A condition of 100,000 characters has fewer terms by itself."""


@dataclass(frozen=True)
class Extent:
    """How large a term is, with what it uses written out.

    Parameters
    ----------
    terms : the number of terms in it.
    depth : how many stand one within the other.
    """

    terms: int = 1
    depth: int = 1


@dataclass(frozen=True)
class Saved:
    """A value that may be used.

    Parameters
    ----------
    name : as it was written.
    term : None where it has problems, which are told already.
    extent : of the term.
    """

    name: str
    term: Term | None
    extent: Extent = field(default_factory=Extent)


@dataclass(frozen=True)
class Names:
    """The values that an expression may use.

    Parameters
    ----------
    saved : by name in lower case.
    later : names in lower case that it may not use, since they stand after it, or are its own.
    """

    saved: Mapping[str, Saved]
    later: frozenset[str] = frozenset()

    @classmethod
    def of(cls, saved: Iterable[Saved] = (), later: Iterable[str] = ()) -> "Names":
        """Names, whatever the case of their letters."""
        return cls({each.name.lower(): each for each in saved}, frozenset(name.lower() for name in later))

    def extent(self, term: Term) -> Extent:
        """The extent of a term that uses some of these values; goes through none of them."""
        terms = deepest = 0
        waiting = [(term, 1)]
        while waiting:
            part, depth = waiting.pop()
            below = self.saved[str(part.value).lower()].extent if part.op == SAVED else Extent(0, 0)
            terms, deepest = terms + 1 + below.terms, max(deepest, depth + below.depth)
            if part.op != SAVED:
                waiting.extend((arg, depth + 1) for arg in part.args)
        return Extent(terms, deepest)


def use(saved: Saved, term: Term, span: Span) -> Term:
    """What stands for a value where it is used: a constant or a column itself, for all else a term of its name."""
    if term.is_simple:
        return replace(term, span=span)
    return Term(SAVED, term.kind, (term,), saved.name, span)


def too_large(term: Term, extent: Extent, whole: Span) -> Problem | None:
    """Why a term costs too much, None where it doesn't."""
    hint = "split it into several filters"
    if extent.terms > MAX_TERMS:
        return Problem(
            f"{extent.terms:,} terms with its values written out; at most {MAX_TERMS:,} are taken", whole, hint
        )
    if extent.depth > MAX_TERM_DEPTH:
        return Problem("nested too deeply with its values written out", whole, hint)
    if (count := len(calls(term))) > MOST_CALLS:
        what = f"{count} different calls of functions of the light curve; at most {MOST_CALLS} are taken"
        return Problem(what, whole, hint)
    return None
