"""Micro-batches are written once and counted once, whenever the process dies."""

import json
from dataclasses import replace
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from broker.annotate import schema_for
from broker.books.again import what_is_new
from broker.books.ledger import Ledger, Span
from broker.commit import Committer
from broker.errors import LedgerError, RunDirectoryError
from broker.filters.definition import load_filters
from broker.harvest import Harvest, join
from broker.pipeline import Outcome
from broker.run_directory import RunDirectory
from broker.sources.kafka import messages_of
from schemas.annotation import DELIVERED_TO
from schemas.packets import REJECTS


class KilledError(Exception):
    """Stands for the death of the process between two file operations."""


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """The time stands still, so that what is written again is the same."""
    monkeypatch.setattr("broker.commit.now", lambda: 1_750_000_000_000)


@pytest.fixture
def limited(tmp_path, bundle):
    """A filter that sends everything, and one that sends one alert a night."""
    folder = tmp_path / "filters"
    folder.mkdir()
    (folder / "all.yaml").write_text("name: all\nowner: me\ncondition: nPoints >= 0\n")
    (folder / "few.yaml").write_text("name: few\nowner: me\ncondition: nPoints >= 0\nlimits: {perNight: 1}\n")
    return load_filters(folder, schema_for(bundle.manifest))


@pytest.fixture
def matched(outcomes, limited):
    """Harvests of the outcomes as if `limited` were the filters; both match every alert."""
    names = [wanted.name for wanted in limited]

    def match(table):
        index = table.schema.get_field_index("matchedFilters")
        column = pa.array([names] * table.num_rows, table.schema.field(index).type)
        return table.set_column(index, table.schema.field(index), column)

    return [Harvest(replace(outcome, annotations=match(outcome.annotations))) for outcome in outcomes]


def commit_all(path, filters, harvests, stream="0123abcd"):
    (path / "checkpoint").mkdir(parents=True, exist_ok=True)
    (path / "checkpoint" / "boreal-stream-id").write_text(stream)
    committer = Committer(RunDirectory(path), filters)
    for number, harvest in enumerate(harvests):
        committer.commit(number, harvest)
    return committer


def read_avro(path):
    with path.open("rb") as file:
        return list(fastavro.reader(file))


def contents(path):
    """Every file of the run, by name."""
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_the_books_balance_and_say_what_was_written(tmp_path, limited, matched):
    run = RunDirectory(tmp_path / "out")
    total = commit_all(run.path, limited, matched).ledger.total
    table = ds.dataset(run.annotations, partitioning="hive").to_table()
    assert total.received == sum(harvest.outcome.received for harvest in matched)
    assert total.annotated == table.num_rows
    assert (total.duplicates, total.dead_lettered) == (1, 2)
    assert pq.read_table(run.deadletter).num_rows == 2
    assert total.deliveries["all"] == table.num_rows
    assert total.deliveries["few"] == len(total.nights)
    assert total.cut["few"]["perNight"] == table.num_rows - len(total.nights)


def test_an_alert_is_in_the_table_once_and_says_to_whom_it_went(tmp_path, limited, matched):
    run = RunDirectory(tmp_path / "out")
    commit_all(run.path, limited, matched)
    table = ds.dataset(run.annotations, partitioning="hive").to_table()
    keys = list(zip(table["survey"].to_pylist(), table["alertId"].to_pylist(), strict=True))
    assert len(keys) == len(set(keys))
    sent = [name for names in table["deliveredTo"].to_pylist() for name in names]
    assert sent.count("few") == len(set(table["night"].to_pylist()))


def test_json_lines_and_avro_carry_the_same(tmp_path, limited, matched):
    run = RunDirectory(tmp_path / "out")
    commit_all(run.path, limited, matched)
    for wanted in limited:
        folder = run.subscribers / wanted.name
        lines = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
        records = [record for file in sorted(folder.glob("*.avro")) for record in read_avro(file)]
        assert lines == records
        assert {json.dumps(line["filter"]) for line in lines} == {json.dumps(wanted.stamp)}


