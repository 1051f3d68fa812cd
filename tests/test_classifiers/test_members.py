"""The contract of every kind of member, on the members of the shipped bundle."""

import numpy as np
import pytest

from classifiers.member import MemberInput, MemberKind
from classifiers.members import discover
from features.extract import feature_matrix
from features.family import FeatureInput

LENGTHS = [1, 2, 3, 5, 8, 9, 16, 17, 31, 32, 33, 63, 64, 65, 300] * 7
KINDS = sorted(discover())


@pytest.fixture(scope="module", params=KINDS)
def member(request, bundle):
    for entry, loaded in zip(bundle.manifest.members, bundle.members, strict=True):
        if entry.kind == request.param:
            return loaded
    pytest.fail(f"no shipped bundle has a member of kind {request.param!r} to test")


@pytest.fixture(scope="module")
def ask(member, bundle, random_alerts):
    alerts = random_alerts(LENGTHS)

    def answer(rows):
        given = FeatureInput.from_alerts(alerts.take(np.asarray(rows, np.int64)))
        return member.predict(MemberInput(feature_matrix(given, bundle.feature_names), given))

    return answer


def same(one, other, rows):
    if one.probabilities[rows].tobytes() != other.probabilities.tobytes():
        return False
    return one.latent is None or one.latent[rows].tobytes() == other.latent.tobytes()


def test_kinds_are_found_under_their_own_names():
    assert {"trees", "recurrent"} <= set(KINDS)
    assert all(isinstance(kind, MemberKind) and kind.name == name for name, kind in discover().items())


def test_rows_are_probabilities(ask, bundle):
    answer = ask(range(len(LENGTHS)))
    assert answer.probabilities.shape == (len(LENGTHS), len(bundle.classes))
    assert answer.probabilities.dtype == np.float64
    assert (answer.probabilities >= 0).all()
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, atol=1e-12)
    assert answer.latent is None or np.isfinite(answer.latent).all()


def test_answers_differ_between_light_curves(ask):
    assert np.unique(ask(range(len(LENGTHS))).probabilities, axis=0).shape[0] > len(LENGTHS) / 2


@pytest.mark.parametrize("seed", range(3))
def test_a_permutation_changes_no_bit(ask, seed):
    rows = np.random.default_rng(seed).permutation(len(LENGTHS))
    assert same(ask(range(len(LENGTHS))), ask(rows), rows)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 32, 33, 50, 104])
def test_a_split_changes_no_bit(ask, size):
    whole = ask(range(len(LENGTHS)))
    for start in range(0, len(LENGTHS), size):
        rows = np.arange(start, min(start + size, len(LENGTHS)))
        assert same(whole, ask(rows), rows)


def test_repeated_company_changes_no_bit(ask):
    rows = np.array([4] * 100 + [11])
    assert same(ask(range(len(LENGTHS))), ask(rows), rows)


def test_no_light_curve_is_no_answer(ask, bundle):
    assert ask([]).probabilities.shape == (0, len(bundle.classes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [b"", b"tree\nnothing of the kind\n", bytes(range(256))])
def test_a_file_of_something_else_is_a_value_error(kind, content, bundle, tmp_path):
    entry = next(entry for entry in bundle.manifest.members if entry.kind == kind)
    for name in entry.files:
        (tmp_path / name).write_bytes(content)
    settings = {**entry.settings, "n_features": len(bundle.feature_names), "n_classes": len(bundle.classes)}
    with pytest.raises(ValueError, match="|".join(entry.files)):
        discover()[kind].load(tmp_path, settings)


@pytest.mark.parametrize("kind", KINDS)
def test_another_number_of_classes_is_a_value_error(kind, bundle):
    entry = next(entry for entry in bundle.manifest.members if entry.kind == kind)
    settings = {**entry.settings, "n_features": len(bundle.feature_names), "n_classes": 3}
    with pytest.raises(ValueError, match="classes"):
        discover()[kind].load(bundle.path, settings)


def test_a_network_of_other_inputs_is_a_value_error(bundle):
    entry = next(entry for entry in bundle.manifest.members if entry.kind == "recurrent")
    settings = {**entry.settings, "point_inputs": ["flux"], "n_classes": len(bundle.classes)}
    with pytest.raises(ValueError, match="this version makes"):
        discover()["recurrent"].load(bundle.path, settings)
