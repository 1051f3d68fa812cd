"""What is said of an alert, against the members, the annotation and the packet without a point."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker.explanation.explained import Explained, explain
from broker.explanation.facts import facts
from broker.explanation.page import render
from broker.stored_alerts import alerts_of
from classifiers.bundle import Bundle
from classifiers.calibration import Cases, factors
from classifiers.member import MemberInput
from classifiers.predict import feature_array
from features.family import FeatureInput

VARIABLE = "lsst/v10_0_170112073309093904.avro"
SHORT = "lsst/v7_4_58804326654541836.avro"
ONE_POINT = "lsst/v9_0_396950876717139.avro"
LONG = "lsst/v10_0_170112044540887132.avro"


def row_of(annotations: pa.Table, origin: str) -> pa.Table:
    return annotations.filter(pc.equal(annotations["origin"], origin))


@pytest.fixture(scope="module", params=[VARIABLE, SHORT, LONG])
def asked(annotations, request) -> pa.Table:
    return row_of(annotations, request.param)


@pytest.fixture(scope="module")
def found(asked, knowing) -> Explained:
    return explain(asked, knowing)


def test_the_best_class_and_the_runner_up_are_told_as_the_annotation_has_them(asked, found):
    best = asked["classifications"][0].as_py()[:2]
    assert [(said.node.id, said.probability) for said in found.classes] == [
        (each["classId"], each["probability"]) for each in best
    ]


def test_each_member_says_its_own_probability_and_the_mean_follows_from_them(asked, found, knowing):
    given = MemberInput(feature_array(asked, knowing.feature_names), FeatureInput.from_alerts(alerts_of(asked)))
    answers = np.array([member.predict(given).probabilities[0] for member in knowing.members])
    weights = np.array([weight for _, weight in found.members])
    assert weights.sum() == pytest.approx(1)
    mean = np.exp(weights @ np.log(answers))
    calibration = knowing.manifest.calibration
    temperatures, biases = factors(Cases.of(given.given, calibration.days), calibration)
    assert found.temperature == temperatures[0]
    sharpened = mean ** (1 / found.temperature) * np.exp(biases[0])
    for said in found.classes:
        k = [node.id for node in knowing.classes].index(said.node.id)
        assert said.bias == biases[0, k]
        assert said.members == tuple(answers[:, k])
        assert said.mean == pytest.approx(mean[k] / mean.sum())
        assert said.probability == pytest.approx(sharpened[k] / sharpened.sum())


def test_features_are_those_of_the_annotation_the_strongest_first_and_add_up(asked, found):
    (row,) = asked.to_pylist()
    for said in found.classes:
        told = said.features
        assert told is not None
        assert told.base + sum(each.contribution for each in told.features) == pytest.approx(told.total, abs=1e-9)
        sizes = [abs(each.contribution) for each in told.features]
        assert sizes == sorted(sizes, reverse=True)
        for each in told.features:
            assert each.value == row[each.name]
            about = asked.schema.field(each.name).metadata
            assert (each.unit, each.meaning) == (about[b"unit"].decode(), about[b"meaning"].decode())


def test_the_nearest_objects_of_each_class_the_nearest_class_first(found, knowing):
    assert found.near is not None
    assert {near.node.id for near in found.near} == {
        knowing.classes[label].id for label in np.unique(knowing.neighbours.labels)
    }
    distances = [near.objects[0].distance for near in found.near]
    assert distances == sorted(distances)
    assert all(each.parent is None for near in found.near for each in near.objects)


def test_a_known_object_is_its_own_nearest(annotations, knowing):
    """Told by its latent, whatever the packet: the distance is 0 but for half precision."""
    from broker.explanation.nearest import nearest

    class Member:
        def __init__(self, latent):
            self.latent = latent

    known, novelty = knowing.neighbours, knowing.novelty
    latent = known.latent[0, 17].astype(np.float64) @ np.linalg.inv(novelty.whitening)
    given = FeatureInput.from_alerts(alerts_of(row_of(annotations, SHORT)))
    outputs = [Member(latent[None, :]) for _ in knowing.members]
    (first, *_) = nearest(outputs, given, knowing)
    assert first.objects[0].id == known.ids[17]
    assert first.node.id == knowing.classes[known.labels[17]].id
    assert first.objects[0].distance == pytest.approx(0, abs=1e-6)


def test_another_class_is_told_where_it_is_asked_for(annotations, knowing):
    kilonova = next(node for node in knowing.classes if node.name == "Kilonova")
    (said,) = explain(row_of(annotations, VARIABLE), knowing, [kilonova.id]).classes
    assert said.node == kilonova
    assert said.support is not None
    assert np.isfinite(said.support).any()


def test_an_only_point_says_nothing_and_the_rest_is_told(annotations, knowing):
    found = explain(row_of(annotations, ONE_POINT), knowing)
    assert all(np.isnan(said.support).all() for said in found.classes)
    assert all(said.features for said in found.classes)
    assert "NaN" not in json.dumps(facts(found, 3))


def test_json_has_every_point_and_so_many_features_that_add_up(found):
    told = facts(found, 5)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for each in told["classes"]:
        trees = each["trees"]
        shown = sum(feature["contribution"] for feature in trees["features"])
        assert len(trees["features"]) == 5
        assert trees["base"] + shown + trees["otherFeatures"] == pytest.approx(trees["total"], abs=1e-9)
        points = each["points"]
        assert [point["mjd"] for point in points] == [point["mjd"] for point in found.alert["lightCurve"]]
        assert sum(point["support"] is not None for point in points) == min(64, len(points))


def test_the_page_is_whole_the_same_each_time_and_escapes_what_the_packet_says(found):
    page = render(found, 12)
    assert page == render(found, 12)
    assert page.count("<svg") == 4
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    evil = replace(found, alert={**found.alert, "objectId": "<script>alert(1)</script>"})
    assert "<script>" not in render(evil, 12)


def test_a_bundle_of_one_member_tells_what_it_has(annotations, bundle: Bundle):
    kinds = [entry.kind for entry in bundle.manifest.members]
    assert kinds[:2] == ["trees", "recurrent"]
    row = row_of(annotations, SHORT)
    for kind in ("trees", "recurrent"):
        k = kinds.index(kind)
        entry = bundle.manifest.members[k]
        novelty = bundle.manifest.novelty.model_copy(update={"member": 0})
        manifest = bundle.manifest.model_copy(update={"members": (entry,), "novelty": novelty, "neighbours": None})
        found = explain(row, replace(bundle, manifest=manifest, members=(bundle.members[k],)))
        assert found.near is None
        assert [each for each, _ in found.members] == [kind]
        assert all((said.features is None) == (kind == "recurrent") for said in found.classes)
        assert all((said.support is None) == (kind == "trees") for said in found.classes)
        assert "keeps no known objects" in render(found, 12)
