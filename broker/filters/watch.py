"""Filters that change while a run goes on: a look at their directory between two micro-batches.

Each file stands for itself. One that is wrong is refused, and its last good version stays in use; no other is touched.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from broker.filters._kept import KeptFilters
from broker.filters.definition import Filter, FilterError, filter_files, load_filters
from broker.filters.read import FilterRead, read_file
from broker.findings import Finding

LOG = logging.getLogger(__name__)

Stamp = tuple[int, ...] | None
"""What changes with a file's content, without reading it; None where there is no file."""

SECOND = 1_000_000_000
"""In nanoseconds. File systems tell times apart that are so far from each other."""


@dataclass(frozen=True)
class Change:
    """What a look at the filters found new.

    Parameters
    ----------
    filters : those in use from now on, sorted by name.
    added, changed, removed : names of filters, sorted.
    findings : what is wrong with files that are refused; each is told once, until its file changes.
    """

    filters: tuple[Filter, ...]
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class _Look:
    """A file as it was found; the stamps are older than what was read, so that no change is missed."""

    stamps: Mapping[Path, Stamp]
    read: FilterRead


class FilterWatch:
    """The filters of a directory, as they are now.

    Parameters
    ----------
    directory : where the files are; None for no filters.
    schema : the annotation columns that conditions may use.
    keep : directory for the last good version of each file; None to keep none.
    """

    def __init__(self, directory: Path | None, schema: pa.Schema, keep: Path | None = None) -> None:
        self.filters: tuple[Filter, ...] = ()
        self._directory = directory
        self._schema = schema
        self._kept = KeptFilters(keep, schema) if keep else None
        self._looks: dict[Path, _Look] | None = None
        self._used: dict[Path, Filter] = {}
        self._told: dict[Path, tuple[str, tuple[Finding, ...]]] = {}
        self._trouble: tuple[Finding, ...] = ()

    @classmethod
    def start(cls, directory: Path | None, schema: pa.Schema, keep: Path | None = None) -> "FilterWatch":
        """The watch of a run that starts, or starts again.

        The first time, everything must be right. When `keep` is there from an earlier start, a file that is wrong is
        refused with a warning, and its kept version is used where it has one.

        Raises
        ------
        FilterError
            With everything that is wrong in any of the files, at the first start; if the directory can't be read.
        """
        watch = cls(directory, schema, keep)
        if directory is None:
            return watch
        if watch._kept and watch._kept.exist:
            watch._used = watch._kept.load(filter_files(directory))
            change = watch.refresh()
            for finding in change.findings if change else ():
                LOG.warning("not taken; where there is a last good version, it is used: %s", finding)
        else:
            load_filters(directory, schema)
            watch._look()
        return watch

    @property
    def refused(self) -> int:
        """How many files are refused as they are now; all of them, where the directory can't be read."""
        return len(self._told) if not self._trouble else max(1, len(self._looks or ()))

    def refresh(self) -> Change | None:
        """Take in what has changed since the last look; None where nothing has.

        A directory that can't be read changes nothing, and is told once.
        """
        change = self._look()
        if change:
            self._log_doubts({*change.added, *change.changed})
        return change

    def _look(self) -> Change | None:
        if self._directory is None:
            return None
        try:
            files = filter_files(self._directory)
        except FilterError as error:
            told, self._trouble = self._trouble, error.findings
            return Change(self.filters, findings=error.findings) if told != error.findings else None
        self._trouble = ()
        looks = {file: self._look_at(file) for file in files}
        return None if looks == self._looks else self._take(looks)

    def _look_at(self, file: Path) -> _Look:
        last = self._looks.get(file) if self._looks else None
        mocs = last.read.mocs if last else ()
        stamps = {path: _stamp(path) for path in (file, *(file.parent / moc for moc in mocs))}
        if last and stamps == last.stamps:
            return last
        # A MOC that it newly refers to has no stamp yet, so that the next look reads the file once more.
        return _Look(stamps, read_file(file, self._schema))

    def _take(self, looks: dict[Path, _Look]) -> Change | None:
        reads = {file: look.read for file, look in looks.items()}
        used, refused = _settle(reads, self._used)
        self._keep(reads, used)
        before, self.filters = self.filters, tuple(sorted(used.values(), key=lambda each: each.name))
        self._looks, self._used = looks, used
        told = {file: (reads[file].text, findings) for file, findings in sorted(refused.items())}
        new = [finding for file, each in told.items() if each != self._told.get(file) for finding in each[1]]
        self._told = told
        return _change(before, self.filters, new)

    def _keep(self, reads: Mapping[Path, FilterRead], used: Mapping[Path, Filter]) -> None:
        if self._kept is None:
            return
        self._kept.retain(reads)
        for file, each in used.items():
            if each is reads[file].filter and (each != self._used.get(file) or not self._kept.has(file)):
                self._kept.save(reads[file])

    def _log_doubts(self, names: Iterable[str]) -> None:
        for file, each in self._used.items():
            read = self._looks[file].read if self._looks else None
            if read and each is read.filter and each.name in names:
                for finding in read.findings:
                    LOG.warning("%s", finding)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):  # a name may hold what no file's name does
        return None
    stamp = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    now = time.time_ns()
    # What was written just now may be written again without a trace in its times: no later stamp is like this one.
    return (*stamp, now) if abs(now - found.st_ctime_ns) < SECOND else stamp


def _settle(
    reads: Mapping[Path, FilterRead], used: Mapping[Path, Filter]
) -> tuple[dict[Path, Filter], dict[Path, tuple[Finding, ...]]]:
    """Which filter to use of each file, and why a file's newest version isn't used.

    A name belongs to the file that has it already, else to the first that asks for it.
    """
    wanted = {file: read.filter or used.get(file) for file, read in reads.items()}
    refused = {file: _errors(read) for file, read in reads.items() if read.filter is None}
    while clash := _clash(wanted, used):
        newcomer, holder = clash
        # Refused already: two kept versions have one name, of a run that died between keeping the one and the other.
        wanted[newcomer] = None if newcomer in refused else used.get(newcomer)
        refused.setdefault(newcomer, (reads[newcomer].taken(str(holder)),))
    return {file: each for file, each in wanted.items() if each}, refused


def _clash(wanted: Mapping[Path, Filter | None], used: Mapping[Path, Filter]) -> tuple[Path, Path] | None:
    """A file that wants the name of another, and that other; None where there is none."""
    holders: dict[str, Path] = {}
    named = {file: each.name.lower() for file, each in wanted.items() if each}
    known = {file: each.name.lower() for file, each in used.items()}
    for file in sorted(named, key=lambda file: (named[file] != known.get(file), file)):
        holder = holders.setdefault(named[file], file)
        if holder != file:
            return file, holder
    return None


def _errors(read: FilterRead) -> tuple[Finding, ...]:
    return tuple(finding for finding in read.findings if not finding.warning)


def _change(before: Iterable[Filter], after: tuple[Filter, ...], findings: Iterable[Finding]) -> Change | None:
    old, new = ({each.name: each for each in filters} for filters in (before, after))
    change = Change(
        after,
        tuple(name for name in new if name not in old),
        tuple(name for name in new if name in old and new[name] != old[name]),
        tuple(name for name in old if name not in new),
        tuple(findings),
    )
    return change if change != Change(after) else None
