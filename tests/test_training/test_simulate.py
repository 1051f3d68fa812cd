"""The simulator as a whole: what every class must yield, and what a seed promises."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from classifiers.taxonomy import GALACTIC_TARGETS, PLASTICC_TARGETS
from training.light_curves import NANOJANSKY
from training.shipped import shipped
from training.simulate import simulate, simulate_tables
from training.simulate.__main__ import main
from training.simulate.classes import MODELS
from training.simulate.tables import METADATA_COLUMNS, POINT_COLUMNS


def test_there_is_a_model_for_each_class() -> None:
    assert tuple(sorted(MODELS)) == PLASTICC_TARGETS


@pytest.mark.parametrize("target", PLASTICC_TARGETS)
def test_every_class_yields_detected_finite_light_curves(target: int) -> None:
    alerts, targets, metadata = simulate(12, 5, target=target)
    curves = alerts.light_curves
    assert (targets == target).all()
    assert np.isfinite(curves.flux).all()
    assert (curves.flux_err > 0).all()
    assert (np.bincount(curves.owner[curves.detected], minlength=12) >= 2).all()
    assert (np.diff(curves.mjd)[np.diff(curves.owner) == 0] >= 0).all()
    assert (curves.lengths > 15).all()
    galactic = target in GALACTIC_TARGETS
    assert ((metadata["hostgal_specz"] == 0) == galactic).all()
    assert ((alerts.column("host_photoz") == 0) == galactic).all()


def test_fluxes_are_nanojansky_in_memory_and_zero_point_27_5_in_the_tables() -> None:
    alerts, _, _ = simulate(5, 3)
    points, _ = simulate_tables(5, 3)
    assert np.array_equal(alerts.light_curves.flux, points["flux"].to_numpy() * NANOJANSKY)
    assert pytest.approx(36.307805) == NANOJANSKY
    sky_of_a_visit = np.median(alerts.light_curves.flux_err)
    assert 30 < sky_of_a_visit < 1500, "LSST's single visits reach 5 sigma at 23 to 25 mag, 2 to 0.4 microjansky"


def test_same_seed_same_bytes() -> None:
    first, again, other = (simulate(8, seed) for seed in (11, 11, 12))
    assert first[0].table.equals(again[0].table)
    assert first[2].equals(again[2])
    assert not first[0].table.equals(other[0].table)


def test_an_object_depends_on_its_number_and_not_on_how_many_there_are() -> None:
    few, many = simulate_tables(4, 21), simulate_tables(9, 21)
    pd.testing.assert_frame_equal(few[0], many[0][many[0]["object_id"] < 4].reset_index(drop=True))
    pd.testing.assert_frame_equal(few[1], many[1].iloc[:4])


def test_balance_evens_out_the_classes() -> None:
    _, natural, _ = simulate(400, 2)
    _, even, _ = simulate(400, 2, balance=1.0)
    assert np.mean(natural == 90) > 0.2
    assert np.mean(even == 90) < 0.14
    assert len(np.unique(even)) == 14


def test_parents_are_real_objects_of_the_same_class() -> None:
    _, targets, metadata = simulate(60, 4)
    real = shipped("plasticc_metadata").set_index("object_id")["target"]
    assert (real.loc[metadata["parent_id"]].to_numpy() == targets).all()


def test_the_command_writes_the_official_files(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--out", str(tmp_path), "--objects", "6", "--seed", "9"])
    assert result.exit_code == 0, result.output
    points = pd.read_csv(tmp_path / "training_set.csv")
    metadata = pd.read_csv(tmp_path / "training_set_metadata.csv")
    assert tuple(points.columns) == POINT_COLUMNS == ("object_id", "mjd", "passband", "flux", "flux_err", "detected")
    assert tuple(metadata.columns) == METADATA_COLUMNS
    assert sorted(points["object_id"].unique()) == metadata["object_id"].tolist() == list(range(6))
    assert set(points["passband"]) <= set(range(6))
    truth = pd.read_csv(tmp_path / "simulation_truth.csv")
    assert {"object_id", "target", "parent_id", "true_peakmjd", "cadence"} == set(truth.columns)
