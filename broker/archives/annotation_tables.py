"""Boreal's own annotation tables: alerts are scored again from what is stored, without their packets."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from broker.archives import _parquet
from broker.archives._hashing import file_hash
from broker.archives.found import Found, Tally
from broker.archives.portion import Portion
from broker.archives.unreadable import Unreadable
from broker.stored_alerts import COLUMNS, LATER

ANNOTATIONS = "annotations"

_TELLING = frozenset({"alertId", "lightCurve", "classifier"})


def holds_annotations(schema: pa.Schema) -> bool:
    """Whether a table of these columns is one of annotations."""
    return set(schema.names) >= _TELLING


@dataclass(frozen=True)
class Stored:
    """Alerts as an annotation table has them: columns of `broker.stored_alerts.COLUMNS`, as far as it has them."""

    rows: pa.Table


@dataclass(frozen=True)
class AnnotationTables:
    """Rows between two numbers, in place of packets; see `broker.archives.kinds`."""

    name: str = ANNOTATIONS

    def portions(self, found: Found, tally: Tally) -> Iterator[Portion]:
        """List a file of the table."""
        tally.hashes.append((found.name, file_hash(found.open)))
        missing = sorted(set(COLUMNS) - LATER - set(_parquet.columns_of(found).names))
        if missing:
            wrong = f"an annotation table without {', '.join(missing)}: its alerts can't be scored from it"
            yield from Unreadable().portions(found, tally, wrong)
        else:
            yield from _parquet.portions(ANNOTATIONS, found, _columns_of(found), tally)

    def read(self, found: Found, portion: Portion) -> Iterator[Stored]:
        """The stored alerts, a few at a time."""
        for rows in _parquet.read(found, portion.start, portion.end, _columns_of(found)):
            yield Stored(pa.Table.from_batches([rows]))


def _columns_of(found: Found) -> list[str]:
    """Those that an alert is made of and the file has."""
    there = set(_parquet.columns_of(found).names)
    return [name for name in COLUMNS if name in there]
