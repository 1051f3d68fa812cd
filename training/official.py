"""The official PLAsTiCC files, as they are downloaded: the training set, and the test set a block at a time.

Both publications are read: the challenge's (``training_set.csv``, ``test_set_batch1.csv``) and the unblinded one
(Zenodo 2539456, ``plasticc_train_lightcurves.csv.gz``), packed with gzip or not. Of what the unblinded metadata tell of
the truth nothing is kept but the class.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from training.checked import FIRST_ROW, Checked, TrainingTableError

POINTS = {
    "object_id": pa.int64(),
    "mjd": pa.float64(),
    "passband": pa.int64(),
    "flux": pa.float64(),
    "flux_err": pa.float64(),
    "detected": pa.int64(),
}
"""The columns of light curves; the unblinded files call the last one ``detected_bool``."""

ASKED = {
    "object_id": pa.int64(),
    "ra": pa.float64(),
    "decl": pa.float64(),
    "hostgal_photoz": pa.float64(),
    "hostgal_photoz_err": pa.float64(),
    "mwebv": pa.float64(),
}
"""The columns of metadata that are read of objects to be classified; every other one stays in the file."""

METADATA = {**ASKED, "hostgal_specz": pa.float64(), "target": pa.int64()}
"""Those of objects to learn from. The host's spectroscopic redshift is where copies of an object start from
(`training.augment`), and no feature."""

TRAINING_FILES = (
    ("training_set.csv", "training_set_metadata.csv"),
    ("plasticc_train_lightcurves.csv", "plasticc_train_metadata.csv"),
)
"""What the light curves and their metadata are called, with or without ``.gz``."""

ALSO_CALLED = {"detected_bool": "detected"}

NAMES_TOLD = 8
"""Names of files that a message tells where the right ones are missing."""

_IN_ORDER = csv.ReadOptions(block_size=64 * 2**20, use_threads=False)
"""A block at a time; without threads errors tell the row."""

_VALUE = re.compile(r"In CSV column #(?P<column>\d+): Row #(?P<row>\d+): .*invalid value '(?P<value>.*)'")
_WIDTH = re.compile(r"Row #(?P<row>\d+): Expected (?P<wanted>\d+) columns, got (?P<given>\d+)")


@dataclass(frozen=True)
class TrainingSet:
    """The two tables of the training set.

    Parameters
    ----------
    points : columns of `POINTS`.
    metadata : columns of `METADATA`.
    names : what their files are called.
    """

    points: pd.DataFrame
    metadata: pd.DataFrame
    names: tuple[str, str]

    def sha256(self) -> str:
        """SHA-256 of both tables."""
        digest = hashlib.sha256()
        for table in (self.points, self.metadata):
            for name in table:
                digest.update(f"{name}:".encode() + np.ascontiguousarray(table[name].to_numpy()).tobytes())
        return digest.hexdigest()


def read_training_set(folder: Path) -> TrainingSet:
    """The training set that lies in a folder.

    Raises
    ------
    TrainingTableError
        If its files aren't there, or can't be right: with the file, the row (the header is row 1), and the column.
    """
    points, metadata = _files(folder)
    blocks = list(_blocks(points, POINTS))
    table = Checked(pd.concat(blocks, ignore_index=True), points.name)
    again = table.frame.duplicated(["object_id", "mjd", "passband"]).to_numpy()
    table.refuse(again, "mjd", "stands twice in the same passband of the object")
    return TrainingSet(table.frame, read_metadata(metadata, METADATA), (points.name, metadata.name))


def read_metadata(file: Path, columns: Mapping[str, pa.DataType]) -> pd.DataFrame:
    """A file of metadata.

    Parameters
    ----------
    columns : `METADATA` of the training set, `ASKED` of the test set.

    Raises
    ------
    TrainingTableError
        As `read_training_set` does.
    """
    return pd.concat(list(_blocks(file, columns)), ignore_index=True)


def points_by_object(file: Path) -> Iterator[pd.DataFrame]:
    """The light curves of a file a block at a time, each object whole; memory stays bounded however large the file is.

    Raises
    ------
    TrainingTableError
        As `read_training_set` does, and where the points of an object don't lie together.
    """
    begun, done = pd.DataFrame(), np.empty(0, np.int64)
    for block in _blocks(file, POINTS):
        joined = pd.concat([begun, block], ignore_index=True)
        last = int(_starts(joined)[-1])
        done, begun = _with(done, joined[:last], file), joined[last:]
        if last:
            yield joined[:last]
    _with(done, begun, file)
    yield begun.reset_index(drop=True)


def _with(done: NDArray[np.int64], points: pd.DataFrame, file: Path) -> NDArray[np.int64]:
    unique, counts = np.unique(points["object_id"].to_numpy()[_starts(points)], return_counts=True)
    again = np.concatenate([unique[counts > 1], np.intersect1d(done, unique)])
    if len(again):
        raise TrainingTableError(
            f"{file.name}: the points of object {again[0]} don't lie together; sort it by object_id"
        )
    return np.union1d(done, unique)


def _starts(points: pd.DataFrame) -> NDArray[np.int64]:
    """The rows at which another object begins."""
    return np.flatnonzero(np.diff(points["object_id"].to_numpy(), prepend=-1))


def _files(folder: Path) -> tuple[Path, Path]:
    for pair in TRAINING_FILES:
        points, metadata = (_with_or_without_gz(folder / name) for name in pair)
        if points and metadata:
            return points, metadata
    wanted = "; or ".join(" and ".join(pair) for pair in TRAINING_FILES)
    raise TrainingTableError(
        f"{folder} doesn't hold the training set: wanted {wanted}, each may end in .gz; found {_contents(folder)}"
    )


def _contents(folder: Path) -> str:
    """The first names in a folder, and how many more there are."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name for path in folder.iterdir())
    more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
    return f"{', '.join(names[:NAMES_TOLD])}{more}" or "nothing in it"


