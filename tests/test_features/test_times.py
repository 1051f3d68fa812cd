"""Times of small light curves, worked out by hand."""

import numpy as np
import pytest

CURVE = (
    (60000.0, 10.0, 10.0, "g", False),
    (60004.0, 40.0, 10.0, "r", False),
    (60010.0, 100.0, 10.0, "r", True),
    (60010.5, 20.0, 10.0, "g", False),
    (60012.0, 200.0, 10.0, "r", True),
    (60013.0, 150.0, 10.0, "g", True),
    (60020.0, 120.0, 10.0, "r", True),
    (60024.0, 60.0, 10.0, "r", False),
    (60090.0, 0.0, 10.0, "g", False),
)


def test_landmarks(features_of):
    found = features_of(*CURVE)
    expected = {
        "observed_span": 90.0,
        "longest_gap": 66.0,
        "days_since_first_detection": 80.0,
        "days_since_last_detection": 70.0,
        "detection_span": 10.0,
        "longest_detection_gap": 7.0,
        "detection_duty": 4 / 5,
        "n_points_before_detection": 2.0,
        "days_undetected_before": 6.0,
        "days_to_peak": 2.0,
        "days_since_peak": 78.0,
        "peak_time_r": 2.0,
        "peak_time_g": 3.0,
        "rest_days_since_first_detection": 80.0 / 1.5,
        "rest_detection_span": 10.0 / 1.5,
        "rest_days_to_peak": 2.0 / 1.5,
        "rest_days_since_peak": 78.0 / 1.5,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6)
    assert np.isnan(found["peak_time_i"])


def test_half_peak_is_interpolated(features_of):
    found = features_of(*CURVE)
    assert found["rise_half_r"] == pytest.approx(
        2.0
    )  # at half exactly is still above; 100 at 60010, next below at 60004
    assert found["fall_half_r"] == pytest.approx(8.0 + 4.0 * 20 / 60)
    assert found["rise_half_g"] == pytest.approx(60013.0 - (60010.5 + 2.5 * 55 / 130), rel=1e-6)


def test_nothing_is_interpolated_across_a_season(features_of):
    assert np.isnan(features_of(*CURVE)["fall_half_g"])


def test_half_peak_of_a_dip_is_that_of_the_outburst_upside_down(features_of):
    upside_down = [(mjd, -flux, error, band, found) for mjd, flux, error, band, found in CURVE]
    dip, burst = features_of(*upside_down), features_of(*CURVE)
    for name in ("rise_half_r", "fall_half_r", "rise_half_g", "peak_time_r", "brightness_width"):
        assert dip[name] == burst[name]


def test_brightness_is_that_of_the_episode(features_of):
    episode = np.array([(mjd, flux / error) for mjd, flux, error, _, _ in CURVE[2:7]])
    time, weight = episode[:, 0] - 60010.0, episode[:, 1] ** 2
    mean = np.average(time, weights=weight)
    found = features_of(*CURVE)
    assert found["brightness_time"] == pytest.approx(mean, rel=1e-6)
    assert found["brightness_width"] == pytest.approx(np.sqrt(np.average((time - mean) ** 2, weights=weight)), rel=1e-6)


def test_a_peak_outside_the_episode_is_none(features_of):
    spike = (60060.0, 9000.0, 10.0, "r", False)
    found = features_of(*CURVE[:8], spike, CURVE[8])
    assert found["days_to_peak"] == pytest.approx(2.0)


def test_undetected_points_of_the_same_night_belong_to_the_episode(features_of):
    night = [(60000.0, 90.0, 10.0, "g", True), (60000.5, 30.0, 10.0, "r", False), (60001.5, 95.0, 10.0, "i", False)]
    found = features_of(*night)
    assert found["peak_time_r"] == pytest.approx(0.5)
    assert np.isnan(found["peak_time_i"])


def test_without_detection_times_since_it_are_unknown(features_of):
    found = features_of(*((mjd, flux, error, band, False) for mjd, flux, error, band, _ in CURVE))
    for name in ("days_since_first_detection", "detection_span", "days_to_peak", "peak_time_r", "bazin_t0"):
        assert np.isnan(found[name])
    assert found["days_since_peak"] == pytest.approx(78.0)
