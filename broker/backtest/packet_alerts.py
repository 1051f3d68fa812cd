"""Annotated alerts from packets: what the pure function makes of them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from broker.annotate import schema_for
from broker.backtest.alerts import Piece
from broker.pipeline import process
from broker.sources.files import read_files
from classifiers.bundle import Bundle
from schemas.registry import BundledRegistry


@dataclass(frozen=True, eq=False)
class PacketAlerts:
    """The alerts in files of packets; see `broker.backtest.alerts.Alerts`.

    Parameters
    ----------
    name : as the caller gave it.
    directory, files : packets, object containers or tar archives, told relative to the directory.
    bundle : the classifiers.
    """

    name: str
    directory: Path
    files: Sequence[str]
    bundle: Bundle = field(repr=False)
    registry: BundledRegistry = field(default_factory=BundledRegistry, repr=False)

    @property
    def total(self) -> None:
        """Not known: a file may hold many alerts."""
        return

    @cached_property
    def columns(self) -> Collection[str]:
        """Those of an annotation."""
        return frozenset(schema_for(self.bundle.manifest).names)

    def pieces(self, columns: Sequence[str], only: Collection[int] | None = None) -> Iterator[Piece]:
        """As many packets at a time as a call takes; those of pieces that aren't wanted are read, not processed."""
        for number, (packets, unread) in enumerate(read_files(self.directory, self.files)):
            if only is None or number in only:
                outcome = process(packets, self.registry, self.bundle).with_rejects(unread)
                yield Piece(number, outcome.annotations.select(list(columns)), _stages(outcome.rejects))


def _stages(rejects: pa.Table) -> Counter[str]:
    return Counter(rejects["stage"].to_pylist())
