"""Where a field stands in a record: the paths that surveys give, taken apart."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Step:
    """One level of a path.

    Parameters
    ----------
    names : fields, of which the first that is there counts.
    optional : none of them need be there, and what the field leads to may be null.
    """

    names: tuple[str, ...]
    optional: bool

    def choose(self, present: Collection[str]) -> str | None:
        """The field that counts; None where none is there and none need be.

        Raises
        ------
        KeyError
            If none is there and one must.
        """
        for name in self.names:
            if name in present:
                return name
        if self.optional:
            return None
        raise KeyError(self.names[-1])


@cache
def steps(path: str) -> tuple[Step, ...]:
    """The levels of a path, from the outside in; `schemas.survey.Field` says how a path is written."""
    return tuple(Step(tuple(level.rstrip("?").split("|")), level.endswith("?")) for level in path.split("."))
