"""What is told of two bundles: the counts, what filters would have sent, the page."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from typer.testing import CliRunner

from broker.annotate import schema_for
from broker.commands import app
from broker.commit import Committer
from broker.errors import WrongInputError
from broker.filters.definition import Filter, load_filters
from broker.filters.watch import FilterWatch
from broker.harvest import Harvest
from broker.pipeline import Outcome, rescore
from broker.run_directory import RunDirectory
from broker.shadow.agreement import Agreement
from broker.shadow.facts import facts
from broker.shadow.manifests import keep
from broker.shadow.model import ShadowModel
from broker.shadow.page import render
from broker.shadow.report import kept_filters, report
from broker.shadow.score import compare
from broker.shadow.senders import with_answers
from broker.shadow.stored import Pair, pairs_of, stored_shadow
from broker.tables.dataset import annotations_at
from classifiers.bundle import Bundle, BundleError
from schemas.annotation import DELIVERED_TO

FILTERS = {
    "likely": "condition: probability > 0.5\n",
    "supernovae": "condition: pSNLike > 0.5 AND className <> 'SN II'\n",
    "strange": "condition: novelty > 0.9 OR notClassifiedReason IS NOT NULL\n",
    "bright": "condition: flux_max_r > 1000 AND pAGN < 0.9\n",
    "nightly": "condition: pNonRecurring > 0.3\nlimits: {perNight: 2}\n",
}


@pytest.fixture(scope="module")
def filter_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("filters")
    for name, rest in FILTERS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\nowner: me\n{rest}")
    return folder


def make_run(path: Path, outcomes: list[Outcome], bundle: Bundle, shadow: Path, filter_folder: Path) -> RunDirectory:
    """A run's directory with a shadow beside it."""
    run, loaded = RunDirectory(path), Bundle.load(shadow)
    watch = FilterWatch.start(filter_folder, schema_for(bundle.manifest), run.filters)
    keep(run, bundle.path, shadow)
    committer, model = Committer(run, watch.filters), ShadowModel(shadow, loaded.sha256)
    for number, outcome in enumerate(outcomes):
        found = compare(outcome.annotations, model, lambda: loaded)
        committer.commit(number, Harvest(outcome, shadow=found))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory, outcomes, bundle, candidate, filter_folder) -> RunDirectory:
    return make_run(tmp_path_factory.mktemp("run") / "out", outcomes, bundle, candidate, filter_folder)


@pytest.fixture(scope="module")
def told(run) -> dict[str, Any]:
    return facts(report(stored_shadow(run), annotations_at(run.path), kept_filters(run)))


@pytest.fixture(scope="module")
def both(run, candidate) -> tuple[pa.Table, pa.Table]:
    """The run's annotation table, and the same as the candidate makes it by itself."""
    table = annotations_at(run.path).dataset.to_table()
    return table, rescore(table, Bundle.load(candidate)).annotations


def sent(table: pa.Table, wanted: Filter) -> set[tuple[int, int]]:
    """The alerts that a filter takes of annotations, its limit of so many a night applied."""
    from broker.commit import order_of
    from broker.filters.evaluate import evaluate, matched_names
    from broker.filters.limits import Limiter

    ordered = table.take(order_of(table))
    at = ordered.schema.get_field_index("matchedFilters")
    matched = matched_names(evaluate([wanted], ordered)).cast(DELIVERED_TO.type)
    delivered, _ = Limiter([wanted]).apply(ordered.set_column(at, "matchedFilters", matched))
    rows = ordered.filter(pc.greater(pc.list_value_length(delivered), 0))
    return set(zip(rows["alertId"].to_pylist(), rows["diaSourceId"].to_pylist(), strict=True))


def test_agreement_is_that_of_the_two_bundles_by_themselves(told, both) -> None:
    first, second = both
    same = pc.sum(pc.equal(first["classId"], second["classId"])).as_py()
    assert (told["alerts"], told["same"], told["failures"]) == (first.num_rows, same, 0)
    assert 0 < told["same"] < told["alerts"]
    pairs = Counter(zip(first["className"].to_pylist(), second["className"].to_pylist(), strict=True))
    assert {(each["first"], each["shadow"]): each["alerts"] for each in told["moves"]} == pairs
    for each in told["classes"]:
        assert each["first"] == pairs_with(pairs, 0, each["name"])
        assert each["shadow"] == pairs_with(pairs, 1, each["name"])
    ia = next(each for each in told["classes"] if each["name"] == "SN Ia")
    assert ia["meanProbabilityFirst"] == pytest.approx(pc.sum(first["pSNIa"]).as_py() / first.num_rows)
    assert ia["meanProbabilityShadow"] == pytest.approx(pc.sum(second["pSNIa"]).as_py() / first.num_rows)
    assert sum(each["meanProbabilityShadow"] for each in told["classes"]) == pytest.approx(1)
    assert told["novelty"]["meanShadow"] == pytest.approx(pc.mean(second["novelty"]).as_py())


