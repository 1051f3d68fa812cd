"""The last good version of each filter's file, kept for the next start."""

import logging
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow as pa

from broker._atomic import replacing, write_text
from broker.filters.definition import Filter
from broker.filters.read import FilterRead, read_file

LOG = logging.getLogger(__name__)


class KeptFilters:
    """A folder a filter's file: its text, and copies of its MOCs, which lie below the file's own folder.

    What can't be kept is logged: it is missed only if the next start finds the file broken.

    Parameters
    ----------
    folder : where they are; made by `save` and `retain`.
    schema : the annotation columns that conditions may use.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder = folder
        self._schema = schema

    @property
    def exist(self) -> bool:
        """Whether a run has kept its filters here, if it had any."""
        return self._folder.is_dir()

    def load(self, files: Iterable[Path]) -> dict[Path, Filter]:
        """The kept versions of these files, of those that have one that can still be used."""
        reads = {file: read_file(self._place(file), self._schema) for file in files if self.has(file)}
        return {file: read.filter for file, read in reads.items() if read.filter}

    def has(self, file: Path) -> bool:
        """Whether there is a version of this file."""
        return self._place(file).is_file()

    def save(self, read: FilterRead) -> None:
        """Put a file's version in the place of the one before; the text last, since it refers to the MOCs."""
        place = self._place(read.file)
        try:
            for moc in read.mocs:
                with replacing(place.parent / moc) as path:
                    shutil.copyfile(read.file.parent / moc, path)
            write_text(place, read.text)
        except OSError as error:
            LOG.warning("%s can't be kept in %s for the next start: %s", read.file, self._folder, error)

    def retain(self, files: Iterable[Path]) -> None:
        """Remove all versions but those of these files."""
        names = {file.name for file in files}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._remove_others(names)
        except OSError as error:
            LOG.warning("%s can't be brought up to date: %s", self._folder, error)

    def _remove_others(self, names: Collection[str]) -> None:
        for folder in self._folder.iterdir():
            # What was not made here is not touched, should a person have put it there.
            if folder.name not in names and folder.suffix in (".yaml", ".yml") and self.has(folder):
                shutil.rmtree(folder)

    def _place(self, file: Path) -> Path:
        return self._folder / file.name / file.name
