"""The books: they add up, survive being written and read, and refuse what doesn't balance."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.books.ledger import Entry, Ledger, Page, Span, VisitCount
from broker.errors import LedgerError

counts = st.integers(0, 10**12)
counters = st.dictionaries(st.text(min_size=1, max_size=8), st.integers(1, 10**9), max_size=4).map(Counter)
nested = st.dictionaries(st.text(min_size=1, max_size=8), counters, max_size=3)
few = st.sets(st.integers(0, 3))


@st.composite
def entries(draw):
    annotated, duplicates, dead = draw(counts), draw(counts), draw(counts)
    return Entry(
        received=annotated + duplicates + dead,
        annotated=annotated,
        duplicates=duplicates,
        dead_lettered=dead,
        deliveries=draw(counters),
        cut=draw(st.dictionaries(st.text(min_size=1, max_size=8), counters, max_size=3)),
        nights=draw(counters),
        not_classified=draw(counters),
        undeliverable=draw(counters),
        partitions=draw(nested),
        partition_nights=draw(nested),
    )


@st.composite
def pages(draw, number=0):
    """A page of the stream aaaaaaaa that goes on in each partition where the one before ended."""
    spans = {f"alerts/{k}": Span(number * 100, number * 100 + draw(st.integers(1, 100))) for k in draw(few)}
    skipped = {name: [Span(span.first, span.first + 1)] for name, span in spans.items()}
    visits = draw(st.lists(st.builds(VisitCount, st.text(max_size=4), st.integers(0, 2**63 - 1), counts, counts)))
    return Page("aaaaaaaa", number, draw(entries()), spans, skipped, draw(st.none() | counts), tuple(visits))


@given(pages(), pages(1))
def test_written_and_read_back_it_is_the_same_and_goes_on_alike(tmp_path_factory, first, second):
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    written = Ledger().commit(path, first)
    assert Ledger.read(path) == written
    assert Ledger.read(path).commit(path, second) == written.commit(path, second)


@given(pages())
def test_a_page_comes_back_from_json_as_it_was(page):
    assert Page.from_json(json.loads(json.dumps(page.to_json()))) == page


@given(st.permutations(range(4)), st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_positions_span_all_that_was_read_in_whatever_order(tmp_path_factory, order, sizes):
    path = tmp_path_factory.mktemp("ledger") / "ledger.json"
    bounds = [0, *(sum(sizes[: k + 1]) for k in range(4))]
    ledger = Ledger()
    for k in order:
        ledger = ledger.commit(path, Page("aaaaaaaa", k, Entry(), {"alerts/0": Span(bounds[k], bounds[k + 1])}))
    assert ledger.positions == {"alerts/0": Span(0, bounds[-1])}


@given(entries(), entries(), entries())
def test_sums_don_t_depend_on_the_order(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a


def test_the_four_numbers_and_the_deliveries_are_there_by_name(tmp_path):
    entry = Entry(received=4, annotated=2, duplicates=1, dead_lettered=1, deliveries=Counter(kilonovae=2))
    Ledger().commit(tmp_path / "ledger.json", Page("aaaaaaaa", 0, entry))
    found = json.loads((tmp_path / "ledger.json").read_text())
    assert (found["received"], found["annotated"], found["duplicates"], found["deadLettered"]) == (4, 2, 1, 1)
    assert found["deliveries"] == {"kilonovae": 2}


def test_an_entry_that_doesn_t_balance_is_refused():
    with pytest.raises(LedgerError, match=r"received 3, but annotated 1 \+ duplicates 0 \+ dead-lettered 1 = 2"):
        Entry(received=3, annotated=1, dead_lettered=1).check()


def test_a_batch_is_in_the_books_once_per_stream(tmp_path):
    ledger = Ledger().commit(tmp_path / "ledger.json", Page("aaaaaaaa", 0, Entry()))
    assert ledger.has("aaaaaaaa", 0)
    assert not ledger.has("aaaaaaaa", 1)
    assert not ledger.has("bbbbbbbb", 0)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "cut": 3, "lastBatch": {}}', "not json"]
)
def test_a_file_that_is_no_ledger_is_named(tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_text(content)
    with pytest.raises(LedgerError, match=r"ledger\.json isn't a ledger of format 1"):
        Ledger.read(path)


def test_no_file_is_an_empty_ledger(tmp_path):
    assert Ledger.read(tmp_path / "ledger.json") == Ledger()


def test_what_a_filter_did_not_send_is_told_by_limit_and_by_failure():
    entry = Entry(
        deliveries=Counter({"sn": 3}),
        cut={"sn": Counter({"perObject": 2, "cooldownDays": 1})},
        filter_errors=Counter({"broken": 7}),
    )
    assert entry.filters == ["broken", "sn"]
    assert list(entry.held_back("sn").items()) == [("cooldownDays", 1), ("perObject", 2)]
    assert entry.held_back("broken") == {"could not be evaluated": 7}
    assert entry.held_back("unheard of") == {}
