"""A file of an input, with what must be known to list or read it; and what a listing counts."""

from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from broker.object_store import files_at, is_address
from broker.sources.files import origin_of


@dataclass(frozen=True)
class Rules:
    """How archives are read.

    Parameters
    ----------
    column : name of the column that holds the packets in a table of them.
    origin_column : name of the column that tells where each came from; numbers of rows if None.
    most_unpacked : the most bytes that an archive may unpack to.
    """

    column: str = "payload"
    origin_column: str | None = None
    most_unpacked: int = 2**40


@dataclass(frozen=True)
class Input:
    """An archive, a file or a directory that is reprocessed.

    Parameters
    ----------
    number : its place in the list of inputs, which only grows.
    label : what its packets' origins begin with; no other input of the run has it.
    path : where it lies: a path, or the address of a Delta table in an object store.
    """

    number: int
    label: str
    path: str


@dataclass(frozen=True)
class Found:
    """A file of an input.

    Parameters
    ----------
    given : the input.
    name : path relative to the input; empty for the input itself.
    folder : where listings and seek indexes are kept.
    rules : how archives are read.
    """

    given: Input
    name: str
    folder: Path
    rules: Rules

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.given.path, self.name) if self.name else Path(self.given.path)

    @property
    def is_object(self) -> bool:
        """Whether it lies in an object store."""
        return is_address(self.given.path)

    def open(self) -> BinaryIO:
        """Its bytes."""
        if self.is_object:
            return cast(BinaryIO, files_at(self.given.path).open_input_file(self.name))
        return self.path.open("rb")

    @property
    def origin(self) -> str:
        """What the origins of its packets begin with."""
        return origin_of(f"{self.given.label}!{self.name}") if self.name else self.given.label

    @property
    def index(self) -> Path:
        """The seek index, where one is kept."""
        name = sha256(self.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return self.folder / f"{self.given.number:06d}-{name}.seek"


@dataclass
class Tally:
    """What a listing finds beside portions.

    Parameters
    ----------
    packets : packets that can be read; an object container counts as many as it holds.
    kinds : files by kind.
    skipped : members of archives that are no files, by what they are.
    unsafe : members whose names climb out of the archive.
    faults : what is wrong with files, and how far each could be read.
    hashes : each file's name and SHA-256.
    """

    packets: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    unsafe: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)
    hashes: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, found: Found, reason: str, packets: int = 0, unpacked: int | None = None) -> None:
        """Note what is wrong with a file: after so many packets, at this byte of its (unpacked) content."""
        self.faults.append({"file": found.origin, "reason": reason, "packets": packets, "unpackedBytes": unpacked})

    @property
    def sha256(self) -> str:
        """Of the input: the file's own; of a directory, that of the lines ``hash  name``, as sha256sum prints them."""
        if len(self.hashes) == 1 and not self.hashes[0][0]:
            return self.hashes[0][1]
        lines = (f"{value}  {name}\n" for name, value in sorted(self.hashes))
        return sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
