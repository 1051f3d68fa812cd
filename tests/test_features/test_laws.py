"""Laws that hold whatever the light curve: a row depends on its own object, and on no choice of origin or unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.extract import catalogue, feature_matrix
from features.family import FeatureInput
from schemas.alerts import AlertBatch

LINEAR = np.array(["nJy" in feature.unit for feature in catalogue()])
ABSOLUTE = np.array(["absolute" in feature.name for feature in catalogue()])

POINT = st.tuples(
    st.integers(0, 400 * 1024),
    st.floats(-1e4, 1e6, width=32),
    st.floats(1.0, 1e3, width=32),
    st.sampled_from("ugrizy"),
    st.booleans(),
)
"""Times in units of 1/1024 d, so that adding whole days rounds nothing."""


@st.composite
def light_curves(draw, shortest=0, longest=40):
    points = sorted(draw(st.lists(POINT, min_size=shortest, max_size=longest)), key=lambda point: point[0])
    return [(60000.0 + tick / 1024, flux, error, band, detected) for tick, flux, error, band, detected in points]


def matrix(alerts: AlertBatch) -> np.ndarray:
    return feature_matrix(FeatureInput.from_alerts(alerts), [feature.name for feature in catalogue()])


def transformed(curve, shift=0.0, factor=1.0):
    return [(mjd + shift, factor * flux, factor * error, band, found) for mjd, flux, error, band, found in curve]


laws = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    """Compile before hypothesis starts its clock."""
    matrix(AlertBatch.concat([]))


@laws
@given(curves=st.lists(light_curves(), min_size=1, max_size=6), data=st.data())
def test_a_batch_is_a_loop_in_any_order(alerts_of, curves, data):
    alerts = alerts_of(*curves)
    together = matrix(alerts)
    order = data.draw(st.permutations(range(len(curves))))
    for row, curve in enumerate(curves):
        assert matrix(alerts_of(curve)).tobytes() == together[row].tobytes()
    assert matrix(alerts.take(np.array(order))).tobytes() == together[order].tobytes()


@laws
@given(curve=light_curves(), others=st.lists(light_curves(), max_size=5))
def test_company_changes_nothing(alerts_of, curve, others):
    alone = matrix(alerts_of(curve))
    assert matrix(alerts_of(curve, *others))[0].tobytes() == alone.tobytes()


@laws
@given(curve=light_curves(shortest=1), days=st.integers(-30000, 4000))
def test_the_origin_of_time_changes_nothing(alerts_of, curve, days):
    np.testing.assert_array_equal(matrix(alerts_of(transformed(curve, shift=days))), matrix(alerts_of(curve)))


@laws
@given(curve=light_curves(shortest=1), power=st.integers(-30, 30))
def test_the_unit_of_flux_scales_what_is_linear(alerts_of, curve, power):
    before = matrix(alerts_of(curve))[0]
    after = matrix(alerts_of(transformed(curve, factor=2.0**power)))[0]
    np.testing.assert_array_equal(after[LINEAR], before[LINEAR] * np.float32(2.0**power))
    np.testing.assert_array_equal(after[~LINEAR & ~ABSOLUTE], before[~LINEAR & ~ABSOLUTE])
    np.testing.assert_allclose(after[ABSOLUTE], before[ABSOLUTE] - 2.5 * power * np.log10(2.0), rtol=0, atol=1e-4)


@laws
@given(curve=light_curves(shortest=1))
def test_a_batch_cut_from_a_longer_one(alerts_of, curve):
    """Its arrays don't start where their buffers do."""
    whole = alerts_of(transformed(curve, factor=2.0), curve, curve)
    cut = AlertBatch(whole.table.slice(1, 1))
    assert matrix(cut).tobytes() == matrix(alerts_of(curve)).tobytes()
