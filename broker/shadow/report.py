"""The comparison of a run's two bundles, whole: what is asked for once, and told by terminal, page and JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from broker.run_directory import RunDirectory
from broker.shadow.agreement import Agreement
from broker.shadow.manifests import kept
from broker.shadow.senders import Senders, senders
from broker.shadow.stored import Pair, StoredShadow
from broker.tables.dataset import Annotations
from classifiers.manifest import Manifest


@dataclass(frozen=True)
class Report:
    """Two bundles on the same alerts.

    Parameters
    ----------
    run : the run's directory.
    pair : the bundles.
    first, second : their manifests; None where one isn't kept.
    agreement : how far they agree.
    senders : what each filter would have sent; None where that can't be told.
    """

    run: RunDirectory
    pair: Pair
    first: Manifest | None
    second: Manifest | None
    agreement: Agreement
    senders: Senders | None


def report(
    stored: StoredShadow,
    table: Annotations | None,
    filters: Sequence[Path],
    on_night: Callable[[], None] = lambda: None,
) -> Report:
    """Compare the two bundles; memory grows with the largest night.

    Parameters
    ----------
    stored : what the shadow said.
    table : the run's annotation table, for the filters; None to do without.
    filters : a file each.
    on_night : called after each night.

    Raises
    ------
    LedgerError, TableError
        If what the run wrote can't be read.
    """
    found = Agreement()
    for night, files in stored.files().items():
        found.add(night, stored.read(night, files))
        on_night()
    first, second = (kept(stored.run, sha256) for sha256 in (stored.pair.first, stored.pair.second))
    told = senders(table, stored, filters, first, second) if table and first and second and filters else None
    return Report(stored.run, stored.pair, first, second, found, told)


def kept_filters(run: RunDirectory) -> list[Path]:
    """The last good version of each filter's file that the run used."""
    return sorted(file for file in run.filters.glob("*/*") if file.name == file.parent.name)
