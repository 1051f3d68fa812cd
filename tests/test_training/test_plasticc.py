"""From the official files to a bundle, and from a bundle to the challenge's table."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from classifiers.bundle import Bundle
from classifiers.taxonomy import PLASTICC_TARGETS
from training import official
from training.commands import app
from training.official import read_training_set
from training.plasticc import Recipe, plasticc_source
from training.shipped import shipped
from training.sources import held_out
from training.submission import with_unknown

SEED = 3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files, of the 100 real objects."""
    folder = tmp_path_factory.mktemp("official")
    points = shipped("plasticc_light_curves").drop(columns="mjd_is_relative")
    metadata = shipped("plasticc_metadata")
    metadata = metadata[metadata["object_id"].isin(points["object_id"])]
    points.astype({"detected": int}).to_csv(folder / "training_set.csv", index=False)
    metadata.to_csv(folder / "training_set_metadata.csv", index=False)
    return folder


def run(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_copies_are_of_their_parents_class_and_none_is_of_a_test_object(files: Path) -> None:
    source = plasticc_source(read_training_set(files), Recipe(copies=2, test_share=0.3, seed=SEED))
    classes = dict(zip(source.fit.parents.tolist(), source.fit.labels.tolist(), strict=True))
    assert [classes[parent] for parent in source.fit.parents.tolist()] == source.fit.labels.tolist()
    assert not set(source.fit.parents.tolist()) & set(source.test.parents.tolist())
    assert len(source.test) == sum(int(n * 0.3) for n in (32, 30, 2, 1, 34, 1))
    assert 2 * (100 - len(source.test)) < len(source.fit) <= 3 * (100 - len(source.test))


def test_copies_have_photo_z_of_their_own_and_those_in_the_milky_way_none(files: Path) -> None:
    found = read_training_set(files)
    source = plasticc_source(found, Recipe(copies=3, test_share=0.02, seed=SEED))
    photoz, error = source.fit.alerts.column("host_photoz"), source.fit.alerts.column("host_photoz_err")
    own = found.metadata.set_index("object_id")["hostgal_photoz"]
    galactic = own.loc[source.fit.parents].to_numpy() == 0
    assert (photoz[galactic] == 0).all()
    assert (photoz[~galactic] >= 0.01).all()
    copies = np.arange(len(source.fit)) >= 100
    assert len(np.unique(photoz[copies & ~galactic])) > 0.9 * (copies & ~galactic).sum()
    assert np.isfinite(error).all()


def test_every_class_gives_its_share_to_the_test_set() -> None:
    labels = np.repeat([0, 1, 2], [100, 40, 3])
    kept = held_out(labels, 0.25, np.random.default_rng(1))
    assert np.bincount(labels[kept], minlength=3).tolist() == [25, 10, 0]


def test_the_unknown_class_gets_what_others_leave() -> None:
    undecided, sure = np.full(14, 1 / 14), np.array([1.0, *np.zeros(13)])
    told = with_unknown(np.array([undecided, sure]))
    assert told.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert told[:, -1] == pytest.approx([2 / 18, 0.0])


def test_wrong_files_are_told_with_exit_code_2(files: Path, tmp_path: Path) -> None:
    pd.read_csv(files / "training_set.csv").drop(columns="flux").to_csv(tmp_path / "training_set.csv", index=False)
    (tmp_path / "training_set_metadata.csv").write_bytes((files / "training_set_metadata.csv").read_bytes())
    said = run("plasticc", "--data", tmp_path, "--out", tmp_path / "bundle", code=2)
    assert "training_set.csv has no column flux" in said
    assert not (tmp_path / "bundle").exists()
    assert "doesn't hold the training set" in run("plasticc", "--data", tmp_path / "no", "--out", tmp_path, code=2)


@pytest.mark.slow
def test_a_bundle_is_fitted_on_the_official_files_and_answers_the_challenge(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ["--copies", 1, "--views", 1, "--folds", 2, "--epochs", 1, "--rounds", 3, "--test-share", 0.3]
    said = run("plasticc", "--data", files, "--out", tmp_path / "bundle", *small)
    assert "its report and its model card in" in said
    assert (tmp_path / "bundle-report" / "model-card.md").read_text().startswith("# Model card: bundle 1.0.0")
    bundle = Bundle.load(tmp_path / "bundle")
    assert "training_set.csv" in bundle.manifest.training_set.sources[0].name
    assert {entry.host for entry in bundle.manifest.scores} == {"with", "without"}
    monkeypatch.setattr(official._IN_ORDER, "block_size", 100_000)
    asked = pd.read_csv(files / "training_set_metadata.csv").drop(columns=["target", "hostgal_specz"])
    asked.to_csv(tmp_path / "test_set_metadata.csv", index=False)
    options = ["--metadata", tmp_path / "test_set_metadata.csv", "--out", tmp_path / "answers.csv"]
    assert "100 objects" in run("score", files / "training_set.csv", *options, "--bundle", tmp_path / "bundle")
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert list(answers.columns) == ["object_id", *(f"class_{target}" for target in (*PLASTICC_TARGETS, 99))]
    assert sorted(answers["object_id"]) == sorted(asked["object_id"])
    assert answers.iloc[:, 1:].sum(axis=1).to_numpy() == pytest.approx(np.ones(100), abs=1e-4)
