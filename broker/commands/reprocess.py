"""`boreal reprocess`: archives through the main job."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from broker._tables import books, subscribers
from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.config import ArchivesSource, Config, load_config
from broker.logs import is_json, set_up
from broker.run_directory import RunDirectory

if TYPE_CHECKING:  # Spark and the classifiers take a second to import; the other commands don't wait for them
    from broker.books.ledger import Ledger
    from broker.commit import Batch
    from broker.job import Job

HELP = """Annotate what archives hold, once and to the end: nightly tarballs, directories and containers of packets,
tables of packets, annotation tables of earlier runs.

Killed or interrupted, it goes on where it was when it is called again; what is done isn't read again. To read an
archive once more, give another directory (`to`). `manifest.json` there tells what was read and what became of it.

Example: `boreal reprocess examples/reprocess.yaml`.
"""

DONE = ("done", "damaged")

SHOWN = 20
"""Inputs in the table; the manifest has all."""


def reprocess(
    config: Annotated[Path, typer.Argument(help="Configuration file (YAML), with a source of kind archives.")],
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON.")] = False,
) -> None:
    """Reprocess; archives that are damaged are told, and don't stop the rest."""
    from broker.job import Job

    settings = load_config(config)
    if not isinstance(settings.source, ArchivesSource):
        stop(
            f"the source of {config} is of kind {settings.source.kind}, which `boreal run` reads; reprocess takes "
            "`source: {kind: archives, inputs: [...]}`",
            GAVE_SOMETHING_WRONG,
        )
    set_up(settings.log)
    ledger = _run(Job.prepare(settings))
    manifest = json_format.loads(RunDirectory(settings.to).manifest.read_text(encoding="utf-8"))
    if json:
        typer.echo(json_format.dumps(manifest, indent=2))
    elif not is_json():
        _tell(Console(highlight=False), manifest, ledger)
    left = [each["label"] for each in manifest["inputs"] if each["status"] not in DONE]
    if left:
        stop(f"interrupted: {len(left)} inputs aren't read to their end; call it again to go on", CHECK_FAILED)


def _run(job: "Job") -> "Ledger":
    if is_json():
        from broker.job import Watcher
        from broker.log_progress import LogProgress

        told = LogProgress()
        ledger = job.run(once=True, watcher=Watcher(told.start, told.batch, told.filters, told.listing))
        told.close(ledger)
        return ledger
    with _Watch(job.config) as watch:
        return job.run(once=True, watcher=watch.watcher())


class _Watch:
    """Bars on standard error: inputs that are listed, then alerts that are received."""

    def __init__(self, config: Config) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
        self._run = RunDirectory(config.to)
        self._listing = self._progress.add_task("starting Spark", total=None)
        self._reading = self._progress.add_task("alerts", total=None, visible=False)
        self._received = 0

    def watcher(self) -> Any:
        from broker.job import Watcher

        return Watcher(self._on_start, self._on_batch, lambda _: None, self._on_listing)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _on_start(self, before: "Ledger") -> None:
        self._received = before.total.received
        if self._received:
            self._progress.console.print(f"continuing: {self._received:,} alerts are in the books already")

    def _on_listing(self, done: int, of: int) -> None:
        self._progress.update(self._listing, description="archives looked through", completed=done, total=of)

    def _on_batch(self, batch: "Batch") -> None:
        if not self._progress.tasks[self._reading].visible:
            self._progress.update(self._listing, visible=False)
            self._progress.update(self._reading, visible=True, total=self._expected())
        self._received += batch.entry.received
        self._progress.update(self._reading, completed=self._received)

    def _expected(self) -> int:
        from broker.archives.input_list import input_list_of

        return sum(each.packets for each in input_list_of(self._run).listed.values())


def _tell(console: Console, manifest: dict[str, Any], ledger: "Ledger") -> None:
    table = Table(title="Inputs", title_justify="left")
    table.add_column("input", overflow="fold")
    for heading in ("status", "received", "annotated", "dupl.", "dead"):
        table.add_column(heading, justify="left" if heading == "status" else "right")
    inputs = manifest["inputs"]
    told = [each for each in inputs if each["faults"]][:SHOWN]
    told += [each for each in inputs if not each["faults"]][: SHOWN - len(told)]
    for each in sorted(told, key=inputs.index):
        status = f"[red]{each['status']}[/]" if each["faults"] else each["status"]
        counts = (f"{each[name]:,}" for name in ("received", "annotated", "duplicates", "deadLettered"))
        table.add_row(each["label"], status, *counts)
    console.print(table)
    if len(inputs) > len(told):
        console.print(f"and {len(inputs) - len(told):,} more")
    for fault in [fault for each in inputs for fault in each["faults"]][:SHOWN]:
        console.print(f"{fault['file']}: {fault['reason']}", markup=False, soft_wrap=True)
    console.print(books(ledger.total))
    sent = subscribers(ledger.total)
    if sent.row_count:
        console.print(sent)
    console.print(f"manifest: {Path(manifest['parameters']['to']) / 'manifest.json'}", soft_wrap=True)
