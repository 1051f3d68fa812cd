"""A run's directory that is restored from an older copy without its checkpoint, as the guide for operators says."""

import shutil

import pytest


@pytest.fixture
def records(kafka_records, small_packet):
    """Micro-batches that follow each other in one partition."""

    def make(*numbers, first):
        return kafka_records([small_packet(number) for number in numbers], first=first)

    return make


def restored(run, copy, *kept):
    """Put the copy in the place of all but some folders."""
    for path in run.path.iterdir():
        if path.name not in (*kept, "checkpoint"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    left = shutil.ignore_patterns("checkpoint", *kept)
    shutil.copytree(copy, run.path, ignore=left, dirs_exist_ok=True)
    run.checkpoint.rename(run.path / "checkpoint.old")


def test_a_table_that_is_ahead_tells_the_ledger_all_that_it_lacks(tmp_path, desk, records):
    opened = desk("out", table="delta")
    opened.take(0, records(1, 2, first=0))
    shutil.copytree(opened.run.path, tmp_path / "copy")
    for number in range(1, 4):
        opened.take(number, records(2 + number, first=1 + number))
    ledger, sent = opened.committer.ledger, len(opened.topics.messages)
    restored(opened.run, tmp_path / "copy", "annotations")
    again = desk("out", table="delta", topics=opened.topics, stream="4567cdef")
    assert (again.committer.ledger.total, again.committer.ledger.positions) == (ledger.total, ledger.positions)
    assert len(opened.topics.messages) == sent
    again.take(0, records(6, first=5))
    again.check()


@pytest.mark.parametrize("table", ["parquet", "delta"])
def test_with_a_table_of_the_same_moment_what_came_since_is_made_and_sent_again_under_the_same_keys(
    tmp_path, desk, records, table
):
    opened = desk("out", table=table)
    opened.take(0, records(1, 2, first=0))
    shutil.copytree(opened.run.path, tmp_path / "copy")
    opened.take(1, records(3, 4, first=2))
    sent, rows = len(opened.topics.messages), opened.rows()
    restored(opened.run, tmp_path / "copy")
    again = desk("out", table=table, topics=opened.topics, stream="4567cdef")
    ((_, following),) = again.committer.ledger.positions.values()
    assert following == 2
    again.take(0, records(3, 4, first=following))
    assert again.rows() == rows
    assert len(opened.topics.messages) > sent
    again.check()


def test_a_new_directory_beside_the_table_counts_as_seen_what_the_table_has_and_sends_nothing(desk, records):
    opened = desk("out", table="delta")
    opened.take(0, records(1, 2, first=0))
    sent = len(opened.topics.messages)
    for path in opened.run.path.iterdir():
        if path.name != "annotations":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = desk("out", table="delta", topics=opened.topics, stream="4567cdef")
    entry = again.take(0, records(1, 2, first=0))
    assert (entry.annotated, entry.duplicates, len(opened.topics.messages)) == (0, 2, sent)
