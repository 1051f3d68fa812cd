"""What happens to a micro-batch once it is processed: duplicates out, limits applied, results written, books kept.

The order makes a crash harmless. Parts are written first, under names that a repeat replaces; the annotation table and
the ledger take the batch in next, and only what they have taken in counts (see `broker.run_directory`); messages for
Kafka are sent last, from what was written down before (see `broker.outgoing.outbox`).
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from broker._atomic import replacing
from broker._stopwatch import Stopwatch
from broker.annotate import broker_version
from broker.books import journal
from broker.books.accounts import Account, page_of
from broker.books.again import what_is_new
from broker.books.ledger import Entry, Ledger, Page
from broker.checkpoint import unusable
from broker.deadletter import REPLAY_STREAM, REPLAYED, Versions, letters
from broker.duplicates import SeenAlerts
from broker.errors import LedgerError
from broker.filters.definition import Filter
from broker.filters.limits import Limiter
from broker.harvest import Harvest
from broker.outgoing.destinations import Destination
from broker.outgoing.dispatch import dispatch
from broker.outgoing.letter_messages import letter_messages
from broker.outgoing.outbox import OUTGOING, Outbox, Send
from broker.run_directory import RunDirectory, part_stem
from broker.shadow.rows import of_rows
from broker.sinks import discover
from broker.sinks.sink import MicroBatch, Sink
from broker.sources.kafka import places, published
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import AnnotationTable, Committed, TableBatch
from features.extract import code_hash
from schemas.annotation import DELIVERED_TO, PUBLISHED

LOG = logging.getLogger(__name__)

IDENTITY = ["survey", "alertId", "diaSourceId", "mjdTai"]
"""The columns that tell whether an alert was seen before."""

HISTORY = ["survey", "alertId", "diaSourceId", "objectId", "mjdTai", "night", "deliveredTo"]
"""The columns of the annotation table that tell what was seen and sent before."""


@dataclass(frozen=True)
class Batch:
    """A committed micro-batch, as the one who watches sees it.

    Parameters
    ----------
    number : count from 0 over the life of the checkpoint.
    entry : its counts.
    seconds : how long it took.
    rejects : columns of `schemas.packets.REJECTS`.
    """

    number: int
    entry: Entry
    seconds: float
    rejects: pa.Table


@dataclass(frozen=True)
class Taken:
    """A micro-batch that counts and was delivered, for whoever measures.

    Parameters
    ----------
    page : what it added to the books.
    written : its annotations and dead letters.
    harvest : as the workers gave it.
    counted, delivered : when it counted, and when its messages were delivered [s since 1970, UTC].
    seconds : how long the driver's steps took: ``commit``, ``publish``.
    """

    page: Page
    written: MicroBatch
    harvest: Harvest
    counted: float
    delivered: float
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Publishing:
    """Delivery to Kafka.

    Parameters
    ----------
    send : sends rows of `broker.outgoing.outbox.OUTGOING`.
    max_bytes : the most that a message may have.
    destinations : where messages go; changes with the filters.
    deadletter : topic of the dead letters; None for none.
    """

    send: Send
    max_bytes: int
    destinations: tuple[Destination, ...] = ()
    deadletter: str | None = None


@dataclass(frozen=True)
class Settings:
    """How a committer works, besides its filters.

    Parameters
    ----------
    table : the annotation table; the run's own Parquet files if None.
    files : write deliveries to files.
    window_days : how long an alert is remembered as seen; None for ever.
    bundle_sha256 : the model bundle, for the dead letters.
    """

    table: AnnotationTable | None = None
    files: bool = True
    window_days: float | None = None
    bundle_sha256: str = ""

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """What is written for each micro-batch, besides the annotation table."""
        return tuple(sink for sink in discover() if self.files or not sink.per_subscriber)


@dataclass(frozen=True)
class _Decided:
    """A micro-batch of which it is decided what happens to each alert."""

    written: MicroBatch
    messages: pa.Table
    account: Account = field(repr=False)


class Committer:
    """Takes micro-batches in, in their order, and keeps the books of a run's directory.

    Making one brings the directory into order: what a micro-batch that died left behind is removed, and what one that
    counts had not delivered yet is delivered.

    Parameters
    ----------
    run : where to write; the caller holds its lock.
    filters : the subscribers' filters.
    settings : how to work.
    publishing : delivery to Kafka; None for none.

    `observers` are told of each micro-batch once it is delivered.
    """

    def __init__(
        self,
        run: RunDirectory,
        filters: Sequence[Filter],
        settings: Settings | None = None,
        publishing: Publishing | None = None,
    ) -> None:
        self.run = run
        self.filters = tuple(filters)
        self.settings = settings or Settings()
        self.publishing = publishing
        self.table = self.settings.table or ParquetAnnotations(run)
        self.stream = run.stream_id()
        self.ledger = self._recovered(Ledger.read(run.ledger).with_stream(run.ledger, self.stream))
        self.observers: list[Callable[[Taken], None]] = []
        self.outbox = Outbox(run)
        self._make_folders()
        self._deliver()
        self._seen = SeenAlerts(self.settings.window_days)
        self._limiter = Limiter(self.filters)
        self._remember()

    def commit(
        self, number: int, harvest: Harvest, stream: str | None = None, replayed: pa.Table | None = None
    ) -> Entry | None:
        """Write a micro-batch, enter it into the ledger, and deliver; None where the ledger has it already.

        Parameters
        ----------
        number : of the micro-batch within its stream.
        harvest : what the workers made of its packets.
        stream : the run's own if None.
        replayed : the dead letters that these packets were, as columns of `broker.deadletter.DEADLETTER`.

        Raises
        ------
        LedgerError
            If the books don't balance; nothing counts then.
        RunDirectoryError
            If the ledger has the batch, and this one holds more.
        KafkaFailedError
            If Kafka doesn't take the messages; they stay in the outbox, and the batch counts.
        """
        stream = stream or self.stream
        if self.ledger.has(stream, number):
            self._expect_nothing_new(stream, number, harvest)
            self._deliver()
            return None
        watch = Stopwatch()
        with watch("commit"):
            decided = self._decide(part_stem(stream, number), harvest, replayed)
            page = page_of(stream, number, decided.account, self.ledger.positions, now())
            self._write(decided, page)
            self._enter(page)
        counted = time.time()
        with watch("publish"):
            self._deliver()
        taken = Taken(page, decided.written, harvest, counted, time.time(), watch.seconds)
        for observe in self.observers:
            observe(taken)
        return page.entry

    def change_filters(self, filters: Sequence[Filter], destinations: tuple[Destination, ...] = ()) -> None:
        """Go on with other filters from the next micro-batch on; what was sent before still counts for their limits."""
        self.filters = tuple(filters)
        self._make_folders()
        if self.publishing:
            self.publishing = replace(self.publishing, destinations=destinations)
        self._limiter, unknown = self._limiter.with_filters(self.filters)
        if unknown:
            for batch in self.table.rows(HISTORY):
                self._limiter.replay(batch, unknown)

    def _remember(self) -> None:
        """What the annotation table says was seen and sent before.

        Of nights that lie before the window only what was sent is asked for, and that only by filters with a limit that
        looks back further than the night.
        """
        nights, recent = self.table.nights(), self._recent_nights()
        for rows in self.table.rows(HISTORY, recent):
            self._seen.restore(rows)
            self._limiter.replay(rows)
        if recent is not None and any(wanted.limits.by_object for wanted in self.filters):
            for rows in self.table.rows(HISTORY, [night for night in nights if night not in recent]):
                self._limiter.replay(rows)

    def _recent_nights(self) -> Sequence[int] | None:
        """The newest nights that may hold what is remembered as seen; None for all.

        Twice as many as the window has days: a few packets with absurd dates make nights of their own.
        """
        window = self.settings.window_days
        return None if window is None else self.table.nights()[-(2 * math.ceil(window) + 2) :]

    def _recovered(self, ledger: Ledger) -> Ledger:
        """Take in what the table has committed and the ledger hasn't, and remove what neither has."""
        journal.discard_uncommitted(self.run.journal, ledger.last_batch)
        for stream in sorted({*ledger.last_batch, self.stream, REPLAY_STREAM}):
            for committed in self.table.after(stream, ledger.last_batch.get(stream, -1)):
                page = _page_in(committed, self.run)
                journal.append(self.run.journal, page)
                ledger = ledger.commit(self.run.ledger, page)
        self.table.discard_uncommitted(ledger.last_batch)
        self.run.discard_uncommitted(ledger.last_batch)
        return ledger

    def _expect_nothing_new(self, stream: str, number: int, harvest: Harvest) -> None:
        pages = (page for page in journal.read(self.run.journal) if (page.stream, page.number) == (stream, number))
        found = what_is_new(harvest, next(pages, None), self.ledger.positions)
        if found:
            raise unusable(
                self.run,
                f"micro-batch {number} counts already, and comes again with {found}, so Spark has lost what it had "
                "planned, as in a power failure",
            )

    def _make_folders(self) -> None:
        run = self.run
        subscribers = [run.subscribers / wanted.name for wanted in self.filters] if self.settings.files else []
        for folder in (run.annotations, run.deadletter, run.replayed, run.outbox, *subscribers):
            folder.mkdir(parents=True, exist_ok=True)

    def _decide(self, stem: str, harvest: Harvest, replayed: pa.Table | None) -> _Decided:
        outcome = harvest.outcome
        # The rows are decided on with few columns: to move all of them, light curves too, is done once.
        order = order_of(outcome.annotations)
        first = self._seen.add(outcome.annotations.select(IDENTITY).take(order))
        rows = order.to_numpy()[first].astype(np.int64)
        fresh = outcome.annotations.take(pa.array(rows))
        delivered, cut = self._limiter.apply(fresh)
        annotations = fresh.append_column(DELIVERED_TO, delivered.cast(DELIVERED_TO.type))
        stamps = places(fresh["origin"], harvest.messages)["timestamp"]
        annotations = annotations.append_column(PUBLISHED, stamps)
        versions = Versions(broker_version(), code_hash(), self.settings.bundle_sha256)
        dead = letters(outcome.rejects, harvest.messages, stem, versions)
        messages, undeliverable = self._messages(harvest, rows, annotations, dead)
        written = MicroBatch(stem, annotations, dead, self.filters, of_rows(harvest.shadow, rows))
        account = Account(harvest, annotations, cut, undeliverable, replayed, rows, written.shadow)
        return _Decided(written, messages, account)

    def _messages(
        self,
        harvest: Harvest,
        rows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
        annotations: pa.Table,
        dead: pa.Table,
    ) -> tuple[pa.Table, Counter[str]]:
        publishing = self.publishing
        if publishing is None:
            return OUTGOING.empty_table(), Counter()
        stamps = published(harvest.messages)
        sent = dispatch(harvest.records, rows, annotations, stamps, publishing.destinations, publishing.max_bytes)
        tables = [sent.messages]
        if publishing.deadletter:
            tables.append(letter_messages(dead, publishing.deadletter, publishing.max_bytes))
        return pa.concat_tables(tables), sent.undeliverable

    def _write(self, decided: _Decided, page: Page) -> None:
        """Write all that a micro-batch has; the annotation table last, since it commits by itself."""
        written, replayed = decided.written, decided.account.replayed
        for sink in self.settings.sinks:
            sink.write(written, self.run)
        self.outbox.put(written.stem, decided.messages)
        if replayed is not None:
            self._mark(written.stem, replayed)
        self.table.write(TableBatch(page.stream, page.number, written.annotations, page.to_json()))

    def _mark(self, stem: str, replayed: pa.Table) -> None:
        """Note which dead letters these packets were."""
        with replacing(self.run.replayed / f"{stem}.parquet") as path:
            pq.write_table(pa.table([replayed["id"]], schema=REPLAYED), path)

    def _enter(self, page: Page) -> None:
        journal.append(self.run.journal, page)
        self.ledger = self.ledger.commit(self.run.ledger, page)

    def _deliver(self) -> None:
        """Send what is in the outbox; left there where this run doesn't deliver to Kafka."""
        if self.publishing is None:
            return
        for stem, counts in self.outbox.deliver(self.publishing.send):
            LOG.debug("delivered %s: %s", stem, counts)


def now() -> int:
    """The time [ms since 1970, UTC], for the books."""
    return int(time.time() * 1000)


def _page_in(committed: Committed, run: RunDirectory) -> Page:
    """The page of the books that came with a commit of the table."""
    if not committed.books:
        raise LedgerError(
            f"the annotation table has micro-batch {committed.number}, the ledger {run.ledger} doesn't, and the "
            "table's log no longer keeps its books; restore the ledger that belongs to the table"
        )
    return Page.from_json(committed.books)


def order_of(annotations: pa.Table) -> pa.Array:
    """Rows by time, then survey, id and origin: which of two copies counts doesn't depend on how the batch was cut."""
    keys = ("mjdTai", "survey", "alertId", "diaSourceId", "origin")
    return pc.sort_indices(annotations, sort_keys=[(key, "ascending") for key in keys])
