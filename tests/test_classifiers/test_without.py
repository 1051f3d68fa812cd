"""A bundle without one of its members: it loads, says so, and answers as the others do."""

import json
import shutil

import numpy as np
import pytest

from classifiers.bundle import MANIFEST, Bundle, BundleError, bundle_sha256, read_manifest
from classifiers.member import MemberInput
from classifiers.predict import answers, predict, settle
from classifiers.without import write_without
from features.extract import extract, feature_matrix
from features.family import FeatureInput

LENGTHS = [1, 2, 5, 0, 17, 33, 64, 129] * 3


@pytest.fixture(scope="module")
def kinds(bundle):
    return [entry.kind for entry in bundle.manifest.members]


@pytest.fixture(scope="module")
def without(bundle, tmp_path_factory):
    """Writes a bundle without the members of these kinds, one after the other, and loads it."""

    def load(*removed):
        path = bundle.path
        for kind in removed:
            out = tmp_path_factory.mktemp("without") / "bundle"
            write_without(path, kind, out)
            path = out
        return Bundle.load(path)

    return load


@pytest.fixture(scope="module")
def alerts(random_alerts):
    return random_alerts(LENGTHS, seed=8)


def asked(alerts, bundle):
    return predict(alerts, extract(alerts, bundle.feature_names), bundle)


def test_without_each_member_it_loads_and_says_so(without, bundle, kinds):
    for kind in kinds:
        left = without(kind)
        manifest = left.manifest
        assert [entry.kind for entry in manifest.members] == [each for each in kinds if each != kind]
        assert sum(entry.weight for entry in manifest.members) == pytest.approx(1, abs=1e-5)
        assert manifest.removed == (kind,)
        assert manifest.lacks.startswith(f"without its member {kind}")
        assert not manifest.scores
        assert manifest.calibration == bundle.manifest.calibration
        assert manifest.version != bundle.version
        assert set(manifest.files) == manifest.needed_files == {p.name for p in left.path.iterdir()} - {MANIFEST}
        assert left.sha256 != bundle.sha256


def test_it_answers_as_the_others_do(without, bundle, kinds, random_alerts):
    given = FeatureInput.from_alerts(random_alerts([1, 2, 9, 40, 80]))
    given = MemberInput(feature_matrix(given, bundle.feature_names), given)
    outputs = answers(given, bundle)
    for kind in kinds:
        left = without(kind)
        expected = [output for output, each in zip(outputs, kinds, strict=True) if each != kind]
        probabilities, _ = settle(expected, given, left)
        found, _ = settle(answers(given, left), given, left)
        assert found.tobytes() == probabilities.tobytes()
        assert not np.allclose(found, settle(outputs, given, bundle)[0])


def test_without_the_recurrent_member_there_is_no_novelty_and_nothing_fails(without, bundle, alerts):
    left = without("recurrent")
    assert left.novelty is left.manifest.novelty is None
    assert left.manifest.lacks == "without its member recurrent: no novelty"
    answer = asked(alerts, left)
    assert np.isnan(answer.novelty).all()
    assert not answer.has_novelty
    assert not answer.failed.any()
    np.testing.assert_array_equal(answer.classified, asked(alerts, bundle).classified)


def test_a_probability_that_is_no_number_is_told_without_novelty_too(without, alerts):
    left = without("recurrent")
    whole = asked(alerts, left)
    whole.probabilities[2] = np.nan
    assert whole.failed.tolist() == [k == 2 for k in range(len(alerts))]


def test_without_another_member_the_novelty_is_the_same_to_the_bit(without, bundle, alerts):
    left = without("trees")
    assert asked(alerts, left).novelty.tobytes() == asked(alerts, bundle).novelty.tobytes()


def test_members_go_one_after_the_other_but_not_the_last(without, kinds, tmp_path):
    *gone, last = kinds
    left = without(*gone)
    assert left.manifest.removed == tuple(gone)
    assert left.manifest.members[0].weight == 1
    with pytest.raises(BundleError, match="one member at least"):
        write_without(left.path, last, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_is_told(bundle, tmp_path):
    with pytest.raises(BundleError, match=r"recurrent or .*trees, found 'oracle'; give one of them"):
        write_without(bundle.path, "oracle", tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").touch()
    for taken in (tmp_path / "full", tmp_path / "full" / "notes.txt"):
        with pytest.raises(BundleError, match="give another one"):
            write_without(bundle.path, "trees", taken)
    (tmp_path / "empty").mkdir()
    assert write_without(bundle.path, "trees", tmp_path / "empty").removed == ("trees",)


def edited(bundle, path, edit):
    """A copy of the bundle with its manifest changed by hand."""
    shutil.copytree(bundle.path, path)
    content = json.loads((path / MANIFEST).read_text())
    edit(content)
    (path / MANIFEST).write_text(json.dumps(content))
    return path


def test_a_member_that_is_taken_out_by_hand_is_gone_likewise(bundle, without, alerts, tmp_path):
    def edit(content):
        (gone,) = [member for member in content["members"] if member["kind"] == "recurrent"]
        content["members"].remove(gone)
        for name in (*gone["files"], content.pop("novelty")["file"]):
            del content["files"][name]
            (tmp_path / "by-hand" / name).unlink()

    left = Bundle.load(edited(bundle, tmp_path / "by-hand", edit))
    assert left.manifest.lacks == "no novelty"
    weights = np.array([entry.weight for entry in left.manifest.members])
    proper = without("recurrent")
    np.testing.assert_allclose(weights / weights.sum(), [entry.weight for entry in proper.manifest.members], atol=1e-6)
    assert np.isnan(asked(alerts, left).novelty).all()
    np.testing.assert_allclose(asked(alerts, left).probabilities, asked(alerts, proper).probabilities, atol=1e-6)


def test_novelty_that_would_read_another_member_is_refused(bundle, kinds, tmp_path):
    def edit(content):
        content["novelty"]["member"] = kinds.index("trees")

    with pytest.raises(BundleError, match=r"has a latent, found member \d, of kind 'trees'; .* null"):
        Bundle.load(edited(bundle, tmp_path / "copy", edit))


def test_a_member_that_is_there_and_removed_is_refused(bundle, tmp_path):
    path = edited(bundle, tmp_path / "copy", lambda content: content.update(removed=["trees"]))
    with pytest.raises(BundleError, match="removed names trees, and members has it too"):
        read_manifest(path)


def test_a_whole_bundle_lacks_nothing_and_writes_nothing_of_it(bundle):
    assert bundle.manifest.lacks == ""
    assert "removed" not in bundle.manifest.model_dump(mode="json")
    assert bundle_sha256(bundle.manifest.model_copy(update={"removed": ("x",)})) != bundle.sha256
