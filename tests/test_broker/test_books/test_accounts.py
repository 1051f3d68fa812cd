"""What a micro-batch adds to the books: nothing lost, nothing made up, by partition and offset."""

import json
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.books.accounts import Account, page_of
from broker.books.ledger import Entry, Ledger, Page, Span
from broker.deadletter import Versions, letters
from broker.errors import LedgerError
from broker.harvest import Harvest
from broker.pipeline import Outcome
from broker.sources.kafka import MESSAGES
from schemas.annotation import CLASSIFIER, DELIVERED_TO
from schemas.packets import rejects

COLUMNS = pa.schema(
    [
        pa.field("origin", pa.utf8()),
        pa.field("night", pa.int32()),
        pa.field("survey", pa.utf8()),
        pa.field("schemaVersion", pa.utf8()),
        pa.field("notClassifiedReason", pa.utf8()),
        pa.field("classifier", CLASSIFIER),
        DELIVERED_TO,
    ]
)
"""The annotation columns that are counted."""

ANNOTATED, DUPLICATE, DEAD = "annotated", "duplicates", "deadLettered"


def account(messages, replayed=None):
    """The account of messages, each ``(partition, offset, fates of its alerts)``."""
    alerts = [
        (f"{name}/{offset}" + (f"#{k}" if len(fates) > 1 else ""), fate, offset)
        for name, offset, fates in messages
        for k, fate in enumerate(fates)
    ]
    rows = [
        {
            "origin": origin, "night": 20260101 + offset % 2, "survey": "lsst", "schemaVersion": "10.0",
            "notClassifiedReason": None, "deliveredTo": ["sn"] * (offset % 3),
            "classifier": {"name": "first", "version": "1", "bundleSha256": "ab" * 32},
        }
        for origin, fate, offset in alerts if fate != DEAD
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=COLUMNS)
    kept = pa.array([fate == ANNOTATED for _, fate, _ in alerts if fate != DEAD], pa.bool_())
    dead = rejects([(origin, "decode", "why", b"") for origin, fate, _ in alerts if fate == DEAD])
    places = [(*name.rsplit("/", 1), offset) for name, offset, _ in messages]
    came = [{"topic": t, "partition": int(p), "offset": o, "timestamp": 1, "size": 10 + o} for t, p, o in places]
    harvest = Harvest(Outcome(table, dead, len(alerts)), pa.Table.from_pylist(came, schema=MESSAGES))
    return Account(harvest, table.filter(kept), replayed=replayed)


fates = st.lists(st.sampled_from([ANNOTATED, DUPLICATE, DEAD]), min_size=1, max_size=3)


@st.composite
def batches(draw):
    """Micro-batches in their order, whose offsets rise in each partition, with gaps."""
    made, after = [], Counter()
    for _ in range(draw(st.integers(1, 4))):
        batch = []
        for name in draw(st.lists(st.sampled_from(["a/0", "a/1", "b.c-d/0"]), min_size=1, max_size=6)):
            offset = after[name] + draw(st.sampled_from([0, 0, 0, 1, 5]))
            after[name] = offset + 1
            batch.append((name, offset, draw(fates)))
        made.append(draw(st.permutations(batch)))
    return made


def booked(path, made):
    """The ledger after these micro-batches, and their pages."""
    ledger, pages = Ledger(), []
    for number, batch in enumerate(made):
        page = page_of("0123abcd", number, account(batch), ledger.positions)
        ledger = ledger.commit(path / "ledger.json", page)
        pages.append(page)
    return ledger, pages


@given(batches())
def test_the_books_are_the_sum_of_their_pages_and_balance_in_each_partition(tmp_path_factory, made):
    ledger, pages = booked(tmp_path_factory.mktemp("books"), made)
    assert sum((page.entry for page in pages), Entry()) == ledger.total
    by_partition = Counter()
    for name, counts in ledger.total.partitions.items():
        read = ledger.positions[name]
        assert counts["received"] == counts[ANNOTATED] + counts[DUPLICATE] + counts[DEAD]
        assert counts["messages"] + counts["skipped"] == read.next - read.first
        assert ledger.total.partition_nights.get(name, Counter()).total() == counts[ANNOTATED]
        by_partition.update(counts)
    total = ledger.total
    assert (total.received, total.annotated) == (by_partition["received"], by_partition[ANNOTATED])
    assert (total.duplicates, total.dead_lettered) == (by_partition[DUPLICATE], by_partition[DEAD])
    assert by_partition["messages"] == sum(map(len, made))
    assert by_partition["bytes"] == sum(10 + offset for batch in made for _, offset, _ in batch)


@given(batches())
def test_each_fate_is_counted_where_its_message_came_from(tmp_path_factory, made):
    ledger, _ = booked(tmp_path_factory.mktemp("books"), made)
    wanted = {}
    for name, _, alerts in (message for batch in made for message in batch):
        wanted.setdefault(name, Counter()).update(alerts)
    assert {
        name: Counter({fate: counts[fate] for fate in (ANNOTATED, DUPLICATE, DEAD) if counts[fate]})
        for name, counts in ledger.total.partitions.items()
    } == wanted


@given(batches())
def test_pages_come_back_from_json_as_they_were(tmp_path_factory, made):
    for page in booked(tmp_path_factory.mktemp("books"), made)[1]:
        assert Page.from_json(json.loads(json.dumps(page.to_json()))) == page


