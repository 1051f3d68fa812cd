"""What an AlertBatch promises: checked columns, rows there and back, light curves as flat arrays."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.alerts import SCHEMA, AlertBatch, AlertBatchError, LightCurves, light_curve_array

ROW = {
    "survey": "lsst", "schema_version": "10.0", "alert_id": 2**62 + 1, "source_id": 1, "mjd": 61000.0, "ra": 1.0,
    "dec": 2.0, "is_solar_system": False, "n_dropped_points": 0, "light_curve": [],
}  # fmt: skip
POINT = {"mjd": 61000.0, "flux": 1.5, "flux_err": 0.5, "band": "y", "detected": True}


def test_the_first_detection_is_that_of_each_object():
    curves = LightCurves(
        offsets=np.array([0, 3, 3, 5]),
        mjd=np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
        flux=np.zeros(5),
        flux_err=np.ones(5),
        band=np.zeros(5, np.uint8),
        detected=np.array([False, True, True, False, False]),
    )
    np.testing.assert_array_equal(curves.first_detection, [2.0, np.nan, np.nan])


def test_rows_come_back_as_they_went_in_ids_to_the_last_digit():
    rows = AlertBatch.from_rows([{**ROW, "light_curve": [POINT, {**POINT, "band": "u"}]}, ROW]).to_rows()
    assert rows[0]["alert_id"] == 2**62 + 1
    assert [point["band"] for point in rows[0]["light_curve"]] == ["y", "u"]
    assert rows[1]["light_curve"] == []
    assert rows[1]["host_photoz"] is None


def test_flat_arrays_and_the_column_are_the_same_light_curves():
    batch = AlertBatch.from_rows([{**ROW, "light_curve": [POINT] * k} for k in (2, 0, 3)])
    curves = batch.light_curves
    assert curves.lengths.tolist() == [2, 0, 3]
    assert curves.owner.tolist() == [0, 0, 2, 2, 2]
    assert light_curve_array(curves).equals(batch.table["light_curve"].combine_chunks())


def test_a_slice_has_its_own_light_curves():
    batch = AlertBatch.from_rows([{**ROW, "light_curve": [{**POINT, "flux": float(k)}] * k} for k in (1, 2, 3)])
    assert AlertBatch(batch.table.slice(1)).light_curves.flux.tolist() == [2, 2, 3, 3, 3]
    assert batch.take(np.array([2, 0])).light_curves.flux.tolist() == [3, 3, 3, 1]


def test_no_batches_make_an_empty_one():
    empty = AlertBatch.concat([])
    assert len(empty) == len(empty.light_curves) == 0


def test_another_schema_is_refused():
    with pytest.raises(AlertBatchError, match="expected the columns"):
        AlertBatch(pa.table({"survey": ["lsst"]}))


def test_a_null_where_none_may_be_is_named():
    columns = AlertBatch.from_rows([ROW]).table.columns
    columns[SCHEMA.get_field_index("ra")] = pa.array([None], pa.float64())
    with pytest.raises(AlertBatchError, match="'ra' must not hold nulls"):
        AlertBatch(pa.table(columns, schema=SCHEMA))


def test_a_band_that_no_one_knows_is_refused():
    batch = AlertBatch.from_rows([{**ROW, "light_curve": [{**POINT, "band": "H"}]}])
    with pytest.raises(AlertBatchError, match="a light-curve band outside"):
        _ = batch.light_curves
