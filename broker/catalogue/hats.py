"""The annotation table as a HATS catalogue, which LSDB opens: light curves nested, files by place on the sky.

The layout is that of the IVOA note on HATS 1.0: ``dataset/Norder=K/Dir=D/Npix=P.parquet`` with cells of the order that
a part of the sky needs, and beside them what readers look at first. The library ``hats`` writes all of that; the rows
are written by Arrow, since they don't fit the memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker.annotate import BROKER_NAME, broker_version
from broker.catalogue._folder import new_folder
from broker.catalogue.healpix import Cell, cells_of, coarser
from broker.catalogue.nested import nested
from broker.catalogue.newest import COLUMNS, Chosen, NewestAlerts
from broker.catalogue.reading import INDEX, ORDER, rows_of
from broker.catalogue.sorting import Sorter
from broker.catalogue.writing import NOTHING, Written, write_file
from broker.errors import TableError, WrongInputError
from broker.tables.dataset import Annotations
from schemas.annotation import IDENTITY, MEASUREMENT, VERDICT

FINEST = 8
"""The order of the sky map, and the smallest cells that a file may have: 0.23 degrees."""

FILE_BYTES = 256 * 2**20
"""What a file may hold, in memory."""

POINT_BYTES = 33
"""Of a light curve's point in memory: four numbers of eight bytes, nearly, and a flag."""

Progress = Callable[[], None]


class Rows(StrEnum):
    """What a row of the catalogue is."""

    OBJECTS = "objects"
    ALERTS = "alerts"


@dataclass(frozen=True)
class Catalogue:
    """What was written.

    Parameters
    ----------
    written : rows, files and their bytes.
    cells : a file each.
    alerts : of the annotation table.
    """

    written: Written
    cells: Sequence[Cell]
    alerts: int


def write_hats(
    annotations: Annotations,
    to: Path,
    name: str,
    rows: Rows,
    *,
    file_bytes: int = FILE_BYTES,
    on_read: Progress = lambda: None,
    on_written: Progress = lambda: None,
) -> Catalogue:
    """Write the catalogue; memory is bounded by `file_bytes`, and for objects by their number.

    Parameters
    ----------
    annotations : the table.
    to : a directory that isn't there yet, or is empty.
    name : of the catalogue.
    rows : every alert, or of each object its newest alert, with the longest light curve.
    file_bytes : what a file may hold, in memory; more where one cell of order `FINEST` has more.
    on_read, on_written : called after each file that was read, and each that was written.

    Raises
    ------
    WrongInputError
        If hats isn't installed, the directory isn't free, or the table isn't one of annotations.
    TableError
        If the table can't be read, or has no rows.
    """
    require_hats()
    with new_folder(to) as folder:
        sky = _Sky(rows)
        sorter = Sorter(folder / ".runs", ORDER, file_bytes)
        for piece in rows_of(annotations, on_read):
            sky.add(piece)
            sorter.add(nested(piece))
        if not sky.alerts:
            raise TableError(f"the annotation table {annotations.name} has no rows; there is nothing to export")
        sky.finish()
        cells = cells_of(sky.weights, file_bytes)
        counts = list(_write_cells(folder, cells, sorter, sky.chosen, on_written))
        sorter.remove()
        found = Catalogue(sum(counts, NOTHING), cells, sky.alerts)
        _describe(folder, name, rows, found, sky.counts, max(each.rows for each in counts), annotations)
    return found


def require_hats() -> None:
    """Raise a WrongInputError where the library isn't installed."""
    try:
        import hats  # noqa: F401
    except ImportError:
        raise WrongInputError(
            "this needs the library hats, which isn't installed; pip install 'boreal-broker[hats]'"
        ) from None