def pairs_with(pairs: Counter[tuple[str, str]], side: int, name: str) -> int:
    return sum(n for pair, n in pairs.items() if pair[side] == name)


def test_every_way_to_group_alerts_has_all_of_them(told) -> None:
    for rows in ("detections", "days", "nights", "distances"):
        assert sum(each["alerts"] for each in told[rows]) == told["alerts"]
    for rows in ("detections", "days", "nights"):
        assert sum(each["same"] for each in told[rows]) == told["same"]
        total = sum(each["alerts"] * (each["meanDistance"] or 0) for each in told[rows])
        assert total == pytest.approx(told["alerts"] * told["meanDistance"])
    assert [each["to"] for each in told["detections"]] == [2, 4, 8, 16, 32, None]


def test_filters_would_send_what_they_send_with_the_candidate_as_the_run_s_bundle(
    told, both, filter_folder, bundle
) -> None:
    found = {each["filter"]: each for each in told["filters"]["sent"]}
    assert set(found) == set(FILTERS)
    for wanted in load_filters(filter_folder, schema_for(bundle.manifest)):
        one, other = (sent(table, wanted) for table in both)
        counts = {key: found[wanted.name][key] for key in ("first", "shadow", "gained", "lost", "same")}
        assert counts == {
            "first": len(one), "shadow": len(other), "gained": len(other - one), "lost": len(one - other),
            "same": len(one & other),
        }  # fmt: skip
    assert any(each["gained"] or each["lost"] for each in found.values())


def test_annotations_with_the_shadow_s_answers_are_those_that_its_bundle_makes(run, both, candidate) -> None:
    first, second = both
    stored = stored_shadow(run)
    answers = pa.concat_tables([stored.read(night, files) for night, files in stored.files().items()])
    ids = [dict(zip(t["diaSourceId"].to_pylist(), range(t.num_rows), strict=True)) for t in (answers, first)]
    order = pa.array([ids[0][source] for source in ids[1]])
    made = with_answers(first, answers.take(order), Bundle.load(candidate).classes)
    for name in ("classId", "className", "probability", "novelty", "notClassifiedReason", "pSNIa", "pSNLike", "pAGN"):
        assert made[name].to_pylist() == second[name].to_pylist(), name
    assert made["classifications"].to_pylist() == second["classifications"].to_pylist()


def test_the_alerts_that_differ_most_come_first_with_their_ids(told, run) -> None:
    distances = [each["distance"] for each in told["mostDifferent"]]
    assert distances == sorted(distances, reverse=True)
    assert all(isinstance(each["alertId"], str) for each in told["mostDifferent"])
    stored = stored_shadow(run)
    rows = pa.concat_tables([stored.read(night, files) for night, files in stored.files().items()])
    assert distances[0] == pc.max(rows["distance"]).as_py()


def test_filters_that_the_candidate_has_no_columns_for_are_told(
    tmp_path, outcomes, bundle, curves_only, filter_folder
) -> None:
    made = make_run(tmp_path / "out", outcomes[:1], bundle, curves_only, filter_folder)
    found = facts(report(stored_shadow(made), annotations_at(made.path), kept_filters(made)))["filters"]
    assert set(found["refused"]) == {"bright"}
    assert "flux_max_r" in found["refused"]["bright"]
    assert {each["filter"] for each in found["sent"]} == set(FILTERS) - {"bright"}


