"""What a person sees while the job runs, and when it ends."""

import pyarrow.compute as pc
from rich.console import Console
from rich.markup import escape

from broker._tables import books, subscribers
from broker.books.ledger import Ledger
from broker.commit import Batch
from broker.filters.watch import Change


class Progress:
    """A line per micro-batch, above a status line; at the end a table.

    Parameters
    ----------
    console : where to print.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self._received = 0
        self._status = console.status("starting Spark", spinner="dots")

    def start(self, before: Ledger) -> None:
        """Say what earlier runs into the same directory did, and that Spark is starting."""
        if before.total.received:
            self.console.print(f"continuing: {before.total.received:,} alerts are in the books already")
        self._status.start()

    def batch(self, batch: Batch) -> None:
        """One line: alerts of this micro-batch and their rate, duplicates, rejects, deliveries per subscriber."""
        entry = batch.entry
        self._received += entry.received
        rate = entry.received / max(batch.seconds, 1e-3)
        parts = [f"{entry.received:,} alerts in {batch.seconds:.1f} s ({rate:,.0f}/s)"]
        parts += [f"{entry.duplicates:,} duplicates"] * bool(entry.duplicates)
        parts += [f"[red]{entry.dead_lettered:,} dead-lettered[/]"] * bool(entry.dead_lettered)
        parts += [f"{name} {count:,}" for name, count in sorted(entry.deliveries.items())]
        parts += [f"[red]{count:,} messages for {name} can't be sent[/]" for name, count in entry.undeliverable.items()]
        self.console.print(f"batch {batch.number}: " + " · ".join(parts))
        for reason, count in _schema_troubles(batch).items():
            self.console.print(f"  [red]{count:,} packets without their schema:[/] {escape(reason)}")
        self._status.update(f"{self._received:,} alerts so far; at work on the next")

    def filters(self, change: Change) -> None:
        """Which filters are new, changed or gone, and what is wrong with those that were refused."""
        tell_filters(self.console, change)

    def stop(self) -> None:
        """Take the status line away."""
        self._status.stop()

    def close(self, ledger: Ledger) -> None:
        """The closing tables: the books, and what each subscriber got."""
        self.console.print(books(ledger.total))
        sent = subscribers(ledger.total)
        if sent.row_count:
            self.console.print(sent)


def _schema_troubles(batch: Batch) -> dict[str, int]:
    """Why packets of this micro-batch have no schema, and how many each reason kept back."""
    reasons = batch.rejects["reason"].filter(pc.equal(batch.rejects["stage"], "schema"))
    return {row["values"]: row["counts"] for row in pc.value_counts(reasons).to_pylist()}


def tell_filters(console: Console, change: Change) -> None:
    """Print which filters are new, changed or gone, and what is wrong with those that were refused."""
    for what, names in (("new", change.added), ("changed", change.changed), ("gone", change.removed)):
        if names:
            console.print(f"filters {what}: {', '.join(names)}")
    for finding in change.findings:
        console.print(f"[red]not taken:[/] {escape(str(finding))}")
