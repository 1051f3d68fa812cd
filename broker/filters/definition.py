"""What is a filter? A subscriber's YAML file, read and checked."""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from broker.errors import WrongInputError
from broker.filters.limits import Limits
from broker.filters.regions import Region, canonical
from broker.filters.term import Term
from broker.findings import Finding, report

LOG = logging.getLogger(__name__)


class FilterError(WrongInputError):
    """Filters that can't be used.

    Parameters
    ----------
    findings : everything that is wrong with any of them.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(report(findings))
        self.findings = tuple(findings)


@dataclass(frozen=True)
class SavedValue:
    """A value that a filter saves under a name, for its condition and for the values after it.

    Parameters
    ----------
    name : as it was written; case doesn't matter where it is used.
    expression : as it was written.
    term : the same, checked.
    """

    name: str
    expression: str
    term: Term = field(repr=False)


@dataclass(frozen=True)
class Filter:
    """A filter that has been checked; small, and can be pickled to a worker.

    Parameters
    ----------
    name : also the name of its folder and topic.
    owner : who asked for it.
    condition : the SQL expression as it was written.
    term : the same, checked.
    version, description : as written.
    regions : an alert must lie in one of them; empty for the whole sky.
    limits : how much is sent.
    formats : ``jsonl`` and ``avro``, or one of them.
    columns : annotation columns that are sent beyond those of every delivery.
    values : what it saves under a name; contained in `term` wherever that uses it.
    """

    name: str
    owner: str
    condition: str
    term: Term = field(repr=False)
    version: str = "1"
    description: str = ""
    regions: tuple[Region, ...] = ()
    limits: Limits = field(default_factory=Limits)
    formats: tuple[str, ...] = ("jsonl", "avro")
    columns: tuple[str, ...] = ()
    values: tuple[SavedValue, ...] = ()

    @property
    def stamp(self) -> dict[str, str]:
        """What each of its deliveries says about it."""
        return {"name": self.name, "version": self.version}

    @cached_property
    def sha256(self) -> str:
        """Hash of all that decides what is sent: two filters of one hash send the same.

        Taken of the JSON of name, version, condition (white space outside quotes made single), regions (a MOC by the
        hash of its cells), limits, formats, columns, and values where there are any. Owner and description don't enter.
        """
        content: dict[str, Any] = {
            **self.stamp,
            "condition": _single_spaced(self.condition),
            "regions": canonical(self.regions),
            "limits": asdict(self.limits),
            "formats": sorted(self.formats),
            "columns": list(self.columns),
        }
        if self.values:
            content["values"] = {each.name: _single_spaced(each.expression) for each in self.values}
        return sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _single_spaced(condition: str) -> str:
    parts = re.split(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")""", condition)
    return "".join(part if k % 2 else re.sub(r"\s+", " ", part) for k, part in enumerate(parts)).strip()


def load_filters(directory: Path, schema: pa.Schema) -> tuple[Filter, ...]:
    """The filters of a directory, sorted by name: its files ``*.yaml`` and ``*.yml``, not those of its folders.

    A directory without filters is allowed, as a broker without subscribers is; a warning is logged. So are doubts
    about a filter.

    Parameters
    ----------
    directory : where the files are.
    schema : the annotation columns that conditions may use.

    Raises
    ------
    FilterError
        With everything that is wrong in any of the files.
    """
    from broker.filters.read import read_filters

    files = filter_files(directory)
    filters, findings = read_filters(files, schema)
    errors = [finding for finding in findings if not finding.warning]
    if errors:
        raise FilterError(errors)
    for finding in findings:
        LOG.warning("%s", finding)
    if not files:
        LOG.warning("%s holds no filter (*.yaml): nothing will be delivered", directory)
    return filters


def filter_files(directory: Path) -> list[Path]:
    """The filter files of a directory, sorted.

    Raises
    ------
    FilterError
        If it isn't a directory that can be read.
    """
    hint = "give the directory that holds the filters, a YAML file each"
    if not directory.is_dir():
        what = "not a directory" if directory.exists() else "no such directory"
        raise FilterError([Finding(str(directory), what, hint=hint)])
    try:
        return sorted(_yaml_files(directory.iterdir()))
    except OSError as error:
        raise FilterError([Finding(str(directory), f"can't be read: {error.strerror}", hint=hint)]) from None


def _yaml_files(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if path.suffix in (".yaml", ".yml") and not path.name.startswith("."))
