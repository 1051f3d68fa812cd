"""What commands print alike: bars while they work, then plain tables."""

from collections.abc import Iterable
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

WIDEST = 250
"""Columns of text that a table takes at most where it isn't to be folded."""


def bars() -> Progress:
    """Bars on standard error, which are gone when the work is done."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)


def plain_table(title: str, *texts: str, numbers: tuple[str, ...] = ()) -> Table:
    """A table without lines.

    Parameters
    ----------
    texts, numbers : headings, of columns set to the left and to the right.
    """
    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False
    )
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def print_whole(table: Table, console: Console) -> None:
    """Print a table as wide as it is: a narrow terminal breaks its lines, and half a number tells nothing."""
    whole = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    Console(highlight=False, width=max(whole, console.width)).print(table)


def show(tables: Iterable[Table], remarks: Iterable[str], page: Path | None) -> None:
    """Print the tables that have rows, what is to be remarked, and where a page was written."""
    console = Console(highlight=False)
    for table in tables:
        if table.row_count:
            console.print(table)
    for line in remarks:
        console.print(line, style="red", markup=False, soft_wrap=True)
    if page:
        console.print(f"the page is {page}", markup=False, soft_wrap=True)
