"""Each class model alone, without noise: what its physics promises."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator

from training.simulate.active_galaxy import damped_walk
from training.simulate.bands import MILKY_WAY, WAVELENGTH, Array
from training.simulate.blackbody import absolute_magnitude, planck
from training.simulate.core_collapse import hydrogen_rich, interacting, stripped
from training.simulate.cosmology import distance_modulus
from training.simulate.diffusion import emerging
from training.simulate.dust import extinction
from training.simulate.eclipsing_binary import Binary, brightness, eclipsing_binary, overlap
from training.simulate.flare import flares, template
from training.simulate.kilonova import kilonova
from training.simulate.microlensing import magnification, microlensing
from training.simulate.pulsating import mira, rr_lyrae
from training.simulate.source import ClassModel, LightCurve, Source
from training.simulate.superluminous import magnetar
from training.simulate.thermonuclear import bg91, iax, normal_ia
from training.simulate.tidal_disruption import tidal_disruption

PEAK = 60000.0


def rng(seed: int = 1) -> Generator:
    return np.random.default_rng(seed)


def extragalactic(redshift: float = 0.1, submodel: int = 1) -> Source:
    modulus = float(distance_modulus(np.array(redshift)))
    visits = np.arange(PEAK - 200.0, PEAK + 600.0)
    return Source(redshift, modulus, 0.0, PEAK, np.zeros(6), submodel, visits)


def galactic(flux: float = 1000.0) -> Source:
    return Source(0.0, 0.0, 0.0, PEAK, np.full(6, flux), 1, np.arange(PEAK, PEAK + 1000.0, 0.5))


def in_band(curve: LightCurve, mjd: Sequence[float] | Array, band: int) -> Array:
    return curve(np.asarray(mjd, dtype=np.float64), np.full(len(mjd), band, dtype=np.uint8))


def peak_magnitude(model: ClassModel, source: Source, band: int, seed: int) -> float:
    flux = in_band(model(rng(seed), source), np.arange(PEAK - 60, PEAK + 80, 0.5), band)
    return float(27.5 - 2.5 * np.log10(flux.max()))


def test_type_ia_peaks_at_minus_19_3_in_rest_frame_b() -> None:
    redshift = WAVELENGTH[1] / 4400.0 - 1.0
    source = extragalactic(redshift)
    to_absolute = source.distance_modulus - 2.5 * np.log10(1 + redshift)
    peaks = [peak_magnitude(normal_ia, source, 1, seed) - to_absolute for seed in range(200)]
    assert np.median(peaks) == pytest.approx(-19.35, abs=0.12), "AB; Vega is 0.1 fainter"
    assert 0.1 < np.std(peaks) < 0.6


def test_type_ia_has_a_second_maximum_in_i_and_none_in_g() -> None:
    source = extragalactic(0.01)
    days = np.arange(PEAK, PEAK + 60.0, 0.5)
    rises = [(np.diff(in_band(normal_ia(rng(3), source), days, band)) > 0).sum() for band in (1, 4)]
    assert rises[0] == 0
    assert rises[1] > 8


@pytest.mark.parametrize("model", [normal_ia, bg91, iax, stripped, hydrogen_rich, interacting, magnetar, kilonova])
def test_time_is_dilated_by_one_plus_z(model: ClassModel) -> None:
    def duration(redshift: float) -> float:
        source = extragalactic(redshift)
        band = 4 if redshift == 1.0 else 2  # see `near`
        days = np.arange(-100.0, 300.0, 0.25) * (1 + redshift)
        flux = in_band(model(rng(5), source), PEAK + days, band)
        return float((flux > 0.5 * flux.max()).sum() * 0.25 * (1 + redshift))

    # here the r band looks at the rest wavelength that the z band looks at when the redshift is 1
    near = WAVELENGTH[2] / WAVELENGTH[4] * 2.0 - 1.0
    assert duration(1.0) / duration(near) == pytest.approx(2.0 / (1 + near), rel=0.02)


@pytest.mark.parametrize(
    "model", [normal_ia, bg91, iax, stripped, hydrogen_rich, interacting, magnetar, kilonova, tidal_disruption]
)
def test_transients_vanish_long_before_and_shine_at_maximum(model: ClassModel) -> None:
    curve = model(rng(7), extragalactic())
    assert in_band(curve, [PEAK - 900.0], 2)[0] == 0
    assert in_band(curve, [PEAK + 1.0], 2)[0] > 0


def test_plateaus_last_months_and_then_drop() -> None:
    source = replace(extragalactic(0.01), submodel=1)
    flux = in_band(hydrogen_rich(rng(2), source), np.array([20.0, 40.0, 160.0]) + PEAK, 3)
    assert flux[0] / flux[1] < 2.0
    assert flux[1] / flux[2] > 3.0


def test_kilonovae_redden_within_days_and_are_gone_in_a_month() -> None:
    source = extragalactic(0.02)
    for seed in range(10):
        curve = kilonova(rng(seed), source)
        blue, red = (in_band(curve, PEAK + np.array([0.5, 4.0, 35.0]), band) for band in (1, 4))
        assert blue[1] / red[1] < blue[0] / red[0]
        assert red[2] < 0.02 * max(red)


def test_tidal_disruptions_fade_as_a_power_law_and_stay_hot() -> None:
    curve = tidal_disruption(rng(3), extragalactic(0.05))
    early, late, later = in_band(curve, PEAK + np.array([0.0, 200.0, 400.0]), 1)
    slope = np.log(later / late) / np.log(400.0 / 200.0)
    assert early > late
    assert -2.2 < slope < -1.2
    assert in_band(curve, [PEAK], 0)[0] / in_band(curve, [PEAK], 4)[0] > 0.8


def test_superluminous_supernovae_outshine_all_others() -> None:
    source = extragalactic(0.3)
    peaks = [peak_magnitude(magnetar, source, 2, seed) - source.distance_modulus for seed in range(40)]
    assert -23.5 < np.median(peaks) < -20.5


def test_arnetts_integral_of_steady_heating_tends_to_it() -> None:
    days = np.geomspace(0.01, 500, 300)
    light = emerging(days, np.ones(300), 20.0)
    assert light[-1] == pytest.approx(1.0, abs=1e-6)
    expected = 1.0 - np.exp(-((days / 20.0) ** 2))
    assert np.allclose(light, expected, atol=2e-6)


def test_the_sun_as_a_blackbody() -> None:
    assert absolute_magnitude(np.array(3.828e33), np.array(5772.0), np.array(5450.0)) == pytest.approx(4.8, abs=0.12)
    assert planck(np.array(5000.0), np.array(5772.0)) == pytest.approx(2.22e-5, rel=0.02)


def test_extinction_is_one_at_v_and_agrees_with_the_paper() -> None:
    assert extinction(np.array(1e4 / 1.82)) == pytest.approx(1.0)
    table_3 = {3600.0: 1.569, 4400.0: 1.337, 7000.0: 0.751, 9000.0: 0.479, 12500.0: 0.282}
    for wavelength, ratio in table_3.items():
        assert extinction(np.array(wavelength)) == pytest.approx(ratio, abs=0.015)
    assert extinction(np.array(2175.0)) > max(extinction(np.array(1900.0)), extinction(np.array(2500.0)))


def test_milky_way_dust_dims_each_band_by_its_coefficient() -> None:
    clear, dusty = extragalactic(), replace(extragalactic(), milky_way_ebv=0.2)
    for band in range(6):
        ratio = in_band(normal_ia(rng(4), dusty), [PEAK], band) / in_band(normal_ia(rng(4), clear), [PEAK], band)
        assert -2.5 * np.log10(ratio[0]) == pytest.approx(0.2 * MILKY_WAY[band])


def test_microlensing_is_achromatic_and_paczynski() -> None:
    assert magnification(np.array(1.0)) == pytest.approx(3 / np.sqrt(5))
    days = np.arange(PEAK - 50.0, PEAK + 50.0)
    source = replace(galactic(), template_flux=np.array([10.0, 20.0, 40.0, 80.0, 160.0, 320.0]))
    for seed in range(5):
        curve = microlensing(rng(seed), source)
        relative = [in_band(curve, days, band) / source.template_flux[band] for band in range(6)]
        assert np.allclose(relative, relative[0])
        assert np.argmax(relative[0]) == 50


def test_rr_lyrae_repeat_at_their_period() -> None:
    curve = rr_lyrae(rng(6), galactic())
    days = PEAK + np.arange(0.0, 3.0, 0.01)
    flux = in_band(curve, days, 1)
    trial = np.arange(0.25, 0.91, 0.0005)
    misfit = [np.abs(in_band(curve, days + period, 1) - flux).max() for period in trial]
    assert min(misfit) < 0.06 * np.ptp(flux)
    amplitude = np.ptp(-2.5 * np.log10(1000.0 + flux))
    assert 0.2 < amplitude < 1.4
    redder = np.ptp(-2.5 * np.log10(1000.0 + in_band(curve, days, 4)))
    assert redder < 0.75 * amplitude


def test_rr_lyrae_of_type_ab_rise_faster_than_they_fall() -> None:
    rising = []
    for seed in range(30):
        flux = in_band(rr_lyrae(rng(seed), galactic()), PEAK + np.arange(0.0, 2.0, 0.005), 1)
        rising.append(np.mean(np.diff(flux) > 0))
    assert np.median(rising) < 0.35


def test_miras_change_by_magnitudes_over_months_and_most_in_the_blue() -> None:
    curve = mira(rng(2), galactic())
    days = PEAK + np.arange(0.0, 1000.0)
    swing = [np.ptp(-2.5 * np.log10(1000.0 + in_band(curve, days, band))) for band in (2, 3, 5)]
    assert swing[0] > swing[1] > swing[2] > 0.8
    quick = np.abs(np.diff(in_band(curve, days, 3))).max()
    assert quick < 0.08 * np.ptp(in_band(curve, days, 3))


def test_eclipses_dim_and_contact_binaries_never_rest() -> None:
    detached = Binary(0.1, 0.1, np.pi / 2, 1.0, np.full(6, 0.5))
    phase, band = np.linspace(-0.5, 0.5, 1001), np.full(1001, 2, dtype=np.uint8)
    light = brightness(detached, phase, band)
    assert light[500] == pytest.approx(0.5, abs=0.01), "one of two equal stars is hidden"
    assert np.mean(light < 0.97) == pytest.approx(4 * np.arcsin(0.2) / (2 * np.pi), abs=0.03)
    contact = brightness(Binary(0.4, 0.38, np.pi / 2, 0.9, np.full(6, 0.5)), phase, band)
    assert np.mean(np.abs(np.diff(contact)) < 1e-5) < 0.05


def test_discs_overlap_as_geometry_says() -> None:
    apart = np.array([0.0, 0.1, 0.5, 1.4, 3.0])
    areas = overlap(apart, 1.0, 0.4)
    assert areas[[0, 1, 2]] == pytest.approx(np.pi * 0.16)
    assert areas[[3, 4]] == pytest.approx(0.0, abs=1e-6)
    equal = overlap(np.array([1.0]), 1.0, 1.0)[0]
    assert equal == pytest.approx(2 * np.pi / 3 - np.sqrt(3) / 2)


def test_binaries_vary_in_both_directions_about_their_template() -> None:
    signs = {
        np.sign(in_band(eclipsing_binary(rng(seed), galactic()), PEAK + np.arange(0.0, 30.0, 0.07), 2).sum())
        for seed in range(20)
    }
    assert signs == {-1.0, 1.0}


def test_flares_rise_in_minutes_are_blue_and_last_less_than_a_day() -> None:
    assert template(np.array([0.0])) == pytest.approx(1.0, abs=0.01)
    assert template(np.array([-1.5, 100.0])) == pytest.approx(0.0, abs=1e-9)
    source = replace(galactic(), visits=np.array([PEAK]))
    for seed in range(40):
        curve = flares(rng(seed), source)
        quiet = in_band(curve, [PEAK - 50.0], 2)[0]
        days = PEAK + np.arange(-3.0, 3.0, 1e-3)
        flux = in_band(curve, days, 2) - quiet
        lasting = days[flux > 0.1 * flux.max()]
        assert np.ptp(lasting) < 1.0
        blue = in_band(curve, days, 1) - in_band(curve, [PEAK - 50.0], 1)
        assert blue.max() / flux.max() == pytest.approx(planck_ratio(), rel=0.1)


def planck_ratio() -> float:
    green, red = planck(WAVELENGTH[1:3], np.array(9500.0))
    return float(green / red)


def test_quasars_wander_together_in_all_bands_and_most_in_the_blue() -> None:
    source = replace(extragalactic(1.0), template_flux=np.full(6, 300.0))
    days = source.visits
    blue, red = [], []
    for seed in range(20):
        curve = damped_walk(rng(seed), source)
        u, y = (-2.5 * np.log10(300.0 + in_band(curve, days, band)) for band in (0, 5))
        assert np.corrcoef(u, y)[0, 1] > 0.999
        blue.append(u.std())
        red.append(y.std())
    assert np.median(blue) > 1.2 * np.median(red)
    assert 0.03 < np.median(blue) < 0.6
