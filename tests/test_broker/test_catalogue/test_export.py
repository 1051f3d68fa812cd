"""Plain Parquet, opened with what astronomers open it with, and what the command says; for HATS see test_lsdb.py."""

import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker._healpix import pixels
from broker.catalogue.healpix import coarser
from broker.errors import WrongInputError


@pytest.fixture(scope="module", params=["run", "delta_run"])
def by_place(request, boreal_export, tmp_path_factory):
    to = tmp_path_factory.mktemp("by-place") / "made"
    return to, boreal_export.told("parquet", request.getfixturevalue(request.param), "--to", to, "--order", 1)


def test_duckdb_reads_every_row_with_its_ids(by_place, annotations):
    to, told = by_place
    assert told["rows"] == annotations.num_rows
    assert told["files"] == len(list(to.glob("healpix1=*/night=*/part-*.parquet")))
    source = f"read_parquet('{to}/**/*.parquet', hive_partitioning = true)"
    found = duckdb.sql(f"SELECT alertId, night, objectId, len(lightCurve) FROM {source} ORDER BY alertId").fetchall()  # noqa: S608  a path that the test made
    curves = map(len, annotations["lightCurve"].to_pylist())
    names = ("alertId", "night", "objectId")
    assert found == list(zip(*(annotations[name].to_pylist() for name in names), curves, strict=True))
    flux = duckdb.sql(f"SELECT sum(p.flux) FROM (SELECT unnest(lightCurve) AS p FROM {source})").fetchall()[0][0]  # noqa: S608  likewise
    assert flux == pytest.approx(sum(p["flux"] for row in annotations["lightCurve"].to_pylist() for p in row))


def test_pandas_reads_every_column_and_folders_are_cells_and_nights(by_place, annotations):
    frame = pd.read_parquet(by_place[0]).sort_values("alertId")
    assert frame["alertId"].dtype == np.int64
    assert frame["alertId"].tolist() == annotations["alertId"].to_pylist()
    assert frame["night"].astype(int).tolist() == annotations["night"].to_pylist()
    cells = coarser(pixels(frame["ra"].to_numpy(), frame["dec"].to_numpy()), 1)
    assert frame["healpix1"].astype(int).tolist() == cells.tolist()
    assert set(frame.columns) == {*annotations.column_names, "healpix1", "_healpix_29"}


def test_arrow_finds_values_types_and_meanings_as_they_were(by_place, annotations):
    files = sorted(by_place[0].rglob("*.parquet"))
    found = pa.concat_tables([pq.ParquetFile(file).read() for file in files]).sort_by("alertId")
    names = [name for name in annotations.column_names if name != "night"]
    assert found.select(names).to_pylist() == annotations.select(names).to_pylist()
    assert [found.schema.field(name).type for name in names] == [annotations.schema.field(name).type for name in names]
    assert found.schema.field("ra").metadata == annotations.schema.field("ra").metadata
    for file in files:
        assert np.all(np.diff(np.asarray(pq.read_table(file, partitioning=None)["_healpix_29"])) >= 0)


@pytest.mark.parametrize(
    ("by", "pattern"),
    [
        ("night", "night=*/part-0.parquet"),
        ("healpix", "healpix2=*/part-0.parquet"),
        ("night,healpix", "night=*/healpix2=*/part-0.parquet"),
    ],
)
def test_folders_are_those_asked_for(boreal_export, run, tmp_path, annotations, by, pattern):
    told = boreal_export.told("parquet", run, "--to", tmp_path / "made", "--by", by)
    assert told["rows"] == annotations.num_rows
    assert len(list((tmp_path / "made").glob(pattern))) == told["files"] > 1
    assert {path.suffix for path in (tmp_path / "made").rglob("*") if path.is_file()} == {".parquet"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["parquet", "--by", "constellation"], "give healpix, night, or both"),
        (["parquet", "--by", "night,night"], "give healpix, night, or both"),
        (["hats", "--rows", "galaxies"], "give objects or alerts"),
    ],
)
def test_wrong_options_are_told(boreal_export, run, tmp_path, arguments, said):
    done = boreal_export(*arguments, run, "--to", tmp_path / "made")
    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tmp_path / "made").exists()


def test_a_directory_that_holds_something_is_left_alone(boreal_export, run, tmp_path):
    (tmp_path / "precious").touch()
    for kind in ("parquet", "hats"):
        done = boreal_export(kind, run, "--to", tmp_path)
        assert isinstance(done.exception, WrongInputError)
        assert "exists already" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_without_hats_it_says_which_extra_to_install(boreal_export, run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hats", None)
    done = boreal_export("hats", run, "--to", tmp_path / "made")
    assert isinstance(done.exception, WrongInputError)
    assert "boreal-broker[hats]" in str(done.exception)


def test_the_table_at_the_end_fits_a_terminal(boreal_export, run, tmp_path):
    done = boreal_export("hats", run, "--to", tmp_path / "made")
    assert done.exit_code == 0, done.output
    assert "files by HEALPix order" in done.stdout
    rows = [line for line in done.stdout.splitlines() if not line.startswith("in ")]
    assert max(map(len, rows)) <= 80
    assert Path(tmp_path / "made" / "hats.properties").exists()
