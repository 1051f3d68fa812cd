"""Drift: the distance of the newest scores from a reference that stays, whatever the cut into micro-batches."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.metrics import memory
from broker.metrics.figures.scores import Scores, Sums, distance
from broker.pipeline import Outcome, process
from classifiers.bundle import Bundle
from classifiers.without import write_without
from schemas.packets import packets

shares = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(lambda v: {k: x / sum(v) for k, x in enumerate(v)})


@given(shares, shares, shares)
def test_the_distance_is_one(a, b, c):
    assert distance(a, a) == pytest.approx(0, abs=1e-7)
    assert distance(a, b) == distance(b, a)
    assert 0 <= distance(a, b) <= 1
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9


@given(shares, shares)
def test_it_is_scipy_s(a, b):
    from scipy.spatial.distance import jensenshannon

    with np.errstate(invalid="ignore"):  # the root of what rounding has made negative
        reference = np.nan_to_num(jensenshannon(list(a.values()), list(b.values()), base=2))
    assert distance(a, b) == pytest.approx(reference, abs=1e-6)


def test_classes_without_anything_in_common_are_as_far_apart_as_can_be():
    assert distance({1: 1.0}, {2: 1.0}) == 1.0


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_window_and_reference_hold_the_newest_and_the_first(sizes):
    scores = Scores()
    for k, size in enumerate(sizes):
        scores = scores.with_alerts(Sums(size, {0: float(size * k)}), window=100, reference=50)
    assert scores.window.alerts >= min(100, sum(sizes))
    assert scores.window.alerts <= 100 + 40 + 5  # what it holds beyond is less than its oldest piece
    assert len(scores.pieces) <= 2 + 100 / 5
    assert min(50, sum(sizes)) <= scores.reference.alerts < 50 + 40
    assert sum(piece.classes[0] for piece in scores.pieces) == scores.window.classes[0]


def test_there_is_no_drift_before_there_is_a_reference():
    few = Scores().with_alerts(Sums(5, {0: 5.0}), 10, 20)
    assert few.drift(20) is None
    enough = few.with_alerts(Sums(15, {0: 15.0}), 10, 20)
    assert enough.drift(20) == 0
    assert enough.with_alerts(Sums(10, {1: 10.0}), 10, 20).drift(20) == 1.0


def test_real_alerts_are_added_up_by_survey_and_class(watched: Callable[..., Any], outcomes: list[Outcome]) -> None:
    run = watched(drift_window=1000, drift_reference=5)
    for number, outcome in enumerate(outcomes):
        run.take(number, outcome)
    rows = [row for taken in run.taken for row in taken.written.annotations.to_pylist()]
    classified = [row for row in rows if row["notClassifiedReason"] is None]
    surveys = {row["survey"] for row in rows}
    assert surveys == {"lsst", "ztf"}
    means = run.series("boreal_score_mean")
    for survey in surveys:
        here = [row for row in classified if row["survey"] == survey]
        assert run.series("boreal_score_window_alerts")[survey,] == len(here)
        if not here:
            continue
        sn_ia = np.mean([row["pSNIa"] for row in here])
        assert means[survey, "SN Ia"] == pytest.approx(sn_ia)
        assert sum(mean for (s, _), mean in means.items() if s == survey) == pytest.approx(1)
        novel = sum(row["novelty"] > 1 for row in here)
        assert run.series("boreal_novel_alerts_total")[survey,] == novel
    assert "NotClassified" not in {name for _, name in means}
    assert any(0 <= drift < 1 for drift in run.series("boreal_score_drift").values())


def test_the_reference_outlives_a_restart_but_not_another_bundle(
    watched: Callable[..., Any], outcomes: list[Outcome]
) -> None:
    run = watched(drift_reference=3)
    run.take(0, outcomes[0])
    memory.save(run.state)
    again = watched(drift_reference=3)
    memory.restore(again.state)
    for name in ("boreal_score_reference", "boreal_score_mean", "boreal_score_drift"):
        assert again.series(name) == run.series(name) != {}
    other = watched(drift_reference=3)
    object.__setattr__(other.state.model, "sha256", "cd" * 32)
    memory.restore(other.state)
    assert other.series("boreal_score_reference") == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"format": 1, "scores": {"bundle": 3}, "nights": [], "batches": "x"}', "{}"]
)
def test_a_memory_that_is_damaged_is_forgotten(watched: Callable[..., Any], outcomes: list[Outcome], text: str) -> None:
    run = watched()
    run.run.metrics.write_text(text)
    memory.restore(run.state)
    run.take(0, outcomes[0])
    memory.save(run.state)
    assert json.loads(run.run.metrics.read_text())["format"] == memory.FORMAT


def test_no_novel_alert_is_counted_where_there_is_no_novelty(watched, bundle, sample_packets, registry, tmp_path):
    write_without(bundle.path, "recurrent", tmp_path / "left")
    run = watched()
    run.take(0, process(packets(sample_packets), registry, Bundle.load(tmp_path / "left")))
    assert run.series("boreal_score_window_alerts")
    assert not run.series("boreal_novel_alerts_total")
