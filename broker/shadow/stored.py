"""What a run's directory holds of a shadow: the rows of one pair of bundles, a night at a time."""

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from broker.books import journal
from broker.books.ledger import Ledger
from broker.errors import TableError, WrongInputError
from broker.run_directory import PART, RunDirectory
from broker.shadow.rows import COMPARED

NIGHT = re.compile(r"night=(\d+)")


@dataclass(frozen=True)
class Pair:
    """Two bundles that classified the same alerts, by the first digits of their hashes."""

    first: str
    second: str


@dataclass(frozen=True)
class StoredShadow:
    """The rows of a pair of bundles.

    Parameters
    ----------
    run : the run's directory.
    pair : the bundles.
    """

    run: RunDirectory
    pair: Pair

    def files(self) -> dict[int, list[Path]]:
        """The files of committed micro-batches by night, nights ascending."""
        last = Ledger.read(self.run.ledger).last_batch
        found: dict[int, list[Path]] = {}
        for file in sorted(self.run.shadow.glob("night=*/part-*.parquet")):
            name, night = PART.fullmatch(file.name), NIGHT.fullmatch(file.parent.name)
            if name and night and int(name["batch"]) <= last.get(name["stream"], -1):
                found.setdefault(int(night[1]), []).append(file)
        return dict(sorted(found.items()))

    def read(self, night: int, files: list[Path]) -> pa.Table:
        """The rows of a night in the columns of `COMPARED`.

        Raises
        ------
        TableError
            If a file can't be read.
        """
        try:
            whole = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files])
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"what the shadow said in night {night} can't be read: {error}") from error
        nights = pa.array([night] * whole.num_rows, pa.int32())
        rows = whole.append_column("night", nights).select(COMPARED.names).cast(COMPARED)
        ours = pc.and_(
            pc.starts_with(rows["bundleSha256"], self.pair.first),
            pc.starts_with(rows["shadowBundleSha256"], self.pair.second),
        )
        return rows.filter(ours)


def pairs_of(run: RunDirectory) -> list[Pair]:
    """The pairs of bundles that the books tell of, the one that was used last at the end.

    Raises
    ------
    LedgerError
        If the books can't be read.
    """
    found: dict[Pair, None] = {}
    for page in journal.read(run.journal):
        for pair in (Pair(first, second) for second in page.entry.shadow for first in page.entry.bundles):
            found.pop(pair, None)
            found[pair] = None
    return list(found)


def stored_shadow(run: RunDirectory, wanted: str | None = None) -> StoredShadow:
    """What a run holds of its last shadow, or of the last one whose hash begins so.

    Raises
    ------
    WrongInputError
        If there is none.
    """
    pairs = pairs_of(run)
    chosen = [pair for pair in pairs if wanted is None or pair.second.startswith(wanted[: len(pair.second)])]
    if chosen:
        return StoredShadow(run, chosen[-1])
    if pairs:
        known = ", ".join(dict.fromkeys(pair.second for pair in pairs))
        raise WrongInputError(f"no shadow {wanted} ran in {run.path}; those that did: {known}")
    raise WrongInputError(f"no shadow ran in {run.path}; set `shadow: {{bundle: PATH}}` in the run's configuration")