class _Sky:
    """Rows and bytes in each cell of order `FINEST`, of the rows that the catalogue will have."""

    def __init__(self, rows: Rows) -> None:
        self.alerts = 0
        self.counts = np.zeros(12 * 4**FINEST, dtype=np.int64)
        self.weights = np.zeros_like(self.counts)
        self.chosen: Chosen | None = None
        self._newest = NewestAlerts() if rows is Rows.OBJECTS else None

    def add(self, rows: pa.Table) -> None:
        self.alerts += rows.num_rows
        cells, sizes = coarser(np.asarray(rows[INDEX]), FINEST), _sizes(rows)
        if self._newest is None:
            self._count(cells, sizes)
        else:
            self._newest.add(rows.select(list(COLUMNS)), cell=cells, size=sizes)

    def finish(self) -> None:
        if self._newest is not None:
            self.chosen = self._newest.chosen()
            found = self._newest.table()
            self._count(found["cell"].to_numpy(), found["size"].to_numpy())

    def _count(self, cells: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        np.add.at(self.counts, cells, 1)
        np.add.at(self.weights, cells, sizes)


def _sizes(rows: pa.Table) -> NDArray[np.int64]:
    """Bytes of each row in memory: its light curve, and the same for all of what else there is."""
    points = np.asarray(pc.list_value_length(rows["lightCurve"]), dtype=np.int64)
    rest = (rows.nbytes - POINT_BYTES * int(points.sum())) // rows.num_rows
    return np.asarray(points * POINT_BYTES + max(rest, 0), dtype=np.int64)


def _write_cells(
    folder: Path, cells: Sequence[Cell], sorter: Sorter, chosen: Chosen | None, on_written: Progress
) -> Iterator[Written]:
    from hats.io.paths import new_pixel_catalog_file
    from hats.pixel_math import HealpixPixel

    stretches = sorter.stretches([cell.span for cell in cells], chosen.among if chosen else None)
    for cell, pieces in zip(cells, stretches, strict=True):
        path = Path(new_pixel_catalog_file(folder, HealpixPixel(cell.order, cell.pixel)).path)
        yield write_file(path, pieces)
        on_written()


def _describe(
    folder: Path,
    name: str,
    rows: Rows,
    found: Catalogue,
    counts: NDArray[np.int64],
    most_rows: int,
    annotations: Annotations,
) -> None:
    """Write what readers look at first: the properties, the list of cells, the columns, and the map of the sky."""
    from hats.catalog import PartitionInfo, TableProperties
    from hats.io import write_parquet_metadata
    from hats.io.file_io import write_fits_image
    from hats.io.paths import get_point_map_file_pointer
    from hats.io.skymap import write_skymap
    from hats.pixel_math import HealpixPixel

    cells = PartitionInfo([HealpixPixel(cell.order, cell.pixel) for cell in found.cells])
    cells.write_to_file(catalog_path=folder)
    write_parquet_metadata(folder)
    write_fits_image(counts, get_point_map_file_pointer(folder))
    write_skymap(counts, folder)
    TableProperties(
        catalog_name=name,
        catalog_type="object" if rows is Rows.OBJECTS else "source",
        total_rows=found.written.rows,
        ra_column="ra",
        dec_column="dec",
        healpix_column=INDEX,
        healpix_order=29,
        default_columns=default_columns(annotations.dataset.schema),
        hats_max_rows=most_rows,
        hats_order=cells.get_highest_order(),
        skymap_order=FINEST,
        moc_sky_fraction=float(f"{cells.calculate_fractional_coverage():.5g}"),
        **TableProperties.new_provenance_dict(folder, builder=f"{BROKER_NAME} v{broker_version()}"),
    ).to_properties_file(folder)


def default_columns(schema: pa.Schema) -> list[str]:
    """What LSDB reads unless it is asked for more: all but the features and the provenance."""
    fixed = {field.name for field in (*IDENTITY, *MEASUREMENT, *VERDICT)}
    return [
        name
        for name in schema.names
        if name in fixed or name == "lightCurve" or (name[0] == "p" and name[1:2].isupper())
    ]
