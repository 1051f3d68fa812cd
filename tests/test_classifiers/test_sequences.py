import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.sequences import MAX_POINTS, OBJECT_INPUTS, POINT_INPUTS, sequences, thin
from features.family import FeatureInput
from schemas.alerts import LightCurves


def pattern(*detected: list[bool]) -> LightCurves:
    flags = np.concatenate([np.asarray(item, bool) for item in detected])
    n = len(flags)
    return LightCurves(
        np.concatenate([[0], np.cumsum([len(item) for item in detected])]),
        np.arange(n, dtype=float),
        np.arange(n, dtype=float),
        np.ones(n),
        np.zeros(n, np.uint8),
        flags,
    )


@given(st.lists(st.lists(st.booleans(), max_size=40), min_size=1, max_size=6), st.integers(1, 20))
def test_thinning_keeps_what_it_says(objects, most):
    curves = pattern(*objects)
    kept = thin(curves, most)
    for k, flags in enumerate(objects):
        own = slice(kept.offsets[k], kept.offsets[k + 1])
        assert kept.lengths[k] == min(len(flags), most)
        assert kept.detected[own].sum() == min(sum(flags), most)
        assert (np.diff(kept.mjd[own]) > 0).all()
        detections = curves.mjd[curves.offsets[k] : curves.offsets[k + 1]][np.asarray(flags, bool)]
        if len(detections):
            assert kept.mjd[own][kept.detected[own]][-1] == detections[-1]


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=40), min_size=1, max_size=6), st.integers(1, 20))
def test_thinning_an_object_does_not_depend_on_the_others(objects, most):
    together = thin(pattern(*objects), most)
    for k, flags in enumerate(objects):
        alone = thin(pattern(flags), most)
        own = slice(together.offsets[k], together.offsets[k + 1])
        np.testing.assert_array_equal(together.mjd[own] - pattern(*objects).offsets[k], alone.mjd)


@given(st.lists(st.lists(st.booleans(), max_size=99), min_size=1, max_size=4), st.integers(1, 70))
def test_thinning_keeps_the_ranks_that_the_rule_says(objects, most):
    curves = pattern(*objects)
    expected = []
    for k, flags in enumerate(objects):
        n_detected = min(sum(flags), most)
        for kind, share in ((True, n_detected), (False, min(flags.count(False), most - n_detected))):
            own = curves.offsets[k] + np.flatnonzero(np.array(flags, bool) == kind)
            rank = np.arange(len(own))
            expected += own[(rank + 1) * share // max(len(own), 1) > rank * share // max(len(own), 1)].tolist()
    assert thin(curves, most).mjd.tolist() == sorted(expected)


def test_thinning_is_even():
    kept = thin(pattern([False] * 100), 10)
    np.testing.assert_array_equal(np.diff(kept.mjd), np.full(9, 10.0))


def test_inputs_are_finite_whatever_is_known(random_alerts):
    made = sequences(FeatureInput.from_alerts(random_alerts([1, 2, 17, 64, 65, 400])))
    assert np.isfinite(made.points).all()
    assert np.isfinite(made.objects).all()
    assert made.points.shape[1] == len(POINT_INPUTS)
    assert made.objects.shape == (6, len(OBJECT_INPUTS))
    np.testing.assert_array_equal(made.lengths, [1, 2, 17, 64, MAX_POINTS, MAX_POINTS])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=30), st.integers(0, 99), st.randoms(use_true_random=False))
def test_inputs_of_an_object_do_not_depend_on_the_others(random_alerts, lengths, seed, random):
    alerts = random_alerts(lengths, seed)
    order = np.array(random.sample(range(len(lengths)), len(lengths)))
    whole, mixed = (sequences(FeatureInput.from_alerts(batch)) for batch in (alerts, alerts.take(order)))
    for place, k in enumerate(order):
        assert whole.objects[k].tobytes() == mixed.objects[place].tobytes()
        here = whole.points[whole.offsets[k] : whole.offsets[k + 1]]
        assert here.tobytes() == mixed.points[mixed.offsets[place] : mixed.offsets[place + 1]].tobytes()


def test_the_photoz_changes_rest_frame_inputs_alone(random_alerts):
    given = FeatureInput.from_alerts(random_alerts([20]))
    near, unknown = (
        sequences(FeatureInput(given.curves, np.array([z]), np.array([0.1]), given.milky_way_ebv))
        for z in (0.3, np.nan)
    )
    rest = [name.startswith("log_rest") for name in POINT_INPUTS]
    assert (unknown.points[:, rest] == 0).all()
    assert near.points[:, rest].any()
    np.testing.assert_array_equal(near.points[:, ~np.array(rest)], unknown.points[:, ~np.array(rest)])


def test_a_block_holds_its_objects_and_zeros(random_alerts):
    made = sequences(FeatureInput.from_alerts(random_alerts([3, 7, 5])))
    points, mask, last, objects = made.block(np.array([2, 0]), n_steps=8, n_rows=4)
    assert points.shape == (8, 4, len(POINT_INPUTS))
    np.testing.assert_array_equal(mask[:, :, 0].sum(axis=0), [5, 3, 0, 0])
    np.testing.assert_array_equal(np.argmax(last[:, :2, 0], axis=0), [4, 2])
    assert last.sum() == 2
    np.testing.assert_array_equal(points[:5, 0], made.points[made.offsets[2] : made.offsets[3]])
    np.testing.assert_array_equal(objects[:2], made.objects[[2, 0]])
    assert not points[5:, 0].any()
    assert not points[:, 2:].any()
    assert not objects[2:].any()


def test_an_object_without_points_is_told(random_alerts):
    with pytest.raises(ValueError, match="without points"):
        sequences(FeatureInput.from_alerts(random_alerts([3, 0])))
