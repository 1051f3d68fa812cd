"""From portions to packets, in a worker."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from broker.archives.annotation_tables import ANNOTATIONS, Stored
from broker.archives.containers import CONTAINER
from broker.archives.found import Found, Input, Rules
from broker.archives.kinds import KINDS, Item
from broker.archives.portion import Portion
from broker.errors import RunFailedError
from broker.sources.enough import enough
from broker.sources.gathered import Gathered
from broker.sources.intake import Intake

_COUNTED = frozenset(KINDS) - {CONTAINER, ANNOTATIONS}
"""Kinds of which a portion yields as many items as it says; of others blocks, or many rows at once."""


@dataclass(frozen=True)
class ArchiveReader:
    """Reads the portions that it is given, each with its input, as JSON in the column ``portion``.

    Parameters
    ----------
    folder : where listings and seek indexes are kept.
    rules : how archives are read.
    """

    folder: Path
    rules: Rules

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Intake]:
        """Enough packets for a call at a time, none of two inputs in one."""
        held = None
        for text in (text for batch in batches for text in batch["portion"].to_pylist()):
            given, portion = from_row(text)
            if held and held.label != given.label:
                yield held.intake()
                held = None
            held = held or _Held(given.label)
            for item in self._items(given, portion):
                held.add(item)
                if held.is_enough:
                    yield held.intake()
                    held = _Held(given.label)
            held.portions += 1
        if held:
            yield held.intake()

    def _items(self, given: Input, portion: Portion) -> Iterator[Item]:
        found, read = Found(given, portion.file, self.folder, self.rules), 0
        try:
            for item in KINDS[portion.kind].read(found, portion):
                yield item
                read += 1
        except Exception as error:  # each kind has errors of its own
            raise RunFailedError(f"{found.path} can't be read any more, and could be when listed: {error}") from error
        if read != portion.packets and portion.kind in _COUNTED:
            raise RunFailedError(
                f"{found.path} has changed since it was listed: {read:,} packets where there were {portion.packets:,}"
            )


def to_row(given: Input, portion: Portion) -> str:
    """A portion and its input, as workers get them."""
    return json.dumps([given.number, given.label, given.path, portion.to_json()])


def from_row(text: str) -> tuple[Input, Portion]:
    """What `to_row` was given."""
    number, label, path, portion = json.loads(text)
    return Input(number, label, path), Portion.from_json(portion)


@dataclass
class _Held:
    """What waits to be worth a call, and the portions that it completes."""

    label: str
    portions: int = 0
    packets: Gathered = field(default_factory=Gathered)
    stored: list[Stored] = field(default_factory=list)

    def add(self, item: Item) -> None:
        if isinstance(item, Stored):
            self.stored.append(item)
        else:
            self.packets.add(item)

    @property
    def is_enough(self) -> bool:
        rows = sum(each.rows.num_rows for each in self.stored)
        return enough(len(self.packets) + rows, self.packets.size + sum(each.rows.nbytes for each in self.stored))

    def intake(self) -> Intake:
        """All of it."""
        stored = pa.concat_tables([each.rows for each in self.stored]) if self.stored else None
        self.stored = []
        found, failed = self.packets.take()
        return Intake(found, failed, stored=stored, input=self.label, portions=self.portions)
