"""How far the simulation is from real light curves: the distances, and the report of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from training.checked import TrainingTableError
from training.commands import app
from training.realism.distances import Comparison, distances
from training.realism.real import all_objects, elasticc2_objects, hundred_objects
from training.realism.show import show
from training.shipped import shipped
from training.table_statistics import table_statistics


def objects(target: int, ddf: int = 0, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"target": target, "ddf": ddf, **columns})


def test_distances_between_tables_are_zero_for_the_same_objects() -> None:
    table = objects(90, points=np.arange(30.0))
    same = distances(table, table, ["points"])
    moved = distances(table, table.assign(points=table["points"] + 1000), ["points"])
    assert same["ks"].tolist() == [0.0]
    assert moved["ks"].tolist() == [1.0]
    assert moved[["median_real", "median_simulated"]].to_numpy().tolist() == [[14.5, 1014.5]]


def test_objects_of_one_kind_are_as_far_apart_as_is_told_for_chance() -> None:
    rng = np.random.default_rng(3)
    draws = [(objects(90, x=rng.normal(size=150)), objects(90, x=rng.normal(size=400))) for _ in range(200)]
    found = pd.concat([distances(*pair, ["x"]) for pair in draws])
    assert found["ks"].mean() == pytest.approx(found["by_chance"].iloc[0], rel=0.08)


def test_what_too_few_objects_have_is_left_out_and_unknown_values_do_not_count() -> None:
    known = np.where(np.arange(30) < 4, 1.0, np.nan)
    real, simulated = objects(90, few=known, all=np.arange(30.0)), objects(90, few=1.0, all=np.full(30, 2.0))
    real.loc[0, "all"] = np.inf
    table = distances(real, simulated, ["few", "all"])
    assert table["statistic"].tolist() == ["all"]
    assert table["real"].tolist() == [29]


def test_the_worst_class_and_the_worst_statistic_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    even = np.arange(40.0)
    real = pd.concat([objects(90, a=even, b=even), objects(42, ddf=1, a=even, b=even)])
    drawn = pd.concat([objects(90, a=even, b=even + 4), objects(42, ddf=1, a=even + 8, b=even + 60)])
    found = Comparison("made up", distances(real, drawn, ["a", "b"]))
    assert found.classes()[["target", "ddf"]].to_numpy().tolist() == [[42, 1], [90, 0]]
    assert found.classes()["worst"].tolist() == ["b 1.00, a 0.20", "b 0.10, a 0.00"]
    assert found.statistics()["statistic"].tolist() == ["b", "a"]
    assert found.statistics()["worst"].tolist() == pytest.approx([1.0, 0.2])
    show(found, Console(width=120))
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if "SN " in line).startswith("│ SN II, deep")


def test_nothing_to_compare_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show(Comparison("made up", distances(objects(90, a=[1.0]), objects(90, a=[1.0]), ["a"])), Console(width=120))
    assert "no class has enough objects" in capsys.readouterr().out


def test_the_real_sets_are_those_that_ship() -> None:
    published, hundred, elasticc2 = all_objects(None), hundred_objects(), elasticc2_objects()
    assert len(published) == 7848
    assert len(hundred) == 100
    assert set(hundred["ddf"]) == {0, 1}
    assert set(elasticc2["target"]) == {62, 64, 65}
    assert (elasticc2["detections"] >= 2).all()


def test_published_statistics_are_named_as_the_computed_ones() -> None:
    points = shipped("plasticc_light_curves")
    computed = table_statistics(points, points["object_id"].unique())
    assert set(all_objects(None).columns) - {"target", "ddf"} <= set(computed.columns)


def test_more_statistics_are_read_from_a_folder(tmp_path: Path) -> None:
    ids = shipped("plasticc_metadata")["object_id"]
    pd.DataFrame({"object_id": ids, "skew__2": 0.5}).to_parquet(tmp_path / "cesium_features_7848.parquet")
    assert list(all_objects(tmp_path).columns) == ["object_id", "target", "ddf", "skew__2"]


def test_a_folder_without_statistics_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingTableError, match=r"has none of cesium_features_7848\.parquet"):
        all_objects(tmp_path)


@pytest.mark.parametrize("file", ["realism.xls", "missing/realism.svg"])
def test_a_picture_that_could_not_be_written_is_told_before_anything_is_simulated(tmp_path: Path, file: str) -> None:
    result = CliRunner().invoke(app, ["realism", "--plot", str(tmp_path / file)], env={"COLUMNS": "400"})
    assert result.exit_code == 2
    assert "ends with .svg, .png or .pdf" in result.output if file.endswith("xls") else "no folder" in result.output


@pytest.mark.slow
def test_the_command_writes_every_distance_and_draws_them(tmp_path: Path) -> None:
    told, drawn = tmp_path / "realism.json", tmp_path / "realism.svg"
    result = CliRunner().invoke(app, ["realism", "--objects", "20", "--json", str(told), "--plot", str(drawn)])
    assert result.exit_code == 0, result.output
    content = json.loads(told.read_text())
    names = [one["name"] for one in content["comparisons"]]
    assert names == ["7,848 real PLAsTiCC objects", "100 real PLAsTiCC light curves", "346 ELAsTiCC2 light curves"]
    every = content["comparisons"][0]["distances"]
    assert {one["target"] for one in every} >= {90, 42, 62, 65}
    assert len({one["statistic"] for one in every}) == 24
    assert all(0.0 <= one["ks"] <= 1.0 for one in every)
    assert drawn.read_text().lstrip().startswith("<?xml")
    assert all(name in result.output for name in names)
