"""What a shadow says of annotated alerts, and that nothing it does touches them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker.pipeline import process, rescore
from broker.shadow.model import ShadowModel
from broker.shadow.probabilities import by_class, without_names
from broker.shadow.rows import COMPARED, SHADOW, moved, of_rows, with_seconds
from broker.shadow.score import ANSWER, CALLS, compare
from classifiers.bundle import Bundle
from classifiers.member import Member, MemberInput, MemberOutput
from classifiers.taxonomy import NOT_CLASSIFIED
from schemas.packets import packets

loaded_from = cache(Bundle.load)


def model_of(path: Path, fraction: float = 1.0) -> ShadowModel:
    return ShadowModel(path, loaded_from(path).sha256, fraction)


def compared(annotations: pa.Table, path: Path, fraction: float = 1.0) -> pa.Table:
    return compare(annotations, model_of(path, fraction), lambda: loaded_from(path))


def answers(annotations: pa.Table) -> pa.Table:
    """The columns of a shadow's answer, of annotations that its bundle made itself."""
    lists = pa.chunked_array([without_names(annotations["classifications"])])
    columns = [lists if name == "classifications" else annotations[name] for name in ANSWER.values()]
    return pa.table(columns, names=list(ANSWER)).combine_chunks()


def test_it_says_what_its_bundle_would_have_said_as_the_run_s_own(
    sample_packets, registry, candidate, annotations
) -> None:
    alone = process(packets(sample_packets), registry, loaded_from(candidate)).annotations
    found = compared(annotations.slice(0, alone.num_rows), candidate)
    assert found.select(list(ANSWER)).to_pylist() == answers(alone).to_pylist()


def test_features_that_the_first_bundle_does_not_read_are_computed(
    sample_packets, registry, bundle, curves_only
) -> None:
    first = process(packets(sample_packets), registry, loaded_from(curves_only)).annotations
    whole = process(packets(sample_packets), registry, bundle).annotations
    assert "flux_max_r" not in first.column_names
    found = compared(first, bundle.path)
    assert found.select(list(ANSWER)).to_pylist() == answers(whole).to_pylist()


def test_alerts_scored_anew_from_a_table_are_compared_likewise(annotations, bundle, candidate) -> None:
    again = rescore(annotations, bundle).annotations
    assert compared(again, candidate).equals(compared(annotations, candidate))


def test_a_row_depends_on_its_own_alert_only(annotations, candidate) -> None:
    whole = compared(annotations, candidate)
    shuffled = np.random.default_rng(0).permutation(annotations.num_rows)
    mixed = compared(annotations.take(pa.array(shuffled)), candidate)
    alone = pa.concat_tables([moved(compared(annotations.slice(k, 1), candidate), k) for k in shuffled])
    expected = whole.take(pa.array(shuffled)).drop_columns("row").combine_chunks()
    assert mixed.drop_columns("row").combine_chunks().equals(expected)
    assert alone.drop_columns("row").combine_chunks().equals(expected)


def test_both_answers_and_their_distance_stand_beside_each_other(annotations, candidate, bundle) -> None:
    found = compared(annotations, candidate)
    assert found.schema.equals(SHADOW)
    assert found["row"].to_pylist() == list(range(annotations.num_rows))
    for name in ("survey", "alertId", "objectId", "night", "classId", "probability", "novelty", "nDetections"):
        assert found[name].equals(annotations[name])
    assert set(found["bundleSha256"].to_pylist()) == {bundle.sha256}
    assert set(found["shadowBundleSha256"].to_pylist()) == {loaded_from(candidate).sha256}
    first, second = (by_class(found[name]) for name in ("classifications", "shadowClassifications"))
    np.testing.assert_allclose(first.sum(axis=1), 1)
    np.testing.assert_allclose(second.sum(axis=1), 1)
    np.testing.assert_array_equal(found["distance"], np.minimum(0.5 * np.abs(first - second).sum(axis=1), 1))
    assert 0 < pc.mean(found["distance"]).as_py() < 1


def test_what_is_not_classified_is_so_for_both(annotations, bundle, candidate) -> None:
    at = annotations.schema.get_field_index("isSolarSystem")
    asteroids = annotations.set_column(at, annotations.schema.field(at), pa.array([True] * annotations.num_rows))
    row = compared(rescore(asteroids, bundle).annotations, candidate).to_pylist()[0]
    assert (row["classId"], row["shadowClassId"], row["shadowProbability"]) == (NOT_CLASSIFIED, NOT_CLASSIFIED, 1.0)
    assert (row["distance"], row["shadowNovelty"], row["failure"]) == (0.0, None, None)


def test_the_alerts_are_left_as_they_are(annotations, candidate) -> None:
    before = annotations.slice(0).combine_chunks()
    compared(annotations, candidate)
    assert annotations.combine_chunks().equals(before)


class FragileError(Exception):
    """What a member may raise."""


