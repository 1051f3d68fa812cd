"""The official PLAsTiCC files: read unchanged in both publications, refused with file, row and column."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from classifiers.taxonomy import PLASTICC_TARGETS
from training import official
from training.checked import FIRST_ROW, TrainingTableError
from training.examples import Objects
from training.official import points_by_object, read_metadata, read_training_set
from training.shipped import shipped
from training.simulate.run import simulate_tables
from training.simulate.tables import METADATA_COLUMNS

TRUTH = {"true_target": 90, "true_submodel": 1, "true_z": 0.1, "true_peakmjd": 60000.0, "tflux_u": 1.0}

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Real light curves and their metadata in the challenge's columns."""
    points = shipped("plasticc_light_curves").query("not mjd_is_relative").drop(columns="mjd_is_relative")
    metadata = shipped("plasticc_metadata")
    metadata = metadata[metadata["object_id"].isin(points["object_id"])].reset_index(drop=True)
    return points.astype({"detected": int}).reset_index(drop=True), metadata[list(METADATA_COLUMNS)]


def write(folder: Path, points: pd.DataFrame, metadata: pd.DataFrame) -> Path:
    points.to_csv(folder / "training_set.csv", index=False)
    metadata.to_csv(folder / "training_set_metadata.csv", index=False)
    return folder