def _with_or_without_gz(path: Path) -> Path | None:
    return next((each for each in (path, path.with_name(f"{path.name}.gz")) if each.is_file()), None)


def _blocks(file: Path, types: Mapping[str, pa.DataType]) -> Iterator[pd.DataFrame]:
    """The file's wanted columns, by the names that `types` gives them."""
    columns = _header(file)
    names = {ALSO_CALLED.get(name, name): name for name in columns}
    Checked(pd.DataFrame(columns=list(names)), file.name).need(list(types))
    options = csv.ConvertOptions(
        include_columns=[names[name] for name in types],
        column_types={names[name]: kind for name, kind in types.items()},
    )
    row = FIRST_ROW
    try:
        with pa.input_stream(str(file)) as stream:
            for batch in csv.open_csv(stream, _IN_ORDER, convert_options=options):
                yield _frame(batch.rename_columns(list(types)), file, row)
                row += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise _explained(file, columns, str(error)) from None
    if row == FIRST_ROW:
        raise TrainingTableError(f"{file.name} has a header and no rows")


def _header(file: Path) -> list[str]:
    try:
        return [name.strip() for name in pd.read_csv(file, nrows=0).columns]
    except (ValueError, OSError, EOFError) as error:  # UnicodeDecodeError and pandas' own errors are ValueErrors
        raise TrainingTableError(f"{file.name} isn't a table of comma-separated values: {error}") from None


def _frame(batch: pa.RecordBatch, file: Path, row: int) -> pd.DataFrame:
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if pa.types.is_integer(field.type) and column.null_count:
            empty = row + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
            raise TrainingTableError(
                f"{file.name}, row {empty}, column {field.name}: no value; expected a whole number"
            )
    frame: pd.DataFrame = batch.to_pandas()
    return frame


def _explained(file: Path, columns: list[str], error: str) -> TrainingTableError:
    """What Arrow's reader says, with the name of the column in place of its number."""
    if value := _VALUE.search(error):
        column = columns[int(value["column"])]
        return TrainingTableError(
            f"{file.name}, row {value['row']}, column {column}: {value['value']!r} isn't a number"
        )
    if width := _WIDTH.search(error):
        return TrainingTableError(
            f"{file.name}, row {width['row']}: {width['given']} values in place of {width['wanted']}"
        )
    return TrainingTableError(f"{file.name} can't be read: {error}")
