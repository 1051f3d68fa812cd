"""Every damage to a run's directory is a difference that names it; without damage there is none."""

import json
import shutil

import pytest

from broker.books.ledger import Span
from broker.books.reconcile import PartitionCheck, reconcile

IN_TABLE = "annotated alerts, ledger against table"
IN_DEADLETTER = "dead letters, ledger against dead-letter"
BECAME = "alerts received, but neither annotated, duplicate nor dead-lettered"
OFFSETS = "offsets that are neither messages nor skipped"
PAGES = "counts of the ledger that aren't the sum of its pages"
TWICE = "alerts that are in the table twice"

NEW = 1200


@pytest.fixture
def opened(desk, small_packet, kafka_records, taught):
    """Two partitions, two nights, a gap, a duplicate, two dead letters and one that was replayed."""
    opened = desk()
    opened.take(0, kafka_records([small_packet(1), small_packet(2, 61001.2), b"noise"]))
    opened.take(
        1,
        kafka_records([small_packet(3), small_packet(1), small_packet(4, schema_id=NEW)], first=5),
        kafka_records([b"", small_packet(5)], partition=1, first=7),
    )
    taught(NEW)
    opened.replay(stage="schema")
    return opened


def found(opened):
    """The differences in words: of partitions, nights and the rest."""
    result = reconcile(opened.run, opened.table, None, lambda _: None)
    partitions = {check.name: dict(check.differences) for check in result.partitions if check.differences}
    nights = {night: pair for night, pair in result.nights.items() if pair[0] != pair[1]}
    assert bool(result.differences) == bool(partitions or nights or result.others)
    return partitions, nights, dict(result.others)


def edited(opened, change):
    path = opened.run.ledger
    ledger = json.loads(path.read_text())
    change(ledger)
    path.write_text(json.dumps(ledger))


def part(folder, pattern="**/part-*.parquet"):
    return min(folder.glob(pattern))


def test_a_good_directory_has_no_difference(opened):
    result = reconcile(opened.run, opened.table, None, lambda _: None)
    assert (result.differences, found(opened)) == (0, ({}, {}, {}))
    alerts, other = result.partitions
    assert (alerts.name, alerts.read, alerts.counts["skipped"], alerts.in_table, alerts.in_deadletter) == (
        "alerts/0", Span(0, 8), 2, 4, 1,
    )  # fmt: skip
    assert (other.name, other.read, other.in_table, other.in_deadletter) == ("alerts/1", Span(7, 9), 1, 1)
    assert list(result.nights.values()) == [(4, 4), (1, 1)]


def test_all_rows_are_told_of(opened):
    rows = []
    reconcile(opened.run, opened.table, None, rows.append)
    assert sum(rows) == 5


def test_an_empty_directory_has_none_either(desk):
    assert found(desk()) == ({}, {}, {})


def test_a_part_of_the_table_that_is_gone(opened):
    part(opened.run.annotations, "night=20251121/*").unlink()
    assert found(opened) == ({"alerts/0": {IN_TABLE: 1}}, {"20251121": (1, 0)}, {})


def test_a_part_of_the_table_that_is_there_twice(opened):
    file = part(opened.run.annotations, "night=20251121/*")
    shutil.copy(file, file.with_name("part-0123abcd-00000001.parquet"))
    assert found(opened) == ({"alerts/0": {IN_TABLE: 1}}, {"20251121": (1, 2)}, {TWICE: 1})


def test_one_part_gone_and_another_twice_do_not_cancel_out(opened):
    files = sorted(opened.run.annotations.glob("night=20251120/part-0123abcd-*"))
    shutil.copy(files[0], opened.run.annotations / "night=20251120" / "part-0123abcd-00000009.parquet")
    part(opened.run.annotations, "night=20251121/*").unlink()
    _, nights, others = found(opened)
    assert (nights, others) == ({"20251120": (4, 5), "20251121": (1, 0)}, {TWICE: 1})


def test_a_dead_letter_that_is_gone(opened):
    part(opened.run.deadletter).unlink()
    assert found(opened) == ({"alerts/0": {IN_DEADLETTER: 1}}, {}, {})


def test_a_dead_letter_that_is_there_twice(opened):
    shutil.copy(part(opened.run.deadletter), opened.run.deadletter / "part-0123abcd-00000007.parquet")
    assert found(opened) == ({"alerts/0": {IN_DEADLETTER: 1}}, {}, {})


def test_a_mark_of_a_replay_that_is_gone(opened):
    part(opened.run.replayed).unlink()
    assert found(opened) == ({"alerts/0": {IN_DEADLETTER: 1}}, {}, {})


def test_a_page_of_the_books_that_is_gone(opened):
    lines = opened.run.journal.read_text().splitlines(keepends=True)
    opened.run.journal.write_text("".join(lines[1:]))
    assert list(found(opened)[2]) == [PAGES]


def counts(found, place=()):
    """The way to every number."""
    for key, value in found.items() if isinstance(found, dict) else enumerate(found):
        if isinstance(value, dict | list):
            yield from counts(value, (*place, key))
        elif isinstance(value, int):
            yield (*place, key)


def test_no_number_of_the_ledger_can_be_changed_unseen(opened):
    whole = json.loads(opened.run.ledger.read_text())
    places = [place for place in counts(whole) if place[0] not in ("format", "lastBatch")]
    assert len(places) > 30
    unseen = []
    for place in places:

        def change(ledger, place=place):
            here = ledger
            for key in place[:-1]:
                here = here[key]
            here[place[-1]] += 1

        edited(opened, change)
        if found(opened) == ({}, {}, {}):
            unseen.append(place)
        opened.run.ledger.write_text(json.dumps(whole))
    assert unseen == []


def test_offsets_that_are_accounted_for_by_nothing(opened):
    edited(opened, lambda ledger: ledger["positions"].update({"alerts/1": [5, 9]}))
    assert found(opened)[0] == {"alerts/1": {OFFSETS: 2}}


def test_rows_of_a_partition_that_the_ledger_never_heard_of(opened):
    edited(opened, lambda ledger: (ledger["partitions"].pop("alerts/1"), ledger["positions"].pop("alerts/1")))
    partitions, _, _ = found(opened)
    assert partitions["alerts/1"] == {IN_TABLE: 1, IN_DEADLETTER: 1}


def test_a_delta_table_that_lost_or_doubled_rows(desk, small_packet, kafka_records):
    from deltalake import DeltaTable, write_deltalake

    opened = desk(table="delta")
    opened.take(0, kafka_records([small_packet(1), small_packet(2, 61001.2)]))
    assert found(opened) == ({}, {}, {})
    rows = DeltaTable(opened.run.annotations).to_pyarrow_table()
    DeltaTable(opened.run.annotations).delete("night = 20251121")
    assert found(opened) == ({"alerts/0": {IN_TABLE: 1}}, {"20251121": (1, 0)}, {})
    write_deltalake(opened.run.annotations, rows, mode="append")
    assert found(opened) == ({"alerts/0": {IN_TABLE: 1}}, {"20251120": (1, 2)}, {TWICE: 1})


def test_what_kafka_has_is_waiting_or_was_never_read():
    def waiting(read, kafka):
        return PartitionCheck("a/0", read, {}, kafka, 0, 0, 0).waiting

    assert waiting(Span(0, 5), Span(0, 9)) == 4
    assert waiting(None, Span(3, 9)) == 6
    assert waiting(Span(0, 5), Span(7, 9)) == 2
    assert waiting(Span(0, 9), Span(0, 9)) == waiting(Span(0, 9), None) == 0
