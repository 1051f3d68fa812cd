"""What is measured: a number with its unit, what it is held against, and what is wanted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Baseline:
    """What a figure is held against: measured in the same run, in the same unit.

    Parameters
    ----------
    what : in a few words.
    value : the number.
    """

    what: str
    value: float


@dataclass(frozen=True)
class Goal:
    """What is wanted.

    Parameters
    ----------
    of : the figure's value, or its ratio to the baseline.
    sense : at least, or at most.
    bound : the number.
    """

    of: Literal["value", "ratio"]
    sense: Literal[">=", "<="]
    bound: float

    def met(self, number: float) -> bool:
        """Whether a number is what is wanted."""
        return number >= self.bound if self.sense == ">=" else number <= self.bound


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Parameters
    ----------
    name : words with dots between them, the part of the benchmark first: ``features.lsst-10.0``.
    value, unit : what was measured.
    baseline : what it is held against; None where there is nothing.
    goal : what is wanted; None where nothing is.
    details : what else is known; JSON.
    """

    name: str
    value: float
    unit: str
    baseline: Baseline | None = None
    goal: Goal | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The value over its baseline."""
        return self.value / self.baseline.value if self.baseline and self.baseline.value else None

    @property
    def met(self) -> bool | None:
        """Whether it is what is wanted; None where nothing is, or where the ratio isn't known."""
        number = self.ratio if self.goal and self.goal.of == "ratio" else self.value
        return None if self.goal is None or number is None else self.goal.met(number)

    def to_json(self) -> dict[str, Any]:
        """The figure by camelCase keys."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": {"what": self.baseline.what, "value": self.baseline.value} if self.baseline else None,
            "ratio": self.ratio,
            "goal": {"of": self.goal.of, "sense": self.goal.sense, "bound": self.goal.bound} if self.goal else None,
            "met": self.met,
            "details": dict(self.details),
        }
