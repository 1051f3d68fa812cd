"""`boreal deadletter` and `boreal reconcile` as a person calls them, on a run that needs neither Kafka nor Spark."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from broker.commands import app
from broker.config import load_config
from broker.errors import RunDirectoryError
from broker.run_directory import RunDirectory
from broker.service import Model, Service
from broker.sources.intake import FileReader, Intake
from schemas.packets import packets

NEW = 1200


class Run:
    """A run's configuration and directory, with some micro-batches in it."""

    def __init__(self, folder, registry_url, table):
        (folder / "in").mkdir()
        (folder / "filters").mkdir()
        (folder / "filters" / "all.yaml").write_text("name: all\nowner: me\ncondition: nPoints >= 0\n")
        self.config, self.out = folder / "run.yaml", folder / "out"
        keys = {
            "source": {"kind": "directory", "path": "in"}, "to": "out", "filters": "filters", "table": {"kind": table},
            "registry": {"url": registry_url, "timeout_seconds": 2.0, "retry_after_seconds": 1e-6},
        }  # fmt: skip
        self.config.write_text(yaml.safe_dump(keys))

    def take(self, *batches):
        config = load_config(self.config)
        with Service(config, Model.of(config), FileReader(config.source.path), lambda _: None) as service:
            for number, batch in enumerate(batches):
                service.committer.commit(number, service.worker().harvest(Intake(packets(batch))))

    def boreal(self, *arguments, code=0):
        done = CliRunner(env={"COLUMNS": "150"}).invoke(app, [*map(str, arguments)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def asked(self, *arguments, code=0):
        return json.loads(self.boreal(*arguments, "--json", code=code))


@pytest.fixture(params=["parquet", "delta"])
def run(request, tmp_path, registry_server, small_packet):
    made = Run(tmp_path, registry_server.url, request.param)
    made.take(
        [("a", small_packet(1)), ("b", b"noise")], [("c", small_packet(2, schema_id=NEW)), ("d", small_packet(1))]
    )
    return made


def test_listed_by_stage_and_reason_without_their_bytes(run):
    for given in (run.config, run.out):
        letters = run.asked("deadletter", "list", given)
        assert [(letter["origin"], letter["stage"]) for letter in letters] == [("b", "decode"), ("c", "schema")]
        assert "payload" not in letters[0]
    assert [each["origin"] for each in run.asked("deadletter", "list", run.out, "--stage", "schema")] == ["c"]
    assert [each["origin"] for each in run.asked("deadletter", "list", run.out, "--reason", "framing")] == ["b"]
    assert len(run.asked("deadletter", "list", run.out, "--limit", 1)) == 1
    assert "2 waiting, the first 1 shown" in run.boreal("deadletter", "list", run.out, "--limit", 1)


def test_one_is_shown_and_its_bytes_saved(run, tmp_path):
    letter = run.asked("deadletter", "list", run.out)[0]
    shown = run.asked("deadletter", "show", run.out, letter["id"], "--save", tmp_path / "packet")
    assert (shown["origin"], shown["bytes"], shown["begins"]) == ("b", 5, b"noise".hex(" "))
    assert (tmp_path / "packet").read_bytes() == b"noise"
    assert "6e 6f 69 73 65" in run.boreal("deadletter", "show", run.out, letter["id"])
    done = CliRunner().invoke(app, ["deadletter", "show", str(run.out), "nothing"])
    assert (done.exit_code, "no dead letter nothing waits in" in done.stderr) == (2, True)


def test_replayed_after_the_schema_was_registered(run, registry_server, registry):
    schema = dict(registry.by_name("lsst.v10_0.alert").json)
    failed = run.asked("deadletter", "replay", run.config, code=1)
    assert (failed["tried"], failed["annotated"], sum(failed["failed"].values())) == (2, 0, 2)
    registry_server.register("alerts", schema, NEW)
    done = run.asked("deadletter", "replay", run.config, "--stage", "schema")
    assert done == {"tried": 1, "annotated": 1, "duplicates": 0, "failed": {}}
    assert [each["origin"] for each in run.asked("deadletter", "list", run.out)] == ["b"]
    sent = [
        json.loads(line) for file in run.out.glob("subscribers/all/*.jsonl") for line in file.read_text().splitlines()
    ]
    assert sorted(line["diaSourceId"] for line in sent) == ["1", "2"]
    assert run.asked("reconcile", run.config)["differences"] == 0
    assert "stay" in run.boreal("deadletter", "replay", run.config, code=1)
    assert run.asked("deadletter", "replay", run.config, "--stage", "schema")["tried"] == 0


def test_a_run_that_works_is_not_disturbed(run):
    with RunDirectory(run.out).locked(), pytest.raises(RunDirectoryError, match="another run is writing"):
        run.boreal("deadletter", "replay", run.config)
    assert len(run.asked("deadletter", "list", run.out)) == 2


def test_a_run_that_fits_has_no_difference_and_says_so_last(run):
    printed = run.boreal("reconcile", run.config)
    assert printed.splitlines()[-1] == "differences 0"
    found = run.asked("reconcile", run.config)
    (files,) = found["partitions"]
    counts = {
        key: files[key] for key in ("partition", "received", "annotated", "duplicates", "deadLettered", "inTable")
    }
    assert counts == {
        "partition": "(files)", "received": 4, "annotated": 1, "duplicates": 1, "deadLettered": 2, "inTable": 1,
    }  # fmt: skip


def test_a_run_that_does_not_fit_ends_with_1_and_names_it(run):
    next(run.out.glob("deadletter/part-*")).unlink()
    printed = run.boreal("reconcile", run.config, code=1)
    assert printed.splitlines()[-1] == "differences 1"
    assert "(files): 1 dead letters, ledger against dead-letter" in printed
    assert run.asked("reconcile", run.config, code=1)["differences"] == 1


@pytest.mark.parametrize("command", [["reconcile"], ["deadletter", "list"], ["deadletter", "replay"]])
def test_where_nothing_ran_nothing_can_be_said(tmp_path, command):
    made = Run(tmp_path, "http://127.0.0.1:1", "parquet")
    done = CliRunner().invoke(app, [*command, str(made.config)])
    assert (done.exit_code, "holds no ledger" in done.stderr) == (2, True)


def test_topics_can_not_be_compared_where_there_are_none(run):
    with pytest.raises(Exception, match=r"no `deliver.kafka`"):
        run.boreal("reconcile", run.config, "--deliveries")
