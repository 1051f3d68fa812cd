"""What is told of each visit, from table, books and dead-letter; and the command."""

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import typer
from typer.testing import CliRunner

from broker.books import journal
from broker.books.ledger import Entry, Page, VisitCount
from broker.commands import visits as command
from broker.commit import Committer, Settings
from broker.errors import WrongInputError
from broker.harvest import Harvest, join
from broker.run_directory import RunDirectory
from broker.tables.dataset import annotations_at
from broker.visits.visits import visits_of

NIGHT = 20260309
SHUT = (61109.2 - 40587) * 86_400_000


def boreal_visits(*arguments):
    app = typer.Typer()
    app.command("visits", help=command.HELP)(command.visits)
    done = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def run(write, alert, table_of):
    """Fourteen visits of 189 detectors in two files; of the fifth most is missing, and the third came late in part."""
    alerts = [
        alert(visit, detector, 30 + detector / 10 + 100 * (visit == 3 and detector < 4))
        for visit in range(1, 15) for detector in range(189) if visit != 5 or detector < 30
    ]  # fmt: skip
    alerts += [alert(None, 0, 30, survey="ztf")] * 2
    directory = write([table_of(alerts[:1000]), table_of(alerts[1000:])])
    for number, (visit, taken) in enumerate([(1, 40), (1, 50), (2, 60), (3, 70)]):
        when = round(SHUT + 40_000 * (visit - 1) + 1000 * taken)
        count = VisitCount("lsst", visit, 63 + 63 * number, number)
        journal.append(directory / "batches.jsonl", Page("0123abcd", number, Entry(), taken=when, visits=(count,)))
    return directory


def test_each_visit_is_told_with_what_is_known_of_it(run):
    found = visits_of(annotations_at(run))
    assert found.without == {"ztf": 2}
    rows = {row["visit"]: row for row in found.to_rows()}
    assert list(rows) == list(range(1, 15))
    first = rows[1]
    assert (first["night"], first["band"], first["alerts"], first["detectors"]) == (NIGHT, "r", 189, 189)
    assert first["allDetectors"] == 189
    assert first["observed"] == pytest.approx(SHUT, abs=1)
    assert (first["kafkaFirstSeconds"], first["kafkaLastSeconds"]) == pytest.approx((30, 48.8), abs=2e-3)
    assert first["kafkaMeanSeconds"] == pytest.approx(39.4, abs=2e-3)
    assert (first["annotatedFirstSeconds"], first["annotatedLastSeconds"]) == pytest.approx((40, 50), abs=2e-3)
    assert first["annotatedMeanSeconds"] == pytest.approx((63 * 40 + 126 * 50) / 189, abs=2e-3)
    assert (first["duplicates"], first["deadLettered"], first["gapSeconds"]) == (1, 0, None)
    assert rows[2]["gapSeconds"] == pytest.approx(40, abs=2e-3)
    assert rows[4]["annotatedLastSeconds"] is None


def test_late_alerts_and_short_visits_are_found(run):
    rows = {row["visit"]: row for row in visits_of(annotations_at(run)).to_rows()}
    assert {visit: row["late"] for visit, row in rows.items() if row["late"]} == {3: 4}
    assert {visit: row["short"] for visit, row in rows.items() if row["short"]} == {5: ["alerts", "detectors"]}
    assert rows[5]["expectedAlerts"] == 189


def test_the_command_prints_a_row_a_visit_and_says_what_is_short(run):
    printed = boreal_visits(run).stdout
    assert "30/189" in printed
    assert "short of alerts: 189 around it, short of detectors: 189 around it" in printed
    assert "14 visits, 1 of them short beside their neighbours." in printed
    assert "2 alerts of ztf don't tell their visit." in printed
    assert "2026-03-10 04:48:00" in printed


def test_json_holds_the_same(run):
    told = json.loads(boreal_visits(run, "--json", "--night", NIGHT).stdout)
    assert (told["nights"], told["withoutVisit"], told["deadLettersOfUnknownVisit"]) == ([NIGHT], {"ztf": 2}, 0)
    assert [row["visit"] for row in told["visits"]] == list(range(1, 15))
    assert told["visits"][0]["observed"].startswith("2026-03-10T04:")
    assert told["visits"][4]["short"] == ["alerts", "detectors"]


def test_the_newest_night_is_told_unless_others_are_asked_for(write, alert, table_of):
    directory = write([table_of([alert(1, 0, 30), alert(3000, 1, 30)])])
    told = [json.loads(boreal_visits(directory, "--json", *more).stdout)["visits"] for more in ((), ("--all",))]
    assert [[row["visit"] for row in rows] for rows in told] == [[3000], [1, 3000]]
    assert boreal_visits(directory, "--night", 20200101).exit_code == 2
    assert boreal_visits(directory, "--all", "--night", NIGHT).exit_code == 2