def test_the_last_of_several_shadows_is_shown_and_others_by_their_hash(
    tmp_path, outcomes, bundle, candidate, curves_only, filter_folder
) -> None:
    path = tmp_path / "out"
    make_run(path, outcomes[:1], bundle, candidate, filter_folder)
    (path / "checkpoint" / "boreal-stream-id").write_text("89abcdef")
    run = make_run(path, outcomes[1:2], bundle, curves_only, filter_folder)
    ours, theirs = (Bundle.load(each).sha256[:12] for each in (candidate, curves_only))
    first = bundle.sha256[:12]
    assert pairs_of(run) == [Pair(first, ours), Pair(first, theirs)]
    assert stored_shadow(run).pair.second == theirs
    chosen = stored_shadow(run, ours[:5])
    assert chosen.pair.second == ours
    assert report(chosen, None, ()).agreement.total.alerts == outcomes[0].annotations.num_rows
    with pytest.raises(WrongInputError, match=f"no shadow 000 ran in .*{ours}"):
        stored_shadow(run, "000")


def test_parts_that_the_ledger_has_not_got_are_not_counted(run, told) -> None:
    (file, *_) = sorted(run.shadow.glob("night=*/part-*.parquet"))
    stray = file.with_name(file.name.replace("-00000000", "-00000099").replace("-00000001", "-00000099"))
    stray.write_bytes(file.read_bytes())
    try:
        assert report(stored_shadow(run), None, ()).agreement.total.alerts == told["alerts"]
    finally:
        stray.unlink()


def test_failures_are_told_and_not_compared(annotations, candidate) -> None:
    def gone() -> Bundle:
        raise BundleError("<gone>")

    found = Agreement()
    failed = compare(annotations, ShadowModel(candidate, "0" * 64), gone)
    found.add(20260310, failed)
    assert (found.total.alerts, found.nights[20260310].failures) == (0, annotations.num_rows)
    assert found.reasons == {"BundleError: <gone>": annotations.num_rows}


def test_the_page_is_whole_in_itself_and_the_same_each_time(run, told) -> None:
    found = report(stored_shadow(run), annotations_at(run.path), kept_filters(run))
    page = render(found)
    assert page == render(found)
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    for part in (f"{told['alerts']}</b>", "supernovae", "SN Ia", "<svg", told["mostDifferent"][0]["alertId"]):
        assert part in page


def test_what_comes_from_alerts_is_escaped_on_the_page(run) -> None:
    found = report(stored_shadow(run), None, ())
    found.agreement.most[0]["objectId"] = "<script>alert(1)</script>"
    found.agreement.failures["ValueError: <b>"] = 1
    page = render(found)
    assert "<script" not in page
    assert "ValueError: &lt;b&gt;" in page


def test_a_page_of_nothing_but_failures(run) -> None:
    found = report(stored_shadow(run), None, ())
    object.__setattr__(found, "agreement", Agreement())
    assert "No alert has both answers." in render(found)


def test_the_command_prints_writes_and_gives_json(run, tmp_path, told) -> None:
    runner, page = CliRunner(), tmp_path / "page.html"
    printed = runner.invoke(app, ["shadow", "report", str(run.path), "--out", str(page)])
    assert printed.exit_code == 0, printed.output
    assert "What each filter would have sent" in printed.output
    assert page.read_text().startswith("<!DOCTYPE html>")
    as_data = runner.invoke(app, ["shadow", "report", str(run.path), "--json"])
    assert json.loads(as_data.stdout) == json.loads(json.dumps(told))
    no_page = runner.invoke(app, ["shadow", "report", str(run.path), "--out", str(tmp_path)])
    assert no_page.exit_code == 2


def test_a_run_without_a_shadow_is_told_so(tmp_path, outcomes) -> None:
    committer = Committer(RunDirectory(tmp_path), ())
    committer.commit(0, Harvest(outcomes[0]))
    with pytest.raises(WrongInputError, match=r"no shadow ran in .*; set `shadow: \{bundle: PATH\}`"):
        stored_shadow(committer.run)


def test_the_drift_of_a_night_is_seen(annotations, candidate) -> None:
    loaded = Bundle.load(candidate)
    found, rows = Agreement(), compare(annotations, ShadowModel(candidate, loaded.sha256), lambda: loaded)
    order = pa.array(np.argsort(np.asarray(rows["classId"])))
    half = rows.num_rows // 2
    for night, part in ((1, rows.take(order).slice(0, half)), (2, rows.take(order).slice(half))):
        found.add(night, part.drop_columns("row"))
    drifts = [each.first / each.first.sum() for each in found.nights.values()]
    assert 0.5 * np.abs(drifts[0] - drifts[1]).sum() > 0.2
