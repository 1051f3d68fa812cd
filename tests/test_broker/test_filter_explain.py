"""`boreal filter explain` and `boreal filter fields`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.coordinates import SkyCoord
from typer.testing import CliRunner, Result

from broker.commands import filter as command
from broker.errors import WrongInputError
from broker.filters import nulls
from broker.filters.distance import outside_by
from broker.filters.explain import explain
from broker.filters.kinds import Columns
from broker.filters.read import read_filters
from broker.filters.regions import Box, Cone, Galactic, Moc, Polygon, Region
from broker.pipeline import Outcome
from schemas.annotation import MEASUREMENT

LSST = "170112044540887132"
TEXT = """
name: mine
owner: me
values: {ratio: "flux_max_within(30, 'g') / flux_max_within(30, 'r')"}
condition: |
  snr > 5 AND (pSNIa > 0.99 OR NOT hostPhotoz < 0.5)
  AND ratio > 0 AND alertId <> 3 AND className LIKE 'SN%'
regions:
  - cone: {ra: 10, dec: 0, radius: 1}
  - galactic: {minAbsB: 0, maxAbsB: 90}
limits: {perNight: 5, cooldownDays: 0.5}
"""


def run(*arguments: object, columns: int = 80) -> Result:
    return CliRunner().invoke(command.app, [str(a) for a in arguments], env={"COLUMNS": str(columns)})


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("filters") / "mine.yaml"
    file.write_text(TEXT)
    return file


@pytest.fixture(scope="module")
def annotations(tmp_path_factory: pytest.TempPathFactory, outcomes: list[Outcome]) -> Path:
    file = tmp_path_factory.mktemp("table") / "all.parquet"
    pq.write_table(pa.concat_tables([outcome.annotations for outcome in outcomes]), file)
    return file


def test_a_packet_and_its_row_are_explained_alike(mine: Path, annotations: Path, data_dir: Path) -> None:
    packet = data_dir / "packets" / "lsst" / f"v10_0_{LSST}.avro"
    told = [
        json.loads(run("explain", mine, "--json", "--alert", *given).stdout)
        for given in ((packet,), (LSST, "--in", annotations), (LSST, "--in", data_dir / "packets"))
    ]
    assert told[0] == told[1] == told[2]
    assert told[0]["alert"]["alertId"] == LSST
    assert told[0]["passes"] is False
    assert told[0]["limitsNotKnown"] is True
    parts = {part["text"]: part for part in told[0]["condition"]["parts"]}
    assert parts["snr > 5"]["outcome"] is True
    assert parts["pSNIa > 0.99 OR NOT hostPhotoz < 0.5"]["outcome"] is None
    assert parts["alertId <> 3"]["seen"] == [{"text": "alertId", "kind": "a whole number", "value": LSST}]
    assert [part["outcome"] for part in parts["pSNIa > 0.99 OR NOT hostPhotoz < 0.5"]["parts"]] == [False, None]
    (value,) = told[0]["values"]
    assert value["text"] == "ratio"
    outside, everywhere = told[0]["regions"]
    assert (outside["inside"], everywhere["inside"], everywhere["degreesOutside"]) == (False, True, 0)
    assert outside["degreesOutside"] > 100


def test_the_tree_is_printed(mine: Path, annotations: Path) -> None:
    done = run("explain", mine, "--alert", LSST, "--in", annotations)
    assert done.exit_code == 0
    for line in (
        f"lsst alert {LSST} doesn't pass mine",
        "condition: false   all of these (AND)",
        "├── true    snr > 5",
        "├── unknown one of these (OR)",
        "│   ├── false   pSNIa > 0.99",
        "│   └── unknown NOT hostPhotoz < 0.5",
        "hostPhotoz = NULL",
        "flux_max_within(30, 'g') = ",
        "├── outside cone: {ra: 10.0, dec: 0.0, radius: 1.0}, ",
        "└── inside  galactic: {minAbsB: 0.0, maxAbsB: 90.0}",
        "ratio is flux_max_within(30, 'g') / flux_max_within(30, 'r'): ",
        "Limits (perNight 5, cooldownDays 0.5): one alert can't tell",
    ):
        assert line in done.stdout, done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_source_id_tells_apart_what_an_alert_id_does_not(mine: Path, annotations: Path, tmp_path: Path) -> None:
    table = pq.read_table(annotations)
    same = table.set_column(table.schema.get_field_index("alertId"), "alertId", pa.array([7] * len(table), pa.int64()))
    pq.write_table(same, tmp_path / "same.parquet")
    with pytest.raises(WrongInputError, match=r"alerts have the alertId 7; give a diaSourceId: \d+, "):
        raise_of(run("explain", mine, "--alert", 7, "--in", tmp_path / "same.parquet"))
    source = same["diaSourceId"][3].as_py()
    told = json.loads(run("explain", mine, "--json", "--alert", source, "--in", tmp_path / "same.parquet").stdout)
    assert told["alert"]["diaSourceId"] == str(source)


def raise_of(done: Result) -> None:
    assert done.exception
    raise done.exception


def test_what_is_wrong_is_told(mine: Path, annotations: Path, examples_dir: Path, tmp_path: Path) -> None:
    wrong = {
        "no alert of .* has the alertId or diaSourceId 17": (mine, "--alert", 17, "--in", annotations),
        "to look alert 17 up, say where": (mine, "--alert", 17),
        "which 'abc' isn't": (mine, "--alert", "abc", "--in", annotations),
        "holds \\d+ filters; give the file of one": (examples_dir / "filters", "--alert", 17, "--in", annotations),
        "no such file or directory": (tmp_path / "gone.yaml", "--alert", 17, "--in", annotations),
        "there is no file at": (mine, "--alert", 17, "--in", tmp_path / "gone"),
    }
    for message, arguments in wrong.items():
        with pytest.raises(WrongInputError, match=message):
            raise_of(run("explain", *arguments))
    assert run("explain", mine, "--alert", tmp_path / "gone.avro").exit_code == 2


def test_a_table_without_a_column_is_told(mine: Path, annotations: Path, tmp_path: Path) -> None:
    pq.write_table(pq.read_table(annotations).drop_columns(["pSNIa"]), tmp_path / "less.parquet")
    with pytest.raises(WrongInputError, match="has no column pSNIa, which the filter reads"):
        raise_of(run("explain", mine, "--alert", LSST, "--in", tmp_path / "less.parquet"))


def test_a_filter_that_cannot_be_evaluated_is_told(mine: Path, annotations: Path) -> None:
    (wanted,), _ = read_filters([mine], pq.read_schema(annotations))
    row = pq.read_table(annotations).slice(0, 1)
    broken = row.set_column(row.schema.get_field_index("snr"), "snr", pa.array([["no number"]]))
    made = explain(wanted, broken)
    assert not made.passes
    assert made.error


def test_every_example_is_explained_as_it_is_evaluated(examples_dir: Path, annotations: Path) -> None:
    table = pq.read_table(annotations)
    filters, _ = read_filters(sorted((examples_dir / "filters").glob("*.yaml")), table.schema)
    for k, matched in enumerate(table["matchedFilters"].to_pylist()):
        for each in filters:
            assert explain(each, table.slice(k, 1)).passes == (each.name in matched)


# How far away.

RNG = np.random.default_rng(20260310)
POSITIONS = list(zip(RNG.uniform(0, 360, 60), np.degrees(np.arcsin(RNG.uniform(-1, 1, 60))), strict=True))
REGIONS: list[Region] = [
    Cone(10, 20, 5),
    Box((350, 20), (-10, 30)),
    Box((20, 350), (50, 80)),
    Box((100, 130), (-89, -60)),
    Galactic(20, 50),
    Polygon(((350, -20), (20, -25), (25, 10), (5, -5), (352, 12))),
]


@pytest.mark.parametrize("region", REGIONS, ids=str)
def test_distances_are_those_of_the_nearest_place_inside(region: Region) -> None:
    """Against positions drawn all over the region, and dense along its borders."""
    ra, dec = RNG.uniform(0, 360, 400_000), np.degrees(np.arcsin(RNG.uniform(-1, 1, 400_000)))
    inside = region.contains(ra, dec)
    inner = SkyCoord(ra[inside], dec[inside], unit="deg")
    for at in POSITIONS:
        if region.contains(*np.array([at]).T)[0]:
            continue
        nearest = SkyCoord(*at, unit="deg").separation(inner).deg.min()
        found = outside_by(region, *at)
        assert found is not None
        assert found <= nearest + 1e-9
        assert nearest - found < 1.0, at


def test_a_moc_has_no_distance() -> None:
    assert outside_by(Moc(np.array([0, 4], "<u8").tobytes()), 200, -80) is None


# How often is a column NULL?


def fields(*arguments: object) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(run("fields", "--json", *arguments).stdout)}


def test_fields_tell_how_often_each_is_null() -> None:
    rows = fields()
    assert rows["snr"]["nulls"] == {"elasticc": 0, "lsst": 0, "ztf": 0}
    assert rows["isDipole"]["nulls"]["ztf"] == 1
    assert 0 < rows["objectId"]["nulls"]["lsst"] < 0.5
    printed = run("fields").stdout
    assert re.search(r"isDipole +true or false +100% +\d+% +100%", printed)
    assert max(map(len, printed.splitlines())) <= 80


def test_the_shipped_counts_are_of_these_columns() -> None:
    known = set(Columns(command.schema_of(None)).usable())
    assert set(nulls.shipped()) == {"elasticc", "lsst", "ztf"}
    for each in nulls.shipped().values():
        assert each.alerts > 200
        assert {column.name for column in MEASUREMENT} <= set(each.counts) <= known
        assert all(0 <= count <= each.alerts for count in each.counts.values())


def test_the_shipped_counts_fit_the_packets_that_ship(outcomes: list[Outcome], data_dir: Path, tmp_path: Path) -> None:
    """These packets are part of what was counted: a column that was never known isn't known here, and never less."""
    sample = nulls.count([outcome.annotations for outcome in outcomes])
    for survey, each in sample.items():
        whole = nulls.shipped()[survey]
        for name, count in each.counts.items():
            assert count == each.alerts or whole.share(name) != 1, name
            assert count == 0 or whole.share(name) != 0, name
    run("fields", "--over", data_dir / "packets", "--save", tmp_path / "nulls.json")
    made = json.loads((tmp_path / "nulls.json").read_text())
    assert made.keys() == sample.keys()
    by_survey = {survey: len([*(data_dir / "packets" / survey).glob("*.avro")]) for survey in made}
    assert {survey: told["alerts"] for survey, told in made.items()} == by_survey


def test_counts_are_those_of_the_table_that_is_given(annotations: Path) -> None:
    table = pq.read_table(annotations)
    lsst = table.filter(pa.compute.equal(table["survey"], "lsst"))
    rows = fields("--over", annotations)
    assert rows["objectId"]["nulls"]["lsst"] == lsst["objectId"].null_count / len(lsst)
    with pytest.raises(WrongInputError, match="can't be written"):
        raise_of(run("fields", "--save", annotations / "no folder.json"))


def test_nan_counts_as_null() -> None:
    table = pa.table({"survey": ["x", "x", "y"], "v": [1.0, float("nan"), None], "t": ["a", None, None]})
    found = nulls.count([table, table])
    assert {name: (each.alerts, each.counts["v"], each.counts["t"]) for name, each in found.items()} == {
        "x": (4, 2, 2),
        "y": (2, 2, 2),
    }
    assert found["x"].share("v") == 0.5
    assert found["x"].share("w") is None
