"""The books line by line: whole lines count, and only of micro-batches that the ledger has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.books import journal
from broker.books.ledger import Entry, Page, Span
from broker.errors import LedgerError


def page(number, stream="0123abcd"):
    return Page(stream, number, Entry(received=number, annotated=number), {"a/0": Span(number, number + 1)})


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Three pages, as text."""
    path = tmp_path_factory.mktemp("journal") / "batches.jsonl"
    for number in range(3):
        journal.append(path, page(number))
    return path.read_text()


def test_pages_come_back_in_their_order(tmp_path):
    path = tmp_path / "below" / "batches.jsonl"
    assert list(journal.read(path)) == []
    for number in (0, 1, 2):
        journal.append(path, page(number))
    assert list(journal.read(path)) == [page(0), page(1), page(2)]


@given(st.data())
def test_cut_off_anywhere_the_whole_lines_count_and_it_goes_on_from_there(tmp_path_factory, written, data):
    kept = data.draw(st.integers(0, len(written)))
    path = tmp_path_factory.mktemp("journal") / "batches.jsonl"
    path.write_text(written[:kept])
    whole = written[:kept].count("\n")
    assert [each.number for each in journal.read(path)] == list(range(whole))
    journal.discard_uncommitted(path, {"0123abcd": 2})
    journal.append(path, page(7))
    assert [each.number for each in journal.read(path)] == [*range(whole), 7]


@given(st.integers(-1, 3), st.integers(-1, 3))
def test_only_pages_at_the_end_that_do_not_count_are_removed(tmp_path_factory, last, last_replay):
    path = tmp_path_factory.mktemp("journal") / "batches.jsonl"
    pages = [page(0), page(0, "dead1e77"), page(1), page(2), page(1, "dead1e77")]
    for each in pages:
        journal.append(path, each)
    had = {"0123abcd": last, "dead1e77": last_replay}
    journal.discard_uncommitted(path, had)
    left = list(journal.read(path))
    counting = [each.number <= had[each.stream] for each in pages]
    assert left == pages[: len(left)]
    assert not any(counting[len(left) :])
    assert not left or counting[len(left) - 1]


def test_what_counts_is_not_written_again(tmp_path):
    path = tmp_path / "batches.jsonl"
    journal.append(path, page(0))
    before = path.stat()
    journal.discard_uncommitted(path, {"0123abcd": 0})
    journal.discard_uncommitted(tmp_path / "none", {})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "line", ["{}", "[]", "3", "nonsense", "\xff\xfe", '{"stream": "a", "batch": 0, "spans": {}, "skipped": 3}']
)
def test_a_line_that_is_no_page_is_named(tmp_path, line):
    path = tmp_path / "batches.jsonl"
    journal.append(path, page(0))
    with path.open("ab") as file:
        file.write(line.encode("latin-1") + b"\n")
    with pytest.raises(LedgerError, match=r"line 2 of .*batches\.jsonl isn't a page of the books"):
        list(journal.read(path))
    with pytest.raises(LedgerError, match=r"batches\.jsonl isn't a page of the books"):
        journal.discard_uncommitted(path, {"0123abcd": 0})
