"""MJD TAI as the time that computers keep."""

from datetime import UTC, datetime

import numpy as np
import pytest

from broker._utc import unix_seconds


@pytest.mark.parametrize(
    ("mjd", "tai_minus_utc", "moment"),
    [
        (51544.0, 32, datetime(2000, 1, 1, tzinfo=UTC)),
        (53736.0, 33, datetime(2006, 1, 1, tzinfo=UTC)),
        (57753.5, 36, datetime(2016, 12, 31, 12, tzinfo=UTC)),
        (57754.0, 37, datetime(2017, 1, 1, tzinfo=UTC)),
        (61109.25, 37, datetime(2026, 3, 10, 6, tzinfo=UTC)),
    ],
)
def test_tai_is_ahead_by_the_leap_seconds(mjd, tai_minus_utc, moment):
    (found,) = unix_seconds(np.array([mjd + tai_minus_utc / 86_400]))
    assert found == pytest.approx(moment.timestamp(), abs=1e-5)


def test_it_never_runs_backwards_but_by_the_leap_second():
    days = np.arange(51000, 62000, 0.25)
    steps = np.diff(unix_seconds(days))
    assert np.all((np.abs(steps - 21_600) < 1e-5) | (np.abs(steps - 21_599) < 1e-5))
    assert np.sum(np.abs(steps - 21_599) < 1e-5) == 5
