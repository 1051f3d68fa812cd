"""The statistics that others published, computed again: they agree on every real light curve that is to be had."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from training.shipped import shipped
from training.table_statistics import table_statistics


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    points = shipped("plasticc_light_curves")
    return table_statistics(points, points["object_id"].unique())


def test_the_published_values_of_the_real_objects_come_out(real: pd.DataFrame) -> None:
    published = shipped("plasticc_statistics").set_index("object_id").loc[real["object_id"]]
    assert len(published) == 100
    assert len(published.columns) >= 24
    for name in published.columns:
        assert real[name].to_numpy() == pytest.approx(published[name].to_numpy(), rel=2e-5, abs=1e-4), name


def test_they_are_what_pandas_and_scipy_say(real: pd.DataFrame) -> None:
    points = shipped("plasticc_light_curves").astype({"flux": float, "flux_err": float})
    for row, (_, curve) in enumerate(points.groupby("object_id", sort=False)):
        said = real.iloc[row]
        band = curve[curve["passband"] == 2].sort_values("mjd")["flux"]
        assert said["2__kurtosis"] == pytest.approx(band.kurt(), rel=1e-6)
        assert said["2__skewness"] == pytest.approx(band.skew(), rel=1e-6)
        assert said["skew__2"] == pytest.approx(stats.skew(band), rel=1e-6)
        fourier = np.abs(np.fft.rfft(band.to_numpy()))
        assert said['2__fft_coefficient__coeff_1__attr_"abs"'] == pytest.approx(fourier[1], rel=1e-6)
        assert said["flux_std"] == pytest.approx(curve["flux"].std(), rel=1e-6)
        assert said["flux_err_skew"] == pytest.approx(curve["flux_err"].skew(), rel=1e-6)
        assert said["detected_mean"] == pytest.approx(curve["detected"].mean())
        assert said["flux_ratio_sq_sum"] == pytest.approx(((curve["flux"] / curve["flux_err"]) ** 2).sum())


def test_order_does_not_matter_and_objects_do_not_mix(real: pd.DataFrame) -> None:
    points = shipped("plasticc_light_curves").sample(frac=1.0, random_state=1)
    ids = real["object_id"].to_numpy()[::-1].copy()
    shuffled = table_statistics(points, ids).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(shuffled, real, rtol=1e-9)
    one = points[points["object_id"] == ids[5]]
    pd.testing.assert_frame_equal(
        table_statistics(one, ids[5:6]), shuffled.iloc[::-1].iloc[5:6].reset_index(drop=True), rtol=1e-9
    )


def test_a_band_without_points_has_no_value() -> None:
    points = pd.DataFrame(
        {"object_id": 3, "mjd": [1.0, 2.0], "passband": 1, "flux": [5.0, 7.0], "flux_err": 1.0, "detected": 0}
    )
    said = table_statistics(points, np.array([3])).iloc[0]
    assert said["maximum__1"] == 7.0
    assert np.isnan(said["maximum__0"])
    assert np.isnan(said["1__kurtosis"])
    assert np.isnan(said["mjd_diff_det"])