def fragile(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, bad: set[float], made: Callable[..., MemberOutput]
) -> None:
    """Let the trees do this with calls that hold an alert whose first feature is in `bad`."""
    kind = type(bundle.members[0])
    predict = kind.predict

    def broken(self: Member, given: MemberInput) -> MemberOutput:
        bitten = np.isin(given.features[:, 0], list(bad))
        return made(lambda: predict(self, given), bitten) if bitten.any() else predict(self, given)

    monkeypatch.setattr(kind, "predict", broken)


def first_feature(annotations: pa.Table, bundle: Bundle, row: int) -> np.float32:
    return np.float32(annotations[bundle.feature_names[0]][row].as_py())


@pytest.mark.parametrize("error", [FragileError("no such luck"), SystemError("native"), MemoryError()])
def test_a_failure_on_one_alert_is_that_alert_s_alone(annotations, candidate, monkeypatch, error) -> None:
    loaded, whole = loaded_from(candidate), compared(annotations, candidate)
    poison = first_feature(annotations, loaded, 3)

    def fail(*_):
        raise error

    fragile(loaded, monkeypatch, {poison}, fail)
    found = compare(annotations, model_of(candidate), lambda: loaded)
    bad = [k for k, reason in enumerate(found["failure"].to_pylist()) if reason]
    assert bad == [k for k in range(found.num_rows) if first_feature(annotations, loaded, k) == poison]
    assert found["failure"][3].as_py() == f"{type(error).__name__}: {error}"
    assert {found[name][3].as_py() for name in ("shadowClassId", "shadowProbability", "distance")} == {None}
    good = pa.array([k for k in range(found.num_rows) if k not in bad])
    assert found.take(good).equals(whole.take(good))


def test_what_is_no_number_is_that_alert_s_failure_without_another_call(annotations, candidate, monkeypatch) -> None:
    loaded, whole = loaded_from(candidate), compared(annotations, candidate)
    calls = []

    def not_a_number(predict, bitten):
        calls.append(bitten)
        output = predict()
        output.probabilities[bitten] = np.nan
        return output

    fragile(loaded, monkeypatch, {first_feature(annotations, loaded, 3)}, not_a_number)
    found = compare(annotations, model_of(candidate), lambda: loaded)
    assert len(calls) == 1
    assert found["failure"][3].as_py() == "a probability or the novelty isn't a finite number"
    assert found["shadowClassifications"][3].as_py() is None
    good = pa.array(np.flatnonzero(found["failure"].is_null()))
    assert found.take(good).equals(whole.take(good))


def test_a_model_that_always_fails_is_not_asked_for_every_alert(annotations, candidate, monkeypatch) -> None:
    calls = []

    def fail(*_):
        calls.append(1)
        raise FragileError

    many = pa.concat_tables([annotations] * 8)
    monkeypatch.setattr("broker.shadow.score.predict_some", fail)
    found = compare(many, model_of(candidate), lambda: loaded_from(candidate))
    assert len(calls) <= CALLS
    assert found["failure"].null_count == 0
    assert found["row"].to_pylist() == list(range(many.num_rows))


def test_being_interrupted_is_no_failure_of_the_shadow(annotations, candidate) -> None:
    def load():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(annotations, model_of(candidate), load)


def test_a_bundle_that_is_gone_or_another_by_now_fails_on_every_alert(annotations, candidate, curves_only) -> None:
    gone = compare(annotations, model_of(candidate), lambda: Bundle.load(candidate / "gone"))
    other = compare(annotations, model_of(candidate), lambda: loaded_from(curves_only))
    assert all("expected a bundle directory" in reason for reason in gone["failure"].to_pylist())
    assert all("as at the start of the run" in reason for reason in other["failure"].to_pylist())
    assert gone["classifications"].equals(compared(annotations, candidate)["classifications"])


def test_a_share_of_the_alerts_has_the_answers_of_all(annotations, candidate) -> None:
    whole, part = compared(annotations, candidate), compared(annotations, candidate, fraction=0.5)
    assert 0 < part.num_rows < whole.num_rows
    assert part.equals(whole.take(part["row"]))


def test_no_alerts_give_no_rows(annotations, candidate) -> None:
    assert compared(annotations.slice(0, 0), candidate).equals(SHADOW.empty_table())


def test_rows_are_found_again_in_the_order_of_the_annotations_that_are_kept(annotations, candidate) -> None:
    whole = compared(annotations, candidate)
    kept = of_rows(whole, np.array([5, 2, 9]))
    assert kept.schema.equals(COMPARED)
    assert kept["alertId"].to_pylist() == [annotations["alertId"][k].as_py() for k in (5, 2, 9)]
    assert of_rows(whole.take(pa.array([9, 1])), np.array([5, 2, 9]))["alertId"].to_pylist() == [
        annotations["alertId"][9].as_py()
    ]


def test_time_is_shared_equally(annotations, candidate) -> None:
    found = with_seconds(compared(annotations, candidate), 2.0)
    assert found["seconds"].to_pylist() == pytest.approx([2.0 / annotations.num_rows] * annotations.num_rows)
    assert with_seconds(SHADOW.empty_table(), 1.0).num_rows == 0
