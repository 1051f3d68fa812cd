"""The science benchmark in short, and the scores and folds that decide what its figures mean."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.judging.blend import blended
from benchmarks.judging.folds import stratified
from benchmarks.judging.mallorn import TYPES, f1_by_fold
from benchmarks.judging.parts import PARTS
from benchmarks.judging.rest_frame import EFFECTIVE, between
from benchmarks.judging.scores import best_f1, challenge_loss, f1_at
from benchmarks.judging.tables import Table
from training.prior import adapt, frequencies, with_prior

ROOT = Path(__file__).parents[2]


def science(*options: object) -> subprocess.CompletedProcess[str]:
    command = [str(each) for each in (ROOT / "benchmarks" / "science", "--quick", *options)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.slow
def test_what_ships_is_judged_and_what_is_missing_is_said(tmp_path):
    done = science("--data", tmp_path, "--json", tmp_path / "science.json", "--plots", tmp_path / "plots")
    assert "plasticc is passed over: plasticc/training_set_metadata.csv" in done.stderr
    told = json.loads((tmp_path / "science.json").read_text())
    names = [figure["name"] for figure in told["figures"]]
    assert names == [
        f"{which}.nll-{host}-host" for which in ("plasticc-100", "elasticc2-346") for host in ("with", "without")
    ]
    assert set(told["passedOver"]) == set(PARTS) - {"curves"}
    counts = np.array(told["told"]["plasticc-100"]["confusion"])
    in_bins = told["told"]["plasticc-100"]["reliability"]["counts"]
    assert counts.sum() == told["figures"][1]["details"]["objects"] == sum(in_bins) < 100
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == [
        f"{what}-{name}.{kind}"
        for what in ("confusion", "reliability")
        for name in ("elasticc2-346", "plasticc-100")
        for kind in ("png", "svg")
    ]


@pytest.mark.slow
def test_a_little_of_each_part_where_the_published_sets_are(tmp_path):
    data = ROOT.parent / "shared" / "data"
    if not all((data / file).exists() for part in PARTS.values() for file in part.files):
        pytest.skip("the published sets aren't beside the project")
    done = science("--json", tmp_path / "science.json")
    told = json.loads((tmp_path / "science.json").read_text())
    assert not told["passedOver"], done.stderr
    assert {figure["name"].partition(".")[0] for figure in told["figures"]} >= {
        "plasticc",
        "simulated",
        "mallorn",
        "spcc",
    }
    assert all(np.isfinite(figure["value"]) for figure in told["figures"])


def table_of(labels: np.ndarray, rng: np.random.Generator) -> Table:
    columns = pd.DataFrame({"a": rng.normal(labels), "b": rng.normal(-2.0 * labels)}, dtype=np.float32)
    return Table(columns, np.arange(len(labels)), labels, np.zeros(len(labels), np.bool_))


def test_a_fold_is_blended_by_what_is_said_of_the_others():
    rng = np.random.default_rng(6)
    asked = table_of(np.repeat([0, 1], 2000), rng)
    folds = rng.integers(0, 4, len(asked.labels))
    answers = [told_by(asked, asked, times=times) for times in (3.0, 0.0)]
    told, blends = blended(answers, asked.labels, folds)
    swapped = np.where(folds == 2, 1 - asked.labels, asked.labels)
    others, again = blended(answers, swapped, folds)
    assert again[2] == blends[2]
    assert (others[folds == 2] == told[folds == 2]).all()
    for blend in blends:
        assert 3.0 * blend.weights[0] / blend.temperature == pytest.approx(1.0, abs=0.15)
    assert told == pytest.approx(told_by(asked, asked, times=1.0), abs=0.05)


def told_by(_known: Table, asked: Table, times: float) -> np.ndarray:
    """Probabilities of the classes of `table_of`, so many times as sure as is right."""
    a, b = asked.matrix.T.astype(np.float64)
    odds = np.exp(times * (a - 0.5 - 2.0 * b - 2.0))
    return np.column_stack([1 / (1 + odds), odds / (1 + odds)])


def test_the_challenges_loss_is_a_weighted_mean_over_classes():
    rng = np.random.default_rng(1)
    told, labels = rng.dirichlet(np.ones(3), 50), np.repeat([0, 1, 2], [30, 15, 5])
    weights = np.array([1.0, 2.0, 1.0])
    counts = np.bincount(labels)
    asked = told * (weights / counts)
    asked /= asked.sum(axis=1, keepdims=True)
    by_class = [-np.log(asked[labels == label, label]).mean() for label in range(3)]
    assert challenge_loss(told, labels, weights) == pytest.approx(np.dot(by_class, weights) / 4)


def test_a_class_that_nobody_has_does_not_count():
    told, labels = np.full((4, 3), 1 / 3), np.array([0, 0, 1, 1])
    assert challenge_loss(told, labels, np.ones(3)) == pytest.approx(np.log(2))


def test_frequencies_that_differ_from_the_training_sets_are_found():
    rng = np.random.default_rng(2)
    trained, sky = np.array([0.5, 0.5]), np.array([0.1, 0.9])
    labels = rng.choice(2, 20_000, p=sky)
    measured = rng.normal(2.0 * labels, 1.0)
    odds = np.exp(2.0 * measured - 2.0)
    told = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    adapted, found = adapt(told, trained)
    assert found == pytest.approx(sky, abs=0.02)
    assert adapted == pytest.approx(with_prior(told, trained, sky), abs=0.05)
    assert with_prior(told, trained, trained) == pytest.approx(told)
    assert frequencies(labels, 3)[2] == 0.0


def test_f1_is_the_harmonic_mean_of_purity_and_completeness():
    probability, true = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    best, threshold = best_f1(probability, true)
    assert (best, threshold) == (pytest.approx(0.8), 0.7)
    assert f1_at(threshold, probability, true) == pytest.approx(best)
    assert f1_at(0.95, probability, true) == 0.0


def test_a_folds_threshold_is_that_of_the_other_folds():
    probability, true = np.array([0.6, 0.2, 0.9, 0.7]), np.array([True, False, True, False])
    folds = np.array([0, 0, 1, 1])
    assert f1_by_fold(probability, true, folds) == pytest.approx(f1_at(0.5, np.array([0.0, 0, 1, 1]), true))


def test_folds_share_every_class_evenly():
    labels = np.repeat([0, 1, 2], [100, 11, 3])
    folds = stratified(labels, 5, seed=4)
    for label in range(3):
        sizes = np.bincount(folds[labels == label], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    assert (stratified(labels, 5, seed=4) == folds).all()


def test_every_type_of_the_set_has_a_class():
    assert len(TYPES) == 16


def test_brightness_in_the_rest_frame_is_read_between_the_bands():
    by_band = np.tile(np.arange(6.0), (4, 1))
    wavelength = np.array([(EFFECTIVE[2] + EFFECTIVE[3]) / 2, EFFECTIVE[5], EFFECTIVE[0] - 100.0, EFFECTIVE[1]])
    value = between(by_band, wavelength, np.array([True, True, True, False]))
    assert value[:2] == pytest.approx([2.5, 5.0])
    assert np.isnan(value[2:]).all()
