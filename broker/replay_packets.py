"""What a replay sends: which packets, in which order, under which ids."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from broker.errors import WrongInputError
from broker.sources.files import read_files
from broker.sources.gathered import Packet
from schemas.registry import Registry
from schemas.renumber import IdsStayError, Template


def read_packets(paths: Iterable[Path]) -> Iterator[Packet]:
    """The packets in files, archives and directories, as they are; those of a directory by their files' names.

    Parameters
    ----------
    paths : of directories, their folders are read, too; files and folders whose names begin with a dot are not.

    Yields
    ------
    origin, payload

    Raises
    ------
    WrongInputError
        If there is nothing at a path, or something that can't be read.
    """
    for path in paths:
        directory, names = (path, sorted(_files(path))) if path.is_dir() else (path.parent, [path.name])
        for found, unread in read_files(directory, names):
            for reject in unread.to_pylist():
                raise WrongInputError(f"{directory / reject['origin']}: {reject['reason']}")
            yield from zip(found["origin"].to_pylist(), (each.as_py() for each in found["payload"]), strict=True)


def _files(directory: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        yield from (str(path.relative_to(directory)) for path in paths if path.is_file())


@dataclass
class Originals:
    """Packets in memory that are sent over and over, each time with new ids.

    Parameters
    ----------
    templates : origins and packets.
    staying : why ids can't be replaced, and of how many packets; those are sent as they are.
    """

    templates: list[tuple[str, Template]] = field(default_factory=list)
    staying: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, packets: Iterable[Packet], registry: Registry) -> "Originals":
        """Find the ids of the packets."""
        made = cls()
        for origin, payload in packets:
            try:
                template = Template.of(payload, registry)
            except IdsStayError as error:
                made.staying[str(error)] += 1
                template = Template((payload,))
            made.templates.append((origin, template))
        return made


def packets_to_send(templates: Sequence[tuple[str, Template]], first: int, *, repeat: bool = False) -> Iterator[Packet]:
    """The packets with new ids, in the order given; the same arguments give the same bytes.

    Parameters
    ----------
    templates : origins and packets.
    first : the number of the first id; each packet takes as many numbers as it has ids.
    repeat : begin again after the last, without end.

    Yields
    ------
    origin, payload
    """
    for _ in count() if repeat and templates else range(1):
        for origin, template in templates:
            yield origin, template.numbered(first)
            first += len(template.sizes)


def packets_as_they_are(paths: Sequence[Path], *, repeat: bool = False) -> Iterator[Packet]:
    """The packets in the files; with `repeat` they are read again after the last, without end.

    Raises
    ------
    WrongInputError
        As `read_packets`.
    """
    for _ in count() if repeat else range(1):
        sent = 0
        for packet in read_packets(paths):
            yield packet
            sent += 1
        if not sent:
            return
