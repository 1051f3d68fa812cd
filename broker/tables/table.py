"""What is an annotation table? The contract of the kinds of table in `broker.tables`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True)
class TableBatch:
    """What a micro-batch adds to the table, in one piece.

    Parameters
    ----------
    stream : identity of the checkpoint that numbers the batches.
    number : the micro-batch's number within that stream.
    annotations : annotation columns with `deliveredTo`; may have no rows.
    books : what the ledger takes in for this batch, as JSON; a table that commits keeps it beside the rows.
    """

    stream: str
    number: int
    annotations: pa.Table
    books: Mapping[str, Any]


@dataclass(frozen=True)
class Committed:
    """A micro-batch of a stream that a table has committed, and the books that came with it."""

    number: int
    books: Mapping[str, Any]


class AnnotationTable(Protocol):
    """Every annotated alert, exactly once, partitioned by night."""

    def write(self, batch: TableBatch, /) -> None:
        """Add a micro-batch; added again, also after a crash at any moment, it changes nothing.

        Raises
        ------
        TableError
            If the table can't be written; nothing of the batch is in it then.
        """
        ...

    def after(self, stream: str, number: int, /) -> Sequence[Committed]:
        """The micro-batches behind this one that the table itself committed, ascending.

        None where it holds none of this stream, and always for a kind of table that leaves committing to the ledger.
        """
        ...

    def discard_uncommitted(self, last_batch: Mapping[str, int], /) -> None:
        """Remove what was written of micro-batches that are neither in the ledger nor committed by the table.

        Parameters
        ----------
        last_batch : the last micro-batch of each stream that the ledger has.
        """
        ...

    def rows(self, columns: Sequence[str], nights: Sequence[int] | None = None, /) -> Iterator[pa.Table]:
        """The rows of all committed batches, a piece at a time, so that no more than a piece is in memory.

        Parameters
        ----------
        columns : their names, `night` included if wanted, in the types of the annotation columns.
        nights : only these partitions; None for all.
        """
        ...

    def nights(self) -> Sequence[int]:
        """The nights that the table has rows of, ascending."""
        ...
