"""`boreal export`: the annotation table in the forms that astronomers use."""

import json as json_format
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from broker.commands._console import bars
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop

if TYPE_CHECKING:  # they take a second to import; other commands don't wait for them
    from broker.catalogue.writing import Written
    from broker.tables.dataset import Annotations

app = typer.Typer(
    help="Write the annotation table by place on the sky, for LSDB, pandas and DuckDB.\n\n"
    "Example: `boreal export hats results --to catalogue`.",
    no_args_is_help=True,
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run's results, its configuration, or the table itself.")]
To = Annotated[Path, typer.Option(metavar="DIR", help="The directory to make; it isn't there yet, or is empty.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def hats(
    run: Run,
    to: To,
    rows: Annotated[
        str, typer.Option(help="objects: of each its newest alert, with the longest light curve; or alerts: all.")
    ] = "objects",
    name: Annotated[str | None, typer.Option(help="Of the catalogue; the directory's if left out.")] = None,
    file_mb: Annotated[float, typer.Option(min=0.001, help="What a file holds at most, in memory.")] = 256,
    json: Json = False,
) -> None:
    """Write a HATS catalogue with nested light curves, which LSDB opens.

    Example: `boreal export hats results --to catalogue`, then `lsdb.open_catalog("catalogue")` in Python.
    """
    from broker.catalogue.hats import Rows, require_hats, write_hats
    from broker.tables.dataset import annotations_at

    require_hats()
    if rows not in (*Rows,):
        stop(f"--rows {rows}: give objects or alerts", GAVE_SOMETHING_WRONG)
    annotations = annotations_at(run)
    with _Progress.over(annotations) as progress:
        found = write_hats(
            annotations, to, name or to.resolve().name, Rows(rows), file_bytes=int(file_mb * 1e6),
            on_read=progress.read, on_written=progress.written,
        )  # fmt: skip
    orders = Counter(cell.order for cell in found.cells)
    _tell(to, found.written, {"alertsRead": found.alerts, "filesByOrder": dict(sorted(orders.items()))}, json)


@app.command()
def parquet(
    run: Run,
    to: To,
    by: Annotated[
        str, typer.Option(help="What the folders are: healpix, night, or both; the outer one first.")
    ] = "healpix,night",
    order: Annotated[
        int, typer.Option(min=0, max=12, help="Of the HEALPix cells; 2: 15 degrees wide, 3: half that.")
    ] = 2,
    json: Json = False,
) -> None:
    """Write plain Parquet files in folders by HEALPix cell and night, for pandas, polars, DuckDB and others.

    Example: `boreal export parquet results --to by-place --by healpix,night --order 5`.
    """
    from broker.catalogue.parquet import HEALPIX, NIGHT, write_parquet
    from broker.tables.dataset import annotations_at

    folders = [word.strip() for word in by.split(",")]
    if not set(folders) <= {HEALPIX, NIGHT} or len(set(folders)) < len(folders):
        stop(f"--by {by}: give {HEALPIX}, {NIGHT}, or both with a comma between", GAVE_SOMETHING_WRONG)
    annotations = annotations_at(run)
    with _Progress.over(annotations) as progress:
        written = write_parquet(annotations, to, folders, order, on_read=progress.read, on_written=progress.written)
    _tell(to, written, {}, json)


class _Progress:
    """Files that were read, then files that were written."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._reading = bar.add_task("files read", total=total)
        self._writing: TaskID | None = None

    @classmethod
    @contextmanager
    def over(cls, annotations: "Annotations") -> Iterator["_Progress"]:
        total = sum(map(len, annotations.fragments_by_night().values()))
        with bars() as bar:
            yield cls(bar, total)

    def read(self) -> None:
        self._bar.advance(self._reading)

    def written(self) -> None:
        if self._writing is None:
            self._writing = self._bar.add_task("written", total=None)
        self._bar.advance(self._writing)


def _tell(to: Path, written: "Written", further: dict[str, Any], json: bool) -> None:
    told = {"to": str(to), "rows": written.rows, "files": written.files, "bytes": written.size, **further}
    if json:
        typer.echo(json_format.dumps(told, indent=2))
        return
    table = Table(title="Exported")
    for heading in ("rows", "files", "MB"):
        table.add_column(heading, justify="right")
    cells = [f"{written.rows:,}", f"{written.files:,}", f"{written.size / 1e6:,.1f}"]
    if further:
        table.add_column("files by HEALPix order")
        cells.append(", ".join(f"{n:,} of {order}" for order, n in further["filesByOrder"].items()))
        table.caption = f"{further['alertsRead']:,} alerts were read"
    table.add_row(*cells)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"in {to}", markup=False, soft_wrap=True)