def test_a_page_shows_every_visit(run, tmp_path):
    page = tmp_path / "page.html"
    assert "the page is" in boreal_visits(run, "--out", page).stdout
    text = page.read_text()
    assert text.count("<svg") == 1
    assert text.count('<th scope="row">') == 14
    assert "1 looks short" in text
    assert boreal_visits(run, "--out", tmp_path).exit_code == 2
    with pytest.raises(WrongInputError, match="can't be written"):
        boreal_visits(run, "--out", page / "below.html")


def test_no_visits_are_told_too(write, alert, table_of, tmp_path):
    directory = write([table_of([alert(None, None, None, survey="ztf")])])
    done = boreal_visits(directory, "--out", tmp_path / "page.html")
    assert done.stdout.startswith("1 alerts of ztf don't tell their visit.")
    assert "No alert tells its visit." in (tmp_path / "page.html").read_text()


@pytest.fixture(params=["parquet", "delta"])
def committed(request, tmp_path, outcomes):
    """Three micro-batches of real packets, one of which is in the last, too, with two broken ones."""
    run = RunDirectory(tmp_path / "out")
    if request.param == "delta":
        from broker.tables.delta import DeltaAnnotations

        committer = Committer(run, (), Settings(table=DeltaAnnotations(run.annotations)))
    else:
        committer = Committer(run, ())
    for number, outcome in enumerate(outcomes):
        committer.commit(number, Harvest(outcome))
    return committer


def expected(outcomes):
    """Alerts of each visit, plainly."""
    rows = {
        (row["survey"], row["alertId"], row["diaSourceId"]): row
        for outcome in outcomes for row in outcome.annotations.to_pylist()
    }.values()  # fmt: skip
    visits = {row["visit"] for row in rows} - {None}
    return {
        visit: (
            sum(row["visit"] == visit for row in rows),
            len({row["detector"] for row in rows if row["visit"] == visit}),
        )
        for visit in visits
    }


def test_real_packets_in_either_kind_of_table(committed, outcomes):
    found = visits_of(annotations_at(committed.run.path))
    rows = {row["visit"]: row for row in found.to_rows()}
    assert {visit: (row["alerts"], row["detectors"]) for visit, row in rows.items()} == expected(outcomes)
    assert sum(row["alerts"] for row in rows.values()) + found.without["ztf"] == committed.ledger.total.annotated
    assert sum(row["duplicates"] for row in rows.values()) == committed.ledger.total.duplicates == 1
    assert found.dead_letters == 2
    assert all(row["kafkaLastSeconds"] is None and row["annotatedLastSeconds"] > 0 for row in rows.values())


def test_the_books_tell_the_visits_of_a_batch(committed, outcomes):
    pages = list(journal.read(committed.run.journal))
    counted = sum((count.annotated for page in pages for count in page.visits), 0)
    annotations = pa.concat_tables([outcome.annotations for outcome in outcomes])
    numbered = pc.sum(pc.is_valid(annotations["visit"])).as_py()
    assert counted == numbered - 1
    assert sum(count.duplicates for page in pages for count in page.visits) == 1
    assert all(page.taken > 1_700_000_000_000 for page in pages)


def test_a_dead_letter_that_can_be_read_counts_for_its_visit(tmp_path, outcomes, sample_packets):
    origin, payload = next((origin, payload) for origin, payload in sample_packets if "170112044568150081" in origin)
    first = outcomes[0]
    rejects = pa.table(
        [[origin], ["classify"], ["too hard"], pa.array([payload], pa.large_binary())], schema=first.rejects.schema
    )
    committer = Committer(RunDirectory(tmp_path / "out"), ())
    committer.commit(0, Harvest(replace(first, rejects=rejects, received=first.received + 1)))
    found = visits_of(annotations_at(tmp_path / "out"))
    assert {row["visit"]: row["deadLettered"] for row in found.to_rows() if row["deadLettered"]} == {2026030900026: 1}
    assert found.dead_letters == 0


def test_kafka_s_time_stamps_are_in_the_table(tmp_path, outcomes, kafka_records):
    from broker.sources.kafka import messages_of

    outcome = outcomes[0]
    n = outcome.annotations.num_rows
    index = outcome.annotations.schema.get_field_index("origin")
    origins = pa.array([f"alerts/0/{k // 2}#{k % 2}" for k in range(n)])
    named = outcome.annotations.set_column(index, outcome.annotations.schema.field(index), origins)
    messages = messages_of(pa.Table.from_batches([kafka_records([b"x"] * ((n + 1) // 2))]))
    committer = Committer(RunDirectory(tmp_path / "out"), ())
    committer.commit(0, join([Harvest(replace(outcome, annotations=named), messages)]))
    table = annotations_at(tmp_path / "out").dataset.to_table(columns=["origin", "kafkaTimestamp"])
    for row in table.to_pylist():
        assert row["kafkaTimestamp"] == 1_750_000_000_000 + int(row["origin"].split("/")[2].split("#")[0])