def test_the_challenges_files_are_read(tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    found = read_training_set(write(tmp_path, *tables))
    assert found.names == ("training_set.csv", "training_set_metadata.csv")
    assert found.points["flux"].to_numpy() == pytest.approx(tables[0]["flux"].to_numpy())
    assert found.metadata["object_id"].tolist() == tables[1]["object_id"].tolist()


def test_the_unblinded_files_are_read_packed_and_nothing_of_the_truth(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    points, metadata = tables
    unblinded = metadata.rename(columns={"ddf": "ddf_bool"}).assign(**TRUTH)
    named = points.rename(columns={"detected": "detected_bool"})
    for name, table in (("lightcurves", named), ("metadata", unblinded)):
        text = table.to_csv(index=False).replace(",", ", ")  # the published file pads its numbers
        (tmp_path / f"plasticc_train_{name}.csv.gz").write_bytes(gzip.compress(text.replace(", ", ",", 12).encode()))
    found = read_training_set(tmp_path)
    assert tuple(found.metadata.columns) == tuple(official.METADATA)
    assert not set(TRUTH) & {*found.metadata.columns, *found.points.columns}
    assert found.metadata["target"].isin(PLASTICC_TARGETS).all()


def test_what_the_simulator_writes_is_read_as_it_is(tmp_path: Path) -> None:
    points, metadata = simulate_tables(20, 3)
    objects = Objects.from_training_set(read_training_set(write(tmp_path, points, metadata)))
    assert len(objects) == 20
    assert objects.parents.tolist() == metadata["object_id"].tolist()
    assert [PLASTICC_TARGETS[label] for label in objects.labels] == metadata["target"].tolist()


def test_of_a_wrong_folder_some_names_are_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingTableError, match="found nothing in it"):
        read_training_set(tmp_path)
    for number in range(20):
        (tmp_path / f"{number:02}.csv").touch()
    with pytest.raises(TrainingTableError, match=r"found 00.csv, .*, 07.csv and 12 more$"):
        read_training_set(tmp_path)


def test_truth_reaches_no_light_curve(tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    plain = Objects.from_training_set(read_training_set(write(tmp_path, *tables)))
    told = tables[1].assign(**TRUTH, hostgal_specz=9.0, distmod=9.0)  # neither is known of an alert
    unblinded = Objects.from_training_set(read_training_set(write(tmp_path, tables[0], told)))
    assert unblinded.alerts.table.equals(plain.alerts.table)


def with_value(column: str, row: int, value: object) -> Change:
    """A change of one value, as it stands in the file."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        changed = table.astype({column: object})
        changed.loc[changed.index[row - FIRST_ROW], column] = value
        return changed

    return change


BAD_POINTS = [
    (lambda t: t.drop(columns="flux"), "has no column flux; it has object_id"),
    (with_value("flux", 7, None), r", row 7 \(object 615\), column flux: nan isn't a finite number"),
    (with_value("flux_err", 3, -1.0), r", row 3 \(object 615\), column flux_err: -1.0 isn't above 0"),
    (with_value("passband", 3, 6), r", row 3 \(object 615\), column passband: 6 isn't one of"),
    (with_value("object_id", 4, "x"), ", row 4, column object_id: 'x' isn't a number"),
    (with_value("object_id", 4, None), ", row 4, column object_id: no value"),
    (lambda t: pd.concat([t, t.iloc[3:4]]), "column mjd: .* stands twice in the same passband"),
    (lambda t: t[t["object_id"] != 615], "_metadata.csv, row 2, column object_id: 615 has no points"),
    (lambda t: t.iloc[:0], "has a header and no rows"),
]

BAD_METADATA = [
    (lambda t: t.drop(columns="mwebv"), "has no column mwebv"),
    (with_value("target", 3, 99), r", row 3 \(object 713\), column target: 99 isn't a class of the training set"),
    (with_value("ra", 2, None), r", row 2 \(object 615\), column ra: nan isn't"),
    (lambda t: pd.concat([t, t]), "row 12, column object_id: 615 stands twice"),
    (lambda t: t.iloc[1:], "training_set.csv, row 2, column object_id: 615 has no row in training_set_metadata.csv"),
]


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        *(("training_set.csv", *case) for case in BAD_POINTS),
        *(("training_set_metadata.csv", *case) for case in BAD_METADATA),
    ],
)
def test_bad_files_are_refused_with_file_row_and_column(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame], file: str, change: Change, message: str
) -> None:
    write(tmp_path, *tables)
    table = tables[0] if file == "training_set.csv" else tables[1]
    change(table).to_csv(tmp_path / file, index=False)
    with pytest.raises(TrainingTableError, match=message):
        Objects.from_training_set(read_training_set(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "isn't a table of comma-separated values"),
        (b"\xff\xfe\x00\x01" * 50, "isn't a table of comma-separated values"),
        (b"object_id,mjd,passband,flux,flux_err,detected\n1,2,3\n", "row 2: 3 values in place of 6"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame], content: bytes, message: str
) -> None:
    (write(tmp_path, *tables) / "training_set.csv").write_bytes(content)
    with pytest.raises(TrainingTableError, match=f"training_set.csv.*{message}"):
        read_training_set(tmp_path)


def test_a_damaged_gzip_file_is_refused(tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    text = gzip.compress((write(tmp_path, *tables) / "training_set.csv").read_bytes())
    (tmp_path / "training_set.csv").unlink()
    (tmp_path / "training_set.csv.gz").write_bytes(text[: len(text) // 2])
    with pytest.raises(TrainingTableError, match=r"training_set\.csv\.gz"):
        read_training_set(tmp_path)


def test_a_folder_without_them_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "test_set.csv").touch()
    with pytest.raises(TrainingTableError, match=r"wanted training_set.csv and .*found test_set.csv"):
        read_training_set(tmp_path)
    with pytest.raises(TrainingTableError, match="no such folder"):
        read_training_set(tmp_path / "nowhere")


@pytest.mark.parametrize("size", [200, 1500, 10**7])
def test_blocks_hold_whole_objects_whatever_their_size(
    tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official._IN_ORDER, "block_size", size)
    blocks = list(points_by_object(write(tmp_path, *tables) / "training_set.csv"))
    joined = pd.concat(blocks, ignore_index=True)
    assert joined["mjd"].to_numpy() == pytest.approx(tables[0]["mjd"].to_numpy())
    ids = np.concatenate([block["object_id"].unique() for block in blocks])
    assert len(ids) == len(set(ids)) == tables[1].shape[0]


def test_an_object_in_two_places_is_refused(tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    parted = pd.concat([tables[0], tables[0].iloc[:2]])
    parted.to_csv(tmp_path / "test_set.csv", index=False)
    with pytest.raises(TrainingTableError, match="points of object 615 don't lie together"):
        list(points_by_object(tmp_path / "test_set.csv"))


def test_the_test_sets_metadata_tell_no_class(tmp_path: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    write(tmp_path, tables[0], tables[1].drop(columns=["target", "hostgal_specz"]))
    asked = read_metadata(tmp_path / "training_set_metadata.csv", official.ASKED)
    assert asked["object_id"].tolist() == tables[1]["object_id"].tolist()