def test_a_batch_that_is_committed_again_changes_nothing(tmp_path, limited, matched):
    committer = commit_all(tmp_path / "out", limited, matched)
    before = contents(tmp_path / "out")
    assert committer.commit(1, matched[1]) is None
    assert commit_all(tmp_path / "out", limited, matched).ledger == committer.ledger
    assert contents(tmp_path / "out") == before


def test_a_batch_that_comes_again_with_more_stops_the_run(tmp_path, limited, matched):
    committer = commit_all(tmp_path / "out", limited, matched)
    before = contents(tmp_path / "out")
    first, second = matched[0].outcome.received, matched[1].outcome.received
    told = f"comes again with {first:,} alerts more than the {second:,} that it had"
    with pytest.raises(RunDirectoryError, match=f"micro-batch 1 counts already, and {told}.*mv .*checkpoint"):
        committer.commit(1, join(matched[:2]))
    assert contents(tmp_path / "out") == before


def test_messages_that_come_with_a_batch_of_before_are_not_passed_over(kafka_records):
    def harvest(count):
        records = pa.Table.from_batches([kafka_records([b"x"] * count, first=3)])
        return Harvest(Outcome(pa.table({}), REJECTS.empty_table(), count), messages_of(records))

    positions = {"alerts/0": Span(3, 10)}
    assert what_is_new(harvest(7), None, positions) is None
    assert what_is_new(harvest(9), None, positions) == "2 messages of alerts/0 from offset 10 on"
    assert what_is_new(harvest(7), None, {}) == "7 messages of alerts/0 from offset 0 on"


def test_killed_between_any_two_file_operations_it_loses_and_doubles_nothing(tmp_path, limited, matched, monkeypatch):
    commit_all(tmp_path / "whole", limited, matched)
    expected = contents(tmp_path / "whole")
    replace, left = Path.replace, [0]

    def dies(path, target):
        if left[0] == 0:
            raise KilledError
        left[0] -= 1
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", dies)
    deaths = 0
    for survives in range(200):
        left[0] = survives
        try:
            commit_all(tmp_path / f"{survives}", limited, matched)
            break
        except KilledError:
            deaths += 1
        left[0] = 10**9
        commit_all(tmp_path / f"{survives}", limited, matched)
        assert contents(tmp_path / f"{survives}") == expected, f"died after {survives} files"
    assert deaths > 20


def test_what_was_seen_and_sent_is_remembered_over_a_restart(tmp_path, limited, matched):
    run = RunDirectory(tmp_path / "out")
    first = commit_all(run.path, limited, matched).ledger.total
    again = commit_all(run.path, limited, matched, stream="4567cdef").ledger.total
    assert again.annotated == first.annotated
    assert again.deliveries == first.deliveries
    assert again.duplicates == first.duplicates + first.annotated + 1
    again.check()


def test_the_ledger_refuses_a_batch_in_which_an_alert_went_missing(tmp_path, limited, matched):
    whole = matched[0].outcome
    lost = Harvest(Outcome(whole.annotations.slice(1), whole.rejects, whole.received))
    run = RunDirectory(tmp_path / "out")
    committer = Committer(run, limited)
    with pytest.raises(LedgerError, match="don't balance"):
        committer.commit(0, lost)
    assert Ledger.read(run.ledger) == Ledger(last_batch={run.stream_id(): -1})
    assert not list(run.annotations.rglob("*.parquet"))


def test_every_folder_is_there_even_when_nothing_goes_into_it(tmp_path, limited):
    run = RunDirectory(tmp_path / "out")
    Committer(run, limited)
    assert {folder.name for folder in run.subscribers.iterdir()} == {"all", "few"}
    assert run.annotations.is_dir()
    assert run.deadletter.is_dir()


def test_the_column_of_deliveries_has_the_promised_type(tmp_path, limited, matched):
    run = RunDirectory(tmp_path / "out")
    commit_all(run.path, limited, matched)
    part = next(run.annotations.rglob("*.parquet"))
    assert pq.read_schema(part).field("deliveredTo").type == DELIVERED_TO.type
