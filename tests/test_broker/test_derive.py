"""What annotations add by arithmetic, against independent references."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time

from broker._derive import galactic, night_of

RANDOM = np.random.default_rng(5)


def test_galactic_positions_agree_with_astropy_as_far_as_the_two_definitions_do():
    # astropy goes by way of FK5, which is turned against ICRS by 25 mas; the Hipparcos catalogue defines it on ICRS.
    ra, dec = RANDOM.uniform(0, 360, 2000), np.degrees(np.arcsin(RANDOM.uniform(-1, 1, 2000)))
    expected = SkyCoord(ra, dec, unit="deg").galactic
    found = SkyCoord(*galactic(ra, dec), unit="deg", frame="galactic")
    assert expected.separation(found).mas.max() < 30.0


def test_a_position_s_bits_don_t_depend_on_its_company():
    ra, dec = RANDOM.uniform(0, 360, 333), RANDOM.uniform(-90, 90, 333)
    together = galactic(ra, dec)
    alone = [galactic(ra[k : k + 1], dec[k : k + 1]) for k in range(333)]
    assert [t.tobytes() for t in together] == [np.concatenate([a[i] for a in alone]).tobytes() for i in (0, 1)]


@pytest.mark.parametrize("mjd", [51544.0, 60000.49, 60000.5, 61109.2, 61110.0, 62000.999])
def test_a_night_is_the_date_twelve_hours_before(mjd):
    assert night_of(np.array([mjd]))[0] == int(Time(mjd - 0.5, format="mjd").strftime("%Y%m%d"))
