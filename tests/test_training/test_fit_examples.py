import numpy as np
import pytest

from features.extract import catalogue
from schemas.alerts import AlertBatch
from training.columns import concat, take
from training.ensemble import fold_of
from training.examples import Objects, make_examples
from training.simulate import simulate
from training.views import LOOK_BACK, make_views

NAMES = tuple(feature.name for feature in catalogue())


@pytest.fixture(scope="module")
def alerts() -> AlertBatch:
    return simulate(40, 5)[0]


@pytest.fixture(scope="module")
def objects(alerts) -> Objects:
    return Objects(alerts, np.arange(40) % 14, np.arange(40) // 2)


def test_every_view_shows_points_of_its_object(alerts):
    views = make_views(alerts, 20, np.random.default_rng(1))
    whole, seen = alerts.light_curves, views.given.curves
    assert set(views.objects) == set(range(40))
    assert (seen.lengths > 0).all()
    for k, owner in enumerate(views.objects):
        mine = set(whole.flux[whole.offsets[owner] : whole.offsets[owner + 1]])
        assert set(seen.flux[seen.offsets[k] : seen.offsets[k + 1]]) <= mine


def test_views_are_of_every_kind(alerts):
    views = make_views(alerts, 50, np.random.default_rng(1))
    seen = views.given.curves
    detections = np.bincount(seen.owner[seen.detected], minlength=len(seen))
    alone = np.mean(detections == seen.lengths)
    three = np.array([set(seen.band[seen.offsets[k] : seen.offsets[k + 1]]) <= {1, 2, 3} for k in range(len(seen))])
    early = seen.mjd[seen.offsets[:-1]] < np.nan_to_num(seen.first_detection, nan=np.inf) - LOOK_BACK
    assert 0.2 < alone < 0.6
    assert three.mean() > 0.1
    assert 0.1 < early.mean() < 0.4
    for column in (views.given.host_photoz, views.given.host_photoz_err, views.given.milky_way_ebv):
        assert 0.4 < np.isnan(column).mean() < 0.6
    np.testing.assert_array_equal(np.isnan(views.given.host_photoz), np.isnan(views.given.host_photoz_err))


def test_both_kinds_of_host_come_with_the_same_light_curves(alerts):
    given, hidden = (make_views(alerts, 3, np.random.default_rng(1), host) for host in ("with", "without"))
    assert given.given.curves.flux.tobytes() == hidden.given.curves.flux.tobytes()
    assert not np.isnan(given.given.host_photoz).any()
    assert np.isnan(hidden.given.host_photoz).all()
    assert np.isnan(hidden.given.milky_way_ebv).all()


def test_examples_are_the_same_for_the_same_seed(objects):
    one, other = (make_examples(objects, NAMES, 3, 7) for _ in range(2))
    assert one.sha256() == other.sha256()
    assert one.data.features.tobytes() == other.data.features.tobytes()
    assert make_examples(objects, NAMES, 3, 8).sha256() != one.sha256()
    assert set(one.labels[one.parents == 3]) == {6, 7}


def test_another_label_is_another_training_set(objects):
    labels = objects.labels.copy()
    labels[0] = (labels[0] + 1) % 14
    changed = Objects(objects.alerts, labels, objects.parents)
    assert make_examples(changed, NAMES, 1, 7).sha256() != make_examples(objects, NAMES, 1, 7).sha256()


def test_folds_never_part_a_parent(objects):
    examples = make_examples(objects, NAMES, 4, 7)
    folds = fold_of(examples.parents, 3, 1)
    assert all(len(set(folds[examples.parents == parent])) == 1 for parent in set(examples.parents))
    assert np.bincount(folds).min() > len(examples) / 5


def test_taking_and_joining_are_inverse(objects):
    given = make_examples(objects, NAMES, 2, 7).data.given
    n = len(given.curves)
    again = concat([take(given, np.arange(0, n // 3)), take(given, np.arange(n // 3, n))])
    for name in ("offsets", "mjd", "flux", "flux_err", "band", "detected"):
        np.testing.assert_array_equal(getattr(again.curves, name), getattr(given.curves, name))
    np.testing.assert_array_equal(again.host_photoz, given.host_photoz)


def test_rows_taken_twice_come_twice(objects):
    examples = make_examples(objects, NAMES, 1, 7)
    twice = examples.take(np.array([3, 3, 0]))
    np.testing.assert_array_equal(twice.labels, examples.labels[[3, 3, 0]])
    np.testing.assert_array_equal(twice.data.given.curves.lengths, examples.data.given.curves.lengths[[3, 3, 0]])