@given(batches())
def test_every_offset_is_a_message_or_in_a_skipped_run_and_in_one_page(tmp_path_factory, made):
    ledger, pages = booked(tmp_path_factory.mktemp("books"), made)
    read = [(name, offset) for batch in made for name, offset, _ in batch]
    runs = [(name, run) for page in pages for name, skipped in page.skipped.items() for run in skipped]
    skipped = [(name, offset) for name, run in runs for offset in range(run.first, run.next)]
    spanned = [(name, o) for page in pages for name, span in page.spans.items() for o in range(span.first, span.next)]
    assert sorted(read + skipped) == sorted(spanned)
    assert len(set(spanned)) == len(spanned)
    assert set(spanned) == {(name, o) for name, s in ledger.positions.items() for o in range(s.first, s.next)}


def test_runs_of_skipped_offsets_are_told_from_where_the_books_end():
    messages = [("a/0", offset, [ANNOTATED]) for offset in (12, 13, 17, 20)]
    page = page_of("0123abcd", 1, account(messages), {"a/0": Span(3, 10), "b/0": Span(0, 9)})
    assert page.spans == {"a/0": Span(10, 21)}
    assert page.skipped == {"a/0": [Span(10, 12), Span(14, 17), Span(18, 20)]}
    assert page.entry.partitions["a/0"]["skipped"] == 7


def test_a_partition_that_was_never_read_begins_with_its_first_message():
    page = page_of("0123abcd", 0, account([("a/0", 40, [DEAD])]), {})
    assert (page.spans, page.skipped) == ({"a/0": Span(40, 41)}, {})


@pytest.mark.parametrize("lost", ["annotations", "rejects"])
def test_a_message_of_which_nothing_became_is_refused_by_name(lost):
    made = account([("a/0", 7, [ANNOTATED]), ("a/0", 8, [DEAD]), ("a/1", 9, [ANNOTATED, DEAD])])
    outcome = made.harvest.outcome
    tables = {"annotations": outcome.annotations, "rejects": outcome.rejects} | {lost: getattr(outcome, lost).slice(1)}
    harvest = Harvest(Outcome(**tables, received=outcome.received - 1), made.harvest.messages)
    annotated = made.annotations.slice(1) if lost == "annotations" else made.annotations
    name = {"annotations": "a/0/7", "rejects": "a/0/8"}[lost]
    with pytest.raises(LedgerError, match=f"nothing became of 1 messages, {name} "):
        page_of("0123abcd", 0, Account(harvest, annotated), {})


def test_an_alert_that_was_lost_or_made_up_is_refused():
    made = account([("a/0", 7, [ANNOTATED, ANNOTATED])])
    for received in (1, 3):
        wrong = Harvest(Outcome(made.annotations, rejects([]), received), made.harvest.messages)
        with pytest.raises(LedgerError, match="don't balance"):
            page_of("0123abcd", 0, Account(wrong, made.annotations), {})


def test_packets_of_files_have_no_partition():
    made = account([("a/0", 1, [ANNOTATED]), ("a/0", 2, [DEAD])])
    outcome = made.harvest.outcome

    def of_file(table):
        return table.set_column(0, table.schema.field(0), pa.array(["night.tar!a/0/1#0"] * table.num_rows, pa.utf8()))

    harvest = Harvest(Outcome(of_file(outcome.annotations), of_file(outcome.rejects), 2))
    page = page_of("0123abcd", 0, Account(harvest, of_file(made.annotations)), {})
    assert (page.entry.received, page.entry.annotated, page.entry.dead_lettered) == (2, 1, 1)
    assert (page.entry.partitions, page.entry.partition_nights, page.spans) == ({}, {}, {})


@given(st.lists(fates, min_size=1, max_size=6))
def test_a_replay_counts_alerts_anew_and_messages_not_again(tmp_path_factory, became):
    """Each message was a dead letter once; in the replay its alerts become what `became` says."""
    dead = [("a/0", offset, [DEAD]) for offset in range(len(became))]
    ledger, _ = booked(tmp_path_factory.mktemp("books"), [dead])
    first = account(dead)
    replayed = letters(
        first.harvest.outcome.rejects, first.harvest.messages, "part-0123abcd-00000000", Versions("", "", "")
    )
    again = account([("a/0", offset, alerts) for offset, alerts in enumerate(became)], replayed)
    page = page_of("dead1e77", 0, again, ledger.positions)
    page.entry.check()
    assert (page.spans, page.skipped) == ({}, {})
    total = ledger.commit(tmp_path_factory.mktemp("books") / "ledger.json", page).total
    alerts = Counter(fate for fates in became for fate in fates)
    assert total.received == alerts.total()
    assert (total.annotated, total.duplicates, total.dead_lettered) == tuple(
        alerts[fate] for fate in (ANNOTATED, DUPLICATE, DEAD)
    )
    assert total.reject_stages["decode"] == alerts[DEAD]
    assert total.replayed == Counter(decode=len(became))
    assert total.reject_reasons == Counter(other=len(became) + alerts[DEAD])
    counts = total.partitions["a/0"]
    assert (counts["messages"], counts["bytes"]) == (len(became), sum(10 + o for o in range(len(became))))
    assert (counts["received"], counts[DEAD]) == (alerts.total(), alerts[DEAD])
