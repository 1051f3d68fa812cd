"""Which kind of archive is a file? One module a kind, all of one contract."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import pyarrow as pa

from broker.archives import _parquet
from broker.archives.annotation_tables import ANNOTATIONS, AnnotationTables, Stored, holds_annotations
from broker.archives.containers import CONTAINER, Containers
from broker.archives.found import Found, Tally
from broker.archives.packet_files import PACKET_FILES, PacketFiles
from broker.archives.packet_tables import PACKET_TABLE, PacketTables
from broker.archives.portion import Portion
from broker.archives.tar import TAR, TarArchives
from broker.archives.unreadable import UNREADABLE, Unreadable
from broker.sources.files import is_tar
from broker.sources.gathered import Packet, Reject
from schemas.container_files import MAGIC

PARQUET_MAGIC = b"PAR1"

Item = Packet | Reject | Stored
"""A packet, what can't be one, or alerts of an annotation table."""


class Kind(Protocol):
    """A kind of archive."""

    @property
    def name(self) -> str:
        """What its portions say."""
        ...

    def portions(self, found: Found, tally: Tally, /) -> Iterator[Portion]:
        """Look through a file: cut it into portions, and note its hash, what it holds and what is wrong with it.

        Whatever is wrong with the content becomes a portion that says so; only what the system refuses is raised.
        """
        ...

    def read(self, found: Found, portion: Portion, /) -> Iterator[Item]:
        """What a portion holds, under origins that don't depend on how the file was cut."""
        ...


KINDS: Mapping[str, Kind] = {
    TAR: TarArchives(),
    CONTAINER: Containers(),
    PACKET_FILES: PacketFiles(),
    PACKET_TABLE: PacketTables(),
    ANNOTATIONS: AnnotationTables(),
    UNREADABLE: Unreadable(),
}


def kind_of(found: Found) -> Kind:
    """By its first bytes, whatever its name.

    Raises
    ------
    OSError
        If it can't be read.
    """
    with found.open() as file:
        start = file.read(len(MAGIC))
    if start == PARQUET_MAGIC or found.is_object:  # in an object store there are tables alone
        return _table(found)
    if start == MAGIC:
        return KINDS[CONTAINER]
    return KINDS[TAR if is_tar(found.path) else PACKET_FILES]


def _table(found: Found) -> Kind:
    try:
        return KINDS[ANNOTATIONS if holds_annotations(_parquet.columns_of(found)) else PACKET_TABLE]
    except pa.ArrowException:  # no Parquet after all, or a damaged file: as a packet it is turned away with its bytes
        return KINDS[UNREADABLE if found.is_object else PACKET_FILES]
