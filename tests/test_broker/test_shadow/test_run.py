"""A run with a shadow as an operator has it: beside the first bundle, then in its place, then gone again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from broker.annotate import schema_for
from broker.config import load_config
from broker.doctor import examine
from classifiers.bundle import Bundle

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path, live_run, data_dir, examples_dir) -> Start:
    """A run over the real LSST packets, all but three, in a folder of its own."""

    def make(name: str, **keys: Any) -> Any:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copytree(data_dir / "packets" / "lsst", folder / "in")
        (folder / "late").mkdir()
        for file in sorted((folder / "in").iterdir())[-3:]:
            file.rename(folder / "late" / file.name)
        source = {"kind": "directory", "path": str(folder / "in")}
        return live_run(folder, source=source, filters=str(examples_dir / "filters"), **keys)

    return make


def stored(out: Path) -> pa.Table:
    files = sorted(map(str, (out / "shadow").glob("night=*/part-*.parquet")))
    return ds.dataset(files).to_table()


def delivered(out: Path) -> dict[str, list[str]]:
    files = sorted((out / "subscribers").glob("*/*.jsonl"))
    return {file.parent.name: file.read_text().splitlines() for file in files}


def feed(run: Any) -> None:
    """Let one more packet come."""
    file = min((run.folder / "late").iterdir())
    file.rename(run.folder / "in" / file.name)


def test_it_changes_no_answer_and_is_promoted_and_rolled_back_by_one_setting(start, candidate, bundle) -> None:
    second = Bundle.load(candidate)
    without, beside = start("without"), start("beside", shadow={"bundle": str(candidate)})
    for run in (without, beside):
        run.once()
    schema = schema_for(bundle.manifest)
    assert beside.table(schema) == without.table(schema)
    assert delivered(beside.out) == delivered(without.out)
    n = beside.books()["annotated"]
    assert stored(beside.out).num_rows == n == without.books()["annotated"] == 18
    assert beside.books()["shadow"][second.sha256[:12]]["alerts"] == n

    feed(beside)
    beside.configure(bundle=str(candidate))  # promoted: the shadow's path, and nothing else
    assert "nothing runs beside it" in beside.once()
    assert beside.books()["bundles"] == {bundle.sha256[:12]: n, second.sha256[:12]: 1}
    assert stored(beside.out).num_rows == n

    feed(beside)
    beside.configure(bundle=str(bundle.path))  # rolled back
    beside.once()
    assert beside.books()["bundles"] == {bundle.sha256[:12]: n + 1, second.sha256[:12]: 1}
    assert [page["bundles"] for page in beside.pages()] == [
        {bundle.sha256[:12]: n}, {second.sha256[:12]: 1}, {bundle.sha256[:12]: 1},
    ]  # fmt: skip
    assert stored(beside.out).num_rows == n + 1


def test_a_reprocessing_has_one_too_and_says_so_in_its_manifest(start, candidate) -> None:
    run = start("again", shadow={"bundle": str(candidate), "fraction": 0.5})
    run.configure(source={"kind": "archives", "inputs": [str(run.folder / "in")]})
    run.boreal("reprocess", run.file)
    manifest = json.loads((run.out / "manifest.json").read_text())
    assert manifest["shadow"] == {"sha256": Bundle.load(candidate).sha256, "fraction": 0.5}
    assert 0 < stored(run.out).num_rows < manifest["annotated"] == 18


def test_a_shadow_that_cannot_be_used_stops_the_run_before_it_starts(start, candidate, tmp_path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(candidate, broken)
    (broken / "trees_gate.txt").write_text("changed")
    printed = start("run", shadow={"bundle": str(broken)}).once(code=2)
    assert "the bundle of the shadow can't be used" in printed
    assert "expected SHA-256" in printed


def test_the_doctor_looks_at_it(start, candidate, curves_only, bundle) -> None:
    run = start("doctor", shadow={"bundle": str(candidate)})

    def told() -> Any:
        return next(each.outcome for each in examine(load_config(run.file)) if each.check == "shadow bundle")

    assert (told().verdict, told().found.split(",")[0]) == ("ok", "second 2")
    run.configure(shadow={"bundle": str(bundle.path)})
    assert told().verdict == "warning"
    assert "the run's own bundle" in told().found
    own = run.folder / "filters"
    own.mkdir()
    (own / "bright.yaml").write_text("name: bright\nowner: me\ncondition: flux_max_r > 1000\n")
    run.configure(shadow={"bundle": str(curves_only)}, filters=str(own))
    assert told().verdict == "warning"
    assert "these filters would be refused" in told().found
    assert "flux_max_r" in told().found
    (run.folder / "wrong").mkdir()
    run.configure(shadow={"bundle": str(run.folder / "wrong")})
    assert told().verdict == "failed"
