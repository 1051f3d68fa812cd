import numpy as np
import pytest

from classifiers.novelty import Novelty, fit_novelty

RNG = np.random.default_rng(5)
LABELS = np.repeat(np.arange(3), 400)
CENTRES = np.array([[0.0, 0, 0, 0], [5, 0, 0, 0], [0, 5, 0, 0]])
SPREAD = np.array([1.0, 0.5, 2.0, 0.1])
LATENT = CENTRES[LABELS] + RNG.normal(size=(1200, 4)) * SPREAD


@pytest.fixture(scope="module")
def fitted() -> Novelty:
    return fit_novelty(LATENT, LABELS)


def test_one_in_a_hundred_known_objects_is_above_1(fitted):
    assert np.count_nonzero(fitted.score(LATENT) > 1) == 12


def test_the_score_grows_with_the_distance(fitted):
    far = np.array([[0, 0, 0, 0], [0, 0, 5, 0], [0, 0, 20, 0], [0, 0, 80, 0]], float)
    scores = fitted.score(far)
    assert (np.diff(scores) > 0).all()
    assert scores[0] < 1
    assert scores[-1] > 5


def test_it_is_the_mahalanobis_distance_to_the_nearest_mean(fitted):
    means = np.stack([LATENT[k == LABELS].mean(axis=0) for k in range(3)])
    centred = LATENT - means[LABELS]
    covariance = centred.T @ centred / len(LATENT)
    covariance += 1e-3 * np.trace(covariance) / 4 * np.eye(4)
    gaps = LATENT[:20, None, :] - means
    squared = np.einsum("nki,ij,nkj->nk", gaps, np.linalg.inv(covariance), gaps)
    np.testing.assert_allclose(fitted.score(LATENT[:20]) * fitted.unit, np.sqrt(squared.min(axis=1)), rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 7, 33, 500])
def test_a_row_does_not_depend_on_the_batch(fitted, size):
    whole = fitted.score(LATENT)
    parts = [fitted.score(LATENT[k : k + size]) for k in range(0, len(LATENT), size)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_saved_and_loaded_it_scores_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "novelty.npz")
    again = Novelty.load(tmp_path / "novelty.npz")
    assert again.score(LATENT).tobytes() == fitted.score(LATENT).tobytes()


def test_a_file_without_its_parameters_is_told(tmp_path):
    np.savez(tmp_path / "novelty.npz", means=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="holds no unit, whitening"):
        Novelty.load(tmp_path / "novelty.npz")


def test_parameters_that_do_not_fit_each_other_are_told(tmp_path):
    Novelty(np.zeros((3, 2)), np.eye(4), 1.0).save(tmp_path / "novelty.npz")
    with pytest.raises(ValueError, match="don't fit each other"):
        Novelty.load(tmp_path / "novelty.npz")


def test_a_latent_unit_that_never_moves_is_no_obstacle():
    still = np.hstack([LATENT, np.zeros((len(LATENT), 1))])
    assert np.isfinite(fit_novelty(still, LABELS).score(still)).all()
