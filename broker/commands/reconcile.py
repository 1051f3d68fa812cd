"""`boreal reconcile`: whether the books balance."""

import json as json_format
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from broker._atomic import write_text
from broker.commands._exit import CHECK_FAILED
from broker.commands._where import run_of
from broker.config import load_config
from broker.kafka.run_settings import KafkaSource
from broker.run_directory import RunDirectory

HELP = """Compare Kafka's offsets, the ledger, the annotation table and the dead-letter; exit 1 where they differ.

Example: `boreal reconcile examples/kafka.yaml`. With --deliveries the subscribers' topics are compared with the table,
too. The run should be stopped; while it works, the comparison is one of moving things.
"""


def reconcile(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The run's configuration file.")],
    deliveries: Annotated[bool, typer.Option("--deliveries", help="Read the subscribers' topics, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the comparison, a row a partition, and the number of differences as the last line."""
    from broker.books import reconcile as reconciling
    from broker.books.deliveries import compare_deliveries
    from broker.tables import table_of

    settings, run = load_config(config), run_of(config)
    table = table_of(settings, run)
    source = settings.source if isinstance(settings.source, KafkaSource) else None
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description} {task.completed:,} rows"), console=console
    ) as progress:
        task = progress.add_task("reading the annotation table:", total=None)
        found = reconciling.reconcile(run, table, source, lambda n: progress.advance(task, n))
        topics = compare_deliveries(settings, run, table) if deliveries else []
    total = found.differences + sum(topic.missing + topic.unwanted for topic in topics)
    _note(run, total)
    if json:
        typer.echo(json_format.dumps(_as_json(found, topics, total), indent=2))
    else:
        _print(found, topics, total)
    if total:
        raise typer.Exit(CHECK_FAILED)


def _note(run: RunDirectory, differences: int) -> None:
    """Leave the result for the metrics of the run, where the directory can be written."""
    with suppress(OSError):
        write_text(run.reconciled, json_format.dumps({"differences": differences, "at": time.time()}) + "\n")


def _print(found: Any, topics: Any, total: int) -> None:
    console = Console(highlight=False, markup=False)
    table = Table(title="Received is annotated + duplicates + dead letters", box=SIMPLE, padding=0, pad_edge=False)
    table.add_column("partition", overflow="fold")
    for heading in ("messages", "received", "annotated", "duplicates", "dead", "waiting", "differ"):
        table.add_column(heading, justify="right", no_wrap=True)
    for check in found.partitions:
        counts = check.counts
        numbers = [counts[key] for key in ("messages", "received", "annotated", "duplicates", "deadLettered")]
        difference = sum(check.differences.values())
        table.add_row(check.name, *(f"{n:,}" for n in (*numbers, check.waiting, difference)))
    console.print(table)
    if topics:
        console.print(_of_topics(topics))
    for line in _lines(found):
        console.print(line)
    console.print(f"differences {total}")


def _of_topics(topics: Any) -> Table:
    table = Table(title="Deliveries in Kafka against the annotation table", box=SIMPLE, padding=0, pad_edge=False)
    table.add_column("topic", overflow="fold")
    for heading in ("wanted", "messages", "repeats", "undeliverable", "missing", "unwanted"):
        table.add_column(heading, justify="right", no_wrap=True)
    for topic in topics:
        table.add_row(
            topic.topic,
            *(f"{count:,}" for count in _of_topic(topic)),
        )
    return table


def _of_topic(topic: Any) -> tuple[int, ...]:
    return topic.wanted, topic.messages, topic.repeats, topic.undeliverable, topic.missing, topic.unwanted


def _lines(found: Any) -> list[str]:
    """Every difference in words."""
    lines = [
        f"{check.name}: {count:,} offsets held no message (transaction marks, or expired before they were read)"
        for check in found.partitions
        if (count := check.counts["skipped"])
    ]
    lines += [
        f"{check.name}: {count:,} {what}" for check in found.partitions for what, count in check.differences.items()
    ]
    lines += [
        f"night {night}: the ledger has {ledger:,} annotated alerts, the table {table:,}"
        for night, (ledger, table) in found.nights.items()
        if ledger != table
    ]
    return [*lines, *(f"{count:,} {what}" for what, count in found.others.items())]


def _as_json(found: Any, topics: Any, total: int) -> dict[str, Any]:
    partitions = [
        {
            "partition": check.name,
            "read": list(check.read) if check.read else None,
            "kafka": list(check.kafka) if check.kafka else None,
            **check.counts,
            "inTable": check.in_table,
            "inDeadletter": check.in_deadletter,
            "waiting": check.waiting,
            "differences": check.differences,
        }
        for check in found.partitions
    ]
    nights = {night: {"ledger": ledger, "table": table} for night, (ledger, table) in found.nights.items()}
    return {
        "partitions": partitions,
        "nights": nights,
        "others": dict(found.others),
        "topics": [topic.to_json() for topic in topics],
        "differences": total,
    }
