"""Training tables as AlertBatch: units, order, errors."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from training.checked import TrainingTableError
from training.light_curves import alerts_from_plasticc, real_elasticc2, real_plasticc
from training.shipped import shipped

POINTS = pd.DataFrame(
    {
        "object_id": [7, 5, 7, 7, 5],
        "mjd": [59600.5, 59601.0, 59599.0, 59610.0, 59602.0],
        "passband": [2, 3, 1, 5, 0],
        "flux": [10.0, 1.0, 2.0, -3.0, 4.0],
        "flux_err": [1.0, 1.0, 2.0, 3.0, 4.0],
        "detected": [1, 0, 0, 0, 0],
    }
)
METADATA = pd.DataFrame(
    {
        "object_id": [5, 7],
        "ra": [10.0, 20.0],
        "decl": [-5.0, -6.0],
        "hostgal_photoz": [0.0, 0.4],
        "hostgal_photoz_err": [0.0, 0.1],
        "mwebv": [0.02, np.nan],
        "target": [92, 90],
    }
)


def test_rows_follow_the_metadata_and_points_follow_time() -> None:
    alerts, targets = alerts_from_plasticc(POINTS, METADATA)
    assert alerts.table["object_id"].to_pylist() == ["5", "7"]
    assert targets.tolist() == [92, 90]
    curves = alerts.light_curves
    assert curves.offsets.tolist() == [0, 2, 5]
    assert curves.mjd.tolist() == [59601.0, 59602.0, 59599.0, 59600.5, 59610.0]
    assert curves.band.tolist() == [3, 0, 1, 2, 5]


def test_flux_gets_the_zero_point_31_4_once() -> None:
    alerts, _ = alerts_from_plasticc(POINTS, METADATA)
    magnitude = 31.4 - 2.5 * np.log10(alerts.light_curves.flux[3])
    assert magnitude == pytest.approx(27.5 - 2.5 * np.log10(10.0))
    assert alerts.light_curves.flux_err[3] == pytest.approx(3630.7805 / 100.0)


def test_the_alert_is_the_last_detection_else_the_last_point() -> None:
    alerts, _ = alerts_from_plasticc(POINTS, METADATA)
    assert alerts.table["mjd"].to_pylist() == [59602.0, 59600.5]
    assert alerts.table["band"].to_pylist() == ["u", "r"]
    assert alerts.column("snr").tolist() == pytest.approx([1.0, 10.0])


def test_unknown_is_null() -> None:
    alerts, _ = alerts_from_plasticc(POINTS, METADATA)
    assert alerts.table["milky_way_ebv"].to_pylist() == [0.02, None]
    assert alerts.table["reliability"].null_count == 2


def test_order_of_points_does_not_matter() -> None:
    shuffled = POINTS.sample(frac=1.0, random_state=3)
    assert alerts_from_plasticc(shuffled, METADATA)[0].table.equals(alerts_from_plasticc(POINTS, METADATA)[0].table)


def test_detected_bool_is_another_name() -> None:
    renamed = POINTS.rename(columns={"detected": "detected_bool"})
    assert alerts_from_plasticc(renamed, METADATA)[0].table.equals(alerts_from_plasticc(POINTS, METADATA)[0].table)


@pytest.mark.parametrize(
    ("points", "metadata", "message"),
    [
        (POINTS.drop(columns="flux"), METADATA, "the table of points has no column flux"),
        (POINTS, METADATA.drop(columns="target"), "the table of metadata has no column target"),
        (
            POINTS,
            METADATA.iloc[:1],
            "the table of points, row 2, column object_id: 7 has no row in the table of metadata",
        ),
        (POINTS[POINTS["object_id"] == 7], METADATA, "the table of metadata, row 2, column object_id: 5 has no points"),
        (POINTS.assign(flux=[1, 2, np.nan, 4, 5]), METADATA, r"row 4 \(object 7\), column flux: nan isn't a finite"),
        (POINTS.assign(flux_err=[1, 0, 1, 1, 1]), METADATA, r"row 3 \(object 5\), column flux_err: 0 isn't above 0"),
        (POINTS.assign(passband=[1, 2, 3, 4, 6]), METADATA, r"row 6 \(object 5\), column passband: 6 isn't one of"),
        (POINTS, METADATA.assign(target=[92, 99]), r"row 3 \(object 7\), column target: 99 isn't a class"),
        (POINTS, METADATA.assign(ra=[np.nan, 1.0]), r"row 2 \(object 5\), column ra: nan"),
        (POINTS, pd.concat([METADATA, METADATA]), "row 4, column object_id: 5 stands twice"),
    ],
)
def test_bad_tables_are_refused_by_name_row_and_column(
    points: pd.DataFrame, metadata: pd.DataFrame, message: str
) -> None:
    with pytest.raises(TrainingTableError, match=message):
        alerts_from_plasticc(points, metadata)


def test_the_real_objects_load() -> None:
    alerts, targets = real_plasticc()
    assert len(alerts) == 100
    assert Counter(targets.tolist()) == {
        42: 32,
        62: 30,
        65: 2,
        88: 1,
        90: 34,
        92: 1,
    }
    assert alerts.light_curves.mjd.min() > 59000
    others, classes = real_elasticc2()
    assert len(others) == 346
    assert Counter(classes.tolist()) == {62: 272, 64: 47, 65: 27}
    assert (np.bincount(others.light_curves.owner[others.light_curves.detected]) >= 1).all()


def test_a_table_that_does_not_ship_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="plasticc_metadata"):
        shipped("nothing")
