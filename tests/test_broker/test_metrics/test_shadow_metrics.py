"""What metrics tell of a shadow: the ledger's totals, and both bundles on the newest alerts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.harvest import Harvest
from broker.metrics.figures.shadow import Sums, with_piece
from broker.pipeline import Outcome
from broker.shadow.model import ShadowModel
from broker.shadow.score import compare
from classifiers.bundle import Bundle

OTHER = "cd" * 32


@pytest.fixture(scope="session")
def flatter(bundle: Bundle) -> Bundle:
    """The shipped bundle, calibrated otherwise, in memory alone."""
    calibration = bundle.manifest.calibration.model_copy(update={"temperatures": (((3.0,) * 3,) * 2,) * 5})
    return Bundle(
        bundle.path, bundle.manifest.model_copy(update={"calibration": calibration}), bundle.members, bundle.novelty
    )


@pytest.fixture
def beside(watched: Callable[..., Any], outcomes: list[Outcome], bundle: Bundle, flatter: Bundle) -> Callable[..., Any]:
    """A watched run that has taken in all real packets with a shadow; its window is as given."""

    def make(window: int = 5000) -> Any:
        made = watched(drift_window=window)
        shadow = ShadowModel(bundle.path, flatter.sha256)
        made.state.model = replace(made.state.model, shadow=shadow)
        for number, outcome in enumerate(outcomes):
            found = compare(outcome.annotations, shadow, lambda: flatter)
            made.committer.commit(number, Harvest(outcome, shadow=found, seconds={"shadow": 0.25}))
        return made

    return make


def compared(made: Any) -> pa.Table:
    return pa.concat_tables([taken.written.shadow for taken in made.taken])


def test_totals_are_the_ledger_s(beside, flatter) -> None:
    made, name = beside(), (flatter.sha256[:12],)
    rows = compared(made)
    assert made.series("boreal_shadow_info") == {name: 1}
    assert made.series("boreal_shadow_alerts_total") == {name: rows.num_rows}
    assert made.series("boreal_shadow_failures_total") == {name: 0}
    same = pc.sum(pc.equal(rows["classId"], rows["shadowClassId"])).as_py()
    assert made.series("boreal_shadow_same_total") == {name: same}
    assert made.series("boreal_shadow_seconds_total") == {(): pytest.approx(0.25 * len(made.taken))}


def test_the_newest_alerts_are_told_by_survey(beside) -> None:
    made = beside()
    rows = compared(made)
    for survey in ("lsst", "ztf"):
        ours = rows.filter(pc.equal(rows["survey"], survey))
        assert made.series("boreal_shadow_window_alerts")[survey,] == ours.num_rows
        distance = pc.mean(ours["distance"]).as_py()
        assert made.series("boreal_shadow_distance")[survey,] == pytest.approx(distance)
        agreement = pc.mean(pc.equal(ours["classId"], ours["shadowClassId"]).cast(pa.float64())).as_py()
        assert made.series("boreal_shadow_agreement")[survey,] == pytest.approx(agreement)
    assert distance > 0


def test_mean_probabilities_are_those_of_either_bundle(beside) -> None:
    made = beside()
    means = made.series("boreal_shadow_score_mean")
    first = [value for (survey, _, model), value in means.items() if (survey, model) == ("ztf", "first")]
    second = [value for (survey, _, model), value in means.items() if (survey, model) == ("ztf", "shadow")]
    assert sum(first) == pytest.approx(1)
    assert sum(second) == pytest.approx(1)
    assert max(first) > max(second)  # the shadow's temperature makes it less certain


def test_without_a_shadow_nothing_is_told(watched, outcomes) -> None:
    made = watched()
    made.take(0, outcomes[0])
    for name in ("info", "alerts_total", "failures_total", "seconds_total", "agreement", "score_mean"):
        assert made.series(f"boreal_shadow_{name}") == {}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_the_window_holds_the_newest(sizes) -> None:
    pieces: tuple[Sums, ...] = ()
    for size in sizes:
        pieces = with_piece(pieces, Sums(size, 0, float(size)), window=100)
    total = sum(pieces, Sums())
    assert min(100, sum(sizes)) <= total.alerts <= 100 + 40 + 5
    assert total.distance == total.alerts
    np.testing.assert_array_equal(total.first, 0)
