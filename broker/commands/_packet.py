"""One packet that a person names, annotated."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, complain, stop

if TYPE_CHECKING:  # the pipeline takes a second to import; other commands don't wait for it
    from broker.pipeline import Outcome
    from classifiers.bundle import Bundle

Record = Annotated[int, typer.Option(min=0, help="Which alert of a container that holds several.")]


def annotated(packet: Path, model: "Bundle", record: int = 0, explain: int = 0) -> pa.Table:
    """The annotation of a packet, as a table of one row; ends the command where there is none.

    Parameters
    ----------
    packet : a file, or a member of a tar archive: ARCHIVE!MEMBER.
    model : the classifiers.
    record : which alert of a container.
    explain : how many features the annotation says why by.
    """
    from broker.pipeline import process
    from schemas.registry import BundledRegistry

    packets = _read(packet)
    outcome = process(packets, BundledRegistry(), model, explain=explain)
    alert = _choose(outcome, packets["origin"][0].as_py(), record)
    if outcome.received > 1:
        complain(f"{packet.name} holds {outcome.received:,} alerts; this is --record {record}")
    return alert


def _read(packet: Path) -> pa.Table:
    """The packet that was asked for, as a table of one row; ends the command where there is none."""
    from broker.sources.files import is_tar, origin_of

    archive, separator, member = str(packet).partition("!")
    path = packet if packet.exists() or not separator else Path(archive)
    if not path.is_file():
        found = "a directory" if path.is_dir() else "nothing"
        stop(f"expected a packet at {path}, found {found}; give a file, or ARCHIVE!MEMBER", GAVE_SOMETHING_WRONG)
    if path == packet and is_tar(path):
        stop(f"{path} is an archive; name one of its members, {_for_example(path)}", GAVE_SOMETHING_WRONG)
    chosen = _find(path, origin_of(path.name if path == packet else f"{path.name}!{member}"))
    if chosen is None:
        stop(f"{path} has no member {member!r}; name one of its members, {_for_example(path)}", GAVE_SOMETHING_WRONG)
    return chosen


def _find(path: Path, origin: str) -> pa.Table | None:
    """The packet of this origin; the file is read no further than that."""
    from broker.sources.files import read_files

    for packets, unread in read_files(path.parent, [path.name]):
        found = packets.filter(pc.equal(packets["origin"], origin))
        if found.num_rows:
            return found.slice(0, 1)
        for reject in unread.to_pylist():
            stop(f"{reject['origin']} is turned away at the stage 'read': {reject['reason']}", CHECK_FAILED)
    return None


def _for_example(archive: Path) -> str:
    """How to name the archive's first member."""
    from broker.sources.files import read_files

    for packets, _ in read_files(archive.parent, [archive.name]):
        for origin in packets["origin"].to_pylist():
            return f"as in '{archive}!{origin.partition('!')[2]}'"
    return "of which it has none"


def _choose(outcome: "Outcome", origin: str, record: int) -> pa.Table:
    """The annotation that was asked for, as a table of one row; ends the command where it was turned away."""
    if record >= outcome.received:
        found = f"{origin} holds {outcome.received:,}, counted from 0"
        stop(f"there is no --record {record}: {found}", GAVE_SOMETHING_WRONG)
    wanted = f"{origin}#{record}" if outcome.received > 1 else origin
    for reject in outcome.rejects.filter(pc.equal(outcome.rejects["origin"], wanted)).to_pylist():
        stop(f"{wanted} is turned away at the stage {reject['stage']!r}: {reject['reason']}", CHECK_FAILED)
    return outcome.annotations.filter(pc.equal(outcome.annotations["origin"], wanted))
