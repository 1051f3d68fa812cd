"""`boreal model compare`: the same light curves, differences, and pairs of objects."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from broker.commands import app
from broker.model_report.comparison import SCORES, compare, paired

pytestmark = pytest.mark.slow


def run(*words):
    return CliRunner().invoke(app, ["model", "compare", *map(str, words)], env={"COLUMNS": "200", "TERM": "dumb"})


def write(path, evaluation):
    path.write_text(evaluation.model_dump_json())
    return path


def test_pairs_by_hand():
    nan = np.nan
    found = paired(np.array([[1.0, 3.0], [nan, 4.0], [nan, nan], [0.0, nan]]))
    assert (found.objects, found.mean) == (3, 2.0)
    assert found.error == pytest.approx(np.std([2, 4, 0], ddof=1) / np.sqrt(3))
    assert paired(np.array([[1.5]])).error is None


def test_a_bundle_is_no_better_than_itself(evaluation):
    found = compare(evaluation, evaluation)
    assert not found.apart
    assert {row.host for row in found.rows} == {"with", "without"}
    for row in found.rows:
        assert row.paired.mean == 0
        assert row.paired.error in (0, None)
        assert all(row.difference(score) in (0, None) for score in SCORES)


def test_another_bundle_differs_by_what_its_objects_differ(evaluation, blunter):
    found = compare(evaluation, blunter)
    assert len(found.rows) == sum(1 + len(sample.answers[0].ages) for sample in evaluation.samples)
    for row in found.rows:
        first, second = (
            next(sample for sample in each.samples if sample.host == row.host) for each in (evaluation, blunter)
        )
        pairs = []
        for a, b in zip(first.losses.nll, second.losses.nll, strict=True):
            ages = range(len(a)) if row.days == "all" else [evaluation.ages.index(float(row.days))]
            known = [b[k] - a[k] for k in ages if a[k] is not None]
            if known:
                pairs.append(sum(known) / len(known))
        assert row.paired.objects == len(pairs)
        assert row.paired.mean == pytest.approx(np.mean(pairs))
        if row.days != "all":
            assert row.paired.mean == pytest.approx(row.difference("nll"), abs=2e-4)
    assert any(abs(row.paired.mean) > 0.01 for row in found.rows)


def test_the_command_prints_tables_and_json(evaluation, blunter, tmp_path):
    files = [write(tmp_path / f"{k}.json", each) for k, each in enumerate((evaluation, blunter))]
    shown = run(*files)
    assert shown.exit_code == 0
    assert "blunter beside" in " ".join(shown.output.split())
    assert "not comparable" not in shown.output
    told = json.loads(run(*files, "--json").output)
    assert told["second"]["version"] == "blunter"
    first = told["groups"][0]
    nll = first["scores"]["nll"]
    assert nll["difference"] == pytest.approx(nll["second"] - nll["first"])
    assert first["paired"]["objects"] == evaluation.samples[0].answers[0].all_ages.figures.objects
    assert told["notComparable"] == []


def test_other_light_curves_are_told_apart_with_what_to_do(evaluation, tmp_path):
    changed = evaluation.samples[0].model_copy(update={"examples_sha256": "0" * 64})
    one = evaluation.model_copy(update={"samples": (changed, evaluation.samples[1])})
    both = evaluation.model_copy(update={"samples": (changed,)})
    first = write(tmp_path / "first.json", evaluation)
    shown = run(first, write(tmp_path / "one.json", one))
    assert shown.exit_code == 0
    assert "not comparable: PLAsTiCC" in shown.output
    assert "boreal-train evaluate" in shown.output
    refused = run(first, write(tmp_path / "both.json", both))
    assert refused.exit_code == 2
    assert "no light curves in common" in refused.stderr
    assert "boreal-train evaluate" in refused.stderr
