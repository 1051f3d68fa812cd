"""The books as tables for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from broker.ledger import Entry


def books(total: Entry) -> Table:
    """What was received, and what became of it."""
    table = Table(title="The books: received is the sum of the rest")
    for heading in ("received", "annotated", "duplicates", "dead-lettered"):
        table.add_column(heading, justify="right")
    table.add_row(*(f"{n:,}" for n in (total.received, total.annotated, total.duplicates, total.dead_lettered)))
    return table


def subscribers(total: Entry) -> Table:
    """What each filter delivered, and what its limits held back."""
    table = Table("filter", title="Subscribers")
    table.add_column("delivered", justify="right")
    table.add_column("held back", justify="right")
    for name in sorted({*total.deliveries, *total.cut, *total.filter_errors}):
        table.add_row(name, f"{total.deliveries.get(name, 0):,}", ", ".join(_held_back(total, name)) or "-")
    return table


def _held_back(total: Entry, name: str) -> Iterator[str]:
    yield from (f"{limit} {count:,}" for limit, count in sorted(total.cut.get(name, {}).items()))
    if total.filter_errors[name]:
        yield f"[red]could not be evaluated {total.filter_errors[name]:,}[/]"
