"""A run whose bundle lost the member that the novelty score reads: everything else works, and it is said."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from typer.testing import CliRunner

from broker.annotate import schema_for
from broker.checks import Verdict
from broker.commands.model import app
from broker.config import load_config
from broker.doctor import examine
from broker.pipeline import process
from broker.shadow.agreement import Agreement
from broker.shadow.model import ShadowModel
from broker.shadow.score import compare
from classifiers.bundle import Bundle
from classifiers.without import write_without
from schemas.packets import packets

LACKS = "without its member recurrent: no novelty"


@pytest.fixture(scope="module")
def left(bundle, tmp_path_factory) -> Bundle:
    path = tmp_path_factory.mktemp("left") / "bundle"
    write_without(bundle.path, "recurrent", path)
    return Bundle.load(path)


@pytest.fixture(scope="module")
def annotations(left, sample_packets, registry) -> pa.Table:
    outcome = process(packets(sample_packets), registry, left)
    assert outcome.received == outcome.annotations.num_rows
    return outcome.annotations


def model(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", "TERM": "dumb"})


def test_every_packet_is_annotated_as_before_but_for_the_novelty(annotations, bundle, sample_packets, registry):
    whole = process(packets(sample_packets), registry, bundle).annotations
    assert annotations.schema.equals(whole.schema)
    assert annotations["novelty"].null_count == annotations.num_rows
    assert whole["novelty"].null_count < whole.num_rows
    assert annotations["notClassifiedReason"].equals(whole["notClassifiedReason"])
    assert annotations["probability"].null_count == 0


def test_its_provenance_is_its_own(annotations, left, bundle):
    assert {row["bundleSha256"] for row in annotations["classifier"].to_pylist()} == {left.sha256} != {bundle.sha256}
    assert annotations["classifier"][0].as_py()["version"] == f"{bundle.version}+without-recurrent"


def test_a_run_is_compared_with_it(left, bundle, sample_packets, registry):
    first = process(packets(sample_packets), registry, bundle).annotations
    found = compare(first, ShadowModel(left.path, left.sha256), lambda: left)
    assert found["failure"].null_count == found.num_rows
    assert found["shadowNovelty"].null_count == found.num_rows
    agreement = Agreement()
    agreement.add(20260101, found)
    assert agreement.novelty_known == 0
    assert 0 < agreement.total.same < agreement.total.alerts == first.num_rows


def test_the_commands_write_it_and_say_so(bundle, tmp_path):
    out = tmp_path / "left"
    written = model("without", bundle.path, "recurrent", "--out", out)
    assert written.exit_code == 0, written.output
    for word in (LACKS, "boreal-train evaluate", "calibration", Bundle.load(out).sha256):
        assert word in written.output
    assert LACKS in model("info", out).output
    assert json.loads(model("info", out, "--json").output)["removed"] == ["recurrent"]
    verified = model("verify", out)
    assert verified.exit_code == 0
    assert LACKS in verified.output
    assert "whole" not in verified.output


def test_a_member_that_is_not_there_is_told(bundle, tmp_path):
    refused = model("without", bundle.path, "oracle", "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "found 'oracle'" in refused.stderr
    assert "Traceback" not in refused.output


def test_the_doctor_warns(left, tmp_path):
    (tmp_path / "in").mkdir()
    config = {"source": {"kind": "directory", "path": "in"}, "to": "out", "bundle": str(left.path)}
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    told = {result.check: result.outcome for result in examine(load_config(tmp_path / "run.yaml"))}
    assert told["model bundle"].verdict == Verdict.WARNING
    assert LACKS in told["model bundle"].found
    assert "novelty" in told["model bundle"].remedy


@pytest.mark.slow
def test_a_run_says_so_and_nothing_is_lost(live_run, left, bundle, data_dir, tmp_path):
    filters = tmp_path / "filters"
    filters.mkdir()
    for name, condition in (("strange", "novelty > 0"), ("known", "novelty <= 0"), ("any", "probability > 0")):
        text = f"name: {name}\nowner: me\ncondition: {condition}\n"
        (filters / f"{name}.yaml").write_text(text)
    source = {"kind": "directory", "path": str(data_dir / "packets" / "lsst")}
    shadow = {"bundle": str(bundle.path)}
    run = live_run(tmp_path, source=source, filters="filters", bundle=str(left.path), shadow=shadow)
    said = run.once()
    assert f"{left.path} is {LACKS}" in said
    books = run.books()
    assert books["received"] == books["annotated"] + books["duplicates"] + books["deadLettered"] > 0
    assert books["deadLettered"] == 0
    rows = run.table(schema_for(left.manifest))
    assert all(row["novelty"] is None for row in rows.values())
    assert list(books["deliveries"]) == ["any"]
    assert "Novelty" in (run.out / "report.html").read_text()
    compared = ds.dataset(sorted(map(str, (run.out / "shadow").glob("night=*/part-*.parquet")))).to_table()
    assert compared["novelty"].null_count == compared.num_rows
    assert compared["shadowNovelty"].null_count < compared.num_rows
    printed = run.boreal("shadow", "report", run.file, "--json", "--out", tmp_path / "page.html")
    told, _ = json.JSONDecoder().raw_decode(printed, printed.index("{\n"))
    assert told["novelty"] == {"alerts": 0, "meanFirst": None, "meanShadow": None, "above1First": 0, "above1Shadow": 0}
    assert "novelty" in (tmp_path / "page.html").read_text()
    assert "novelty: -" in run.boreal("inspect", _one(data_dir), "--bundle", left.path)


def _one(data_dir: Path) -> Path:
    return min((data_dir / "packets" / "lsst").glob("*.avro"))
