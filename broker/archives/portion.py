"""What is a portion? A piece of an archive that a worker reads at once; which, is written down and never changes."""

import json
from dataclasses import asdict, dataclass
from typing import Any

MOST_PACKETS = 256
"""Packets of a portion; a few portions make a call of the pure function worth its while."""

MOST_BYTES = 16 * 2**20
"""Bytes of a portion as it is read; a packet that is larger is a portion of its own."""


@dataclass(frozen=True)
class Portion:
    """A piece of a file of an input.

    Parameters
    ----------
    kind : the kind of archive, one of `broker.archives.kinds`.
    file : path relative to the input; empty for the input itself.
    start, end : from where to where, as the kind counts: bytes, or rows.
    first : number, in the file, of the first record or row.
    packets : how many packets it yields.
    size : about how many bytes.
    names : files of a directory, relative to the input.
    member : name within the archive, where something is wrong with just that.
    reason : what is wrong, where there is nothing to be read.
    """

    kind: str
    file: str = ""
    start: int = 0
    end: int = 0
    first: int = 0
    packets: int = 0
    size: int = 0
    names: tuple[str, ...] = ()
    member: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The portion as plain data, without what is empty."""
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Portion":
        """The portion that `to_json` gave."""
        return cls(**{**found, "names": tuple(found.get("names", ()))})


def line(portion: Portion) -> str:
    """The portion as a line of a listing; half characters of file names survive as escapes."""
    return json.dumps(portion.to_json(), separators=(",", ":")) + "\n"
