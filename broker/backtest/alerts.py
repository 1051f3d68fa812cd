"""What is a filter tried on? Annotated alerts that are read in pieces, and some of them a second time."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

from broker._derive import night_of

KEYS = ["survey", "alertId", "diaSourceId", "objectId", "mjdTai", "night", "origin", "classId", "className"]
"""The columns that are read whatever a filter asks for: who the alert is, and its class."""


@dataclass(frozen=True)
class Piece:
    """Some alerts, as many as fit into memory with ease.

    Parameters
    ----------
    number : of the piece, counted from 0; the same each time.
    rows : annotation columns, `night` among them.
    rejected : alerts that could not be annotated, by the stage that turned them away.
    """

    number: int
    rows: pa.Table
    rejected: Counter[str] = field(default_factory=Counter)


class Alerts(Protocol):
    """Annotated alerts from one place."""

    @property
    def name(self) -> str:
        """As the caller gave it."""
        ...

    @property
    def total(self) -> int | None:
        """How many there are; None where that isn't known before they are read."""
        ...

    @property
    def columns(self) -> Collection[str]:
        """The names of the annotation columns that can be read."""
        ...

    def pieces(self, columns: Sequence[str], only: Collection[int] | None = None, /) -> Iterator[Piece]:
        """Read the alerts, always in the same order and pieces.

        Parameters
        ----------
        columns : which columns to read.
        only : the numbers of the pieces that are wanted; None for all.
        """
        ...


def with_night(rows: pa.Table) -> pa.Table:
    """The rows with their observing night, where a table keeps it nowhere."""
    if "night" in rows.column_names:
        return rows
    return rows.append_column("night", pa.array(night_of(np.asarray(rows["mjdTai"], dtype=np.float64))))
