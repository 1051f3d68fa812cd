"""What the modules of `broker.metrics.figures` are made of, and how they are found.

Each has one constant `FAMILY`: functions by the name of their metric and, where they tell of what was seen since the
start, the class that sees it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar

from broker.commit import Taken
from broker.metrics.labels import Labels, Number
from broker.metrics.state import State


class Tally:
    """Sees every micro-batch, on the driver's thread: what it does must be quick.

    What it keeps is read from other threads: it puts new values in the place of old ones, and changes none.

    Parameters
    ----------
    state : what else is known of the run.
    """

    name: ClassVar[str] = ""
    """Under which it is remembered from one start to the next; empty where it needn't be."""

    def __init__(self, state: State) -> None:
        self.state = state

    def take(self, taken: Taken) -> None:
        """See a micro-batch."""
        raise NotImplementedError

    def to_json(self) -> Any:
        """What is to be remembered."""
        return None

    def restore(self, found: Any) -> None:
        """Go on from what `to_json` gave."""


Figure = Callable[[State], "Mapping[Labels, Number] | Number | None"]
"""A metric's values by those of its labels; a number where it has no labels; None where there is nothing to tell."""


@dataclass(frozen=True)
class Family:
    """A module's constant `FAMILY`.

    Parameters
    ----------
    figures : by the metric's name.
    tallies : what they read with `State.tally`.
    """

    figures: Mapping[str, Figure]
    tallies: tuple[type[Tally], ...] = field(default=())


@cache
def discover() -> tuple[Family, ...]:
    """Every family, by the name of its module."""
    import broker.metrics.figures as package

    modules = (import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__))
    return tuple(module.FAMILY for module in modules if hasattr(module, "FAMILY"))
