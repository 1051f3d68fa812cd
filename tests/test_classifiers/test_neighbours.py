import numpy as np
import pytest

from classifiers.bundle import Bundle, BundleError, bundle_sha256, save
from classifiers.neighbours import Known, Neighbours, fit_neighbours
from classifiers.novelty import fit_novelty

RNG = np.random.default_rng(3)
LABELS = np.repeat([0, 1, 4], [30, 8, 20])
LATENT = RNG.normal(size=(2, 58, 3)) * [1, 4, 0.2] + LABELS[:, None]
IDS = np.array([str(1000 + k) for k in range(58)])
PUBLISHED = np.arange(58) % 5 == 0
KNOWN = Known(LATENT, LABELS, IDS, np.where(PUBLISHED, IDS, "7"), PUBLISHED, np.array(["sky", "sim"])[LABELS % 2])
NOVELTY = fit_novelty(LATENT[0], LABELS)


@pytest.fixture(scope="module")
def kept() -> Neighbours:
    return fit_neighbours(KNOWN, NOVELTY, seed=1, per_class=10)


def test_so_many_of_each_class_are_kept_and_the_published_ones_first(kept):
    assert np.bincount(kept.labels).tolist() == [10, 8, 0, 0, 10]
    for label in (0, 1, 4):
        published = kept.published[kept.labels == label]
        assert published.sum() == min(10, PUBLISHED[label == LABELS].sum())
        assert not np.any(np.diff(published.astype(int)) > 0)


def test_each_keeps_what_is_known_of_it(kept):
    rows = [IDS.tolist().index(name) for name in kept.ids]
    assert len(set(rows)) == len(rows)
    for name in ("labels", "parents", "published", "origins"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(KNOWN, name)[rows])
    np.testing.assert_allclose(kept.latent[1], NOVELTY.whitened(LATENT[1][rows]), rtol=1e-3, atol=1e-3)


def test_the_same_seed_keeps_the_same_objects_and_another_one_others(kept):
    assert fit_neighbours(KNOWN, NOVELTY, 1, 10).ids.tolist() == kept.ids.tolist()
    assert fit_neighbours(KNOWN, NOVELTY, 2, 10).ids.tolist() != kept.ids.tolist()


@pytest.mark.parametrize("host", [False, True])
def test_the_distance_is_that_of_the_novelty_score(kept, host):
    rows = [IDS.tolist().index(name) for name in kept.ids]
    asked = LATENT[int(host), 17]
    centred = LATENT[0] - np.stack([LATENT[0][label == LABELS].mean(axis=0) for label in LABELS])
    covariance = centred.T @ centred / 58
    covariance += 1e-3 * np.trace(covariance) / 3 * np.eye(3)
    gaps = LATENT[int(host)][rows] - asked
    expected = np.sqrt(np.einsum("ni,ij,nj->n", gaps, np.linalg.inv(covariance), gaps)) / NOVELTY.unit
    np.testing.assert_allclose(kept.distances(asked, NOVELTY, host=host), expected, atol=3e-3)


def test_saved_and_loaded_they_are_the_same_in_the_same_bytes(kept, tmp_path):
    for name in ("a.npz", "b.npz"):
        kept.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = Neighbours.load(tmp_path / "a.npz")
    for name, array in vars(kept).items():
        np.testing.assert_array_equal(getattr(again, name), array)
        assert getattr(again, name).dtype == array.dtype


def test_what_is_no_such_file_is_told(kept, tmp_path):
    np.savez(tmp_path / "few.npz", latent=kept.latent)
    with pytest.raises(ValueError, match="holds no ids, labels"):
        Neighbours.load(tmp_path / "few.npz")
    np.savez(tmp_path / "short.npz", **{**vars(kept), "ids": kept.ids[:-1]})
    with pytest.raises(ValueError, match="don't fit each other"):
        Neighbours.load(tmp_path / "short.npz")


def test_a_bundle_reads_them_when_they_are_asked_for(bundle: Bundle, kept, tmp_path):
    content = bundle.manifest.model_dump(mode="json", exclude={"format_version", "files", "neighbours"})
    for name in bundle.manifest.files:
        (tmp_path / name).write_bytes((bundle.path / name).read_bytes())
    assert "neighbours" not in save(tmp_path, content, tuple(bundle.manifest.files)).model_dump()
    assert Bundle.load(tmp_path).neighbours is None
    kept.save(tmp_path / "known.npz")
    content["neighbours"] = {"file": "known.npz"}
    with pytest.raises(BundleError, match=r"known\.npz"):
        save(tmp_path, content, tuple(bundle.manifest.files))
    save(tmp_path, content, (*bundle.manifest.files, "known.npz"))
    found = Bundle.load(tmp_path).neighbours
    assert found is not None
    assert found.ids.tolist() == kept.ids.tolist()
    (tmp_path / "known.npz").write_bytes(b"no arrays")
    save(tmp_path, content, (*bundle.manifest.files, "known.npz"))
    with pytest.raises(BundleError, match=r"known\.npz"):
        _ = Bundle.load(tmp_path).neighbours


def test_a_bundle_without_them_has_the_hash_that_it_had_before_there_were_any(bundle: Bundle):
    without = bundle.manifest.model_copy(update={"neighbours": None})
    assert "neighbours" not in without.model_dump(mode="json")
    assert len(bundle_sha256(without)) == 64
