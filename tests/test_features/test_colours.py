"""Colours and luminosities, worked out by hand."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from features._cosmology import FARTHEST, NEAREST, distance_modulus

COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
CURVE = (
    (60000.0, 100.0, 10.0, "g", True),
    (60000.1, 200.0, 10.0, "r", True),
    (60005.0, 300.0, 10.0, "r", True),
    (60010.0, 50.0, 10.0, "g", True),
    (60010.5, 250.0, 10.0, "r", True),
    (60011.0, 20.0, 10.0, "i", False),
)


def magnitude(ratio):
    return -2.5 * np.log10(ratio)


def test_colours(features_of):
    found = features_of(*CURVE)
    expected = {
        "colour_peak_gr": magnitude(100 / 300),
        "colour_first_gr": magnitude(100 / 200),
        "colour_last_gr": magnitude(50 / 250),
        "colour_change_gr": magnitude(50 / 250) - magnitude(100 / 200),
        "contrast_mean_gr": (75 - 250) / (75 + 250),
        "colour_peak_ri": magnitude(300 / 20),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)


def test_a_faint_point_gives_no_nightly_colour(features_of):
    assert np.isnan(features_of(*CURVE)["colour_first_ri"])


def test_one_night_has_no_change(features_of):
    found = features_of(*CURVE[:2])
    assert found["colour_first_gr"] == found["colour_last_gr"]
    assert np.isnan(found["colour_change_gr"])


def test_colours_need_both_bands_and_one_sign(features_of):
    assert np.isnan(features_of(CURVE[0])["colour_peak_gr"])
    mixed = features_of((60000.0, 100.0, 10.0, "g", True), (60000.1, -200.0, 10.0, "r", True))
    assert np.isnan(mixed["colour_peak_gr"])
    assert mixed["contrast_mean_gr"] == pytest.approx(1.0)
    negative = features_of((60000.0, -100.0, 10.0, "g", True), (60000.1, -200.0, 10.0, "r", True))
    assert negative["colour_peak_gr"] == pytest.approx(magnitude(0.5), rel=1e-6)


def test_luminosity(features_of):
    found = features_of(*CURVE, host_photoz=0.1)
    modulus = COSMOLOGY.distmod(0.1).value
    assert found["distance_modulus"] == pytest.approx(modulus, abs=1e-5)
    assert found["absolute_magnitude_g"] == pytest.approx(31.4 - 2.5 * 2 - modulus, abs=1e-4)
    assert found["absolute_magnitude"] == found["absolute_magnitude_r"]
    assert np.isnan(found["absolute_magnitude_u"])


@pytest.mark.parametrize("redshift", [-0.1, 0.0, None])
def test_no_distance_no_luminosity(features_of, redshift):
    found = features_of(*CURVE, host_photoz=redshift)
    assert np.isnan(found["distance_modulus"])
    assert np.isnan(found["absolute_magnitude"])


def test_a_galactic_source_keeps_its_times_and_redshift(features_of):
    found = features_of(*CURVE, host_photoz=0.0)
    assert found["host_photoz"] == 0.0
    assert found["rest_detection_span"] == found["detection_span"]


def test_distances_are_those_of_astropy():
    redshift = np.random.default_rng(3).uniform(np.log(NEAREST), np.log(FARTHEST), 500)
    redshift = np.exp(redshift)
    np.testing.assert_allclose(distance_modulus(redshift), COSMOLOGY.distmod(redshift).value, rtol=0, atol=1e-5)


def test_no_distance_outside_the_table():
    assert np.isnan(distance_modulus(np.array([np.nan, -1.0, 0.0, NEAREST / 2, FARTHEST * 2, np.inf]))).all()
