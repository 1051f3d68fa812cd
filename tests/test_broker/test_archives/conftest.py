"""Fixtures of the tests of archives: archives are made, listed and read without Spark."""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from broker.archives import containers, packet_files, tar
from broker.archives.found import Input, Rules
from broker.archives.listing import Listed, list_input, portions
from broker.archives.read import ArchiveReader, to_row
from broker.sources.intake import Intake


def pack(members, compress=False, kind=tarfile.REGTYPE, form=tarfile.PAX_FORMAT):
    """A tar archive of pairs of name and content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size, info.type = len(content), kind
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 1) if compress else buffer.getvalue()


@pytest.fixture(scope="session")
def packed():
    return pack


class Opened:
    """An input that was listed: what was found, and what workers read of it."""

    def __init__(self, path: Path, folder: Path, rules: Rules | None = None) -> None:
        self.given, self.folder, self.rules = Input(0, path.name, str(path)), folder, rules or Rules()
        list_input(self.given, folder, self.rules)
        found = Listed.read(folder, self.given)
        assert found
        self.listed = found

    @property
    def portions(self):
        return list(portions(self.given, self.folder))

    def intakes(self) -> Iterator[Intake]:
        rows = [to_row(self.given, portion) for portion in self.portions]
        batch = pa.record_batch([pa.array(rows, pa.utf8())], names=["portion"])
        return ArchiveReader(self.folder, self.rules)([batch])

    @property
    def packets(self) -> list[tuple[str, bytes]]:
        return [
            pair
            for intake in self.intakes()
            for pair in zip(intake.packets["origin"].to_pylist(), intake.packets["payload"].to_pylist(), strict=True)
        ]

    @property
    def rejects(self):
        return [row for intake in self.intakes() for row in intake.unread.to_pylist()]


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Opened]:
    """List an input; each in a folder of its own."""
    made = iter(range(1000))

    def open_(path: Path, rules: Rules | None = None) -> Opened:
        folder = tmp_path / f"listing-{next(made)}"
        folder.mkdir()
        return Opened(path, folder, rules)

    return open_


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Cut into portions of so many packets."""

    def cut(most: int) -> None:
        for module in (tar, containers, packet_files):
            monkeypatch.setattr(module, "MOST_PACKETS", most)

    return cut
