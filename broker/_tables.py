"""The books as tables for a terminal."""

from rich.table import Table

from broker.books.ledger import NOT_EVALUATED, Entry


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
    for name in total.filters:
        table.add_row(
            name, f"{total.deliveries.get(name, 0):,}", ", ".join(map(_count, total.held_back(name).items())) or "-"
        )
    return table


def _count(held_back: tuple[str, int]) -> str:
    why, count = held_back
    return f"[red]{why} {count:,}[/]" if why == NOT_EVALUATED else f"{why} {count:,}"
