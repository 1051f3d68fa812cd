"""What the survey does to the light: cadence, noise, detection, population."""

import numpy as np
import pytest

from training.shipped import shipped
from training.simulate.cadence import deep_visits, draw_visits, elasticc2_visits, wide_visits
from training.simulate.cosmology import distance_modulus
from training.simulate.detection import detect, efficiency
from training.simulate.noise import flux_error, observe, sky_error
from training.simulate.population import draw_of_class

NOWHERE = (150.0, 2.2)


def test_the_noise_formula_reproduces_the_recorded_errors() -> None:
    points = shipped("elasticc2_photometry")
    zero_point = points["zeropt"].to_numpy(float)
    magnitude = points["sim_magobs"].to_numpy(float)
    source = np.where(magnitude < 40, 10 ** (0.4 * (27.5 - magnitude)), 0.0)
    sky = sky_error(points["psf_sig1_pixel"].to_numpy(float), points["sky_sig_adu"].to_numpy(float), zero_point)
    ratio = flux_error(source, source, sky, zero_point, np.zeros(len(sky))) / points["fluxcalerr"].to_numpy(float)
    assert np.median(ratio) == pytest.approx(0.97, abs=0.01)
    assert np.quantile(ratio, 0.95) < 1.001, "the recorded error adds template noise, it never lacks any"


def test_errors_grow_with_the_source_and_measurements_scatter_by_them() -> None:
    zero_point, sky = np.full(20000, 31.5), np.full(20000, 2.0)
    faint = flux_error(np.zeros(20000), np.zeros(20000), sky, zero_point, np.full(20000, 0.005))
    bright = flux_error(np.full(20000, 4000.0), np.full(20000, 4000.0), sky, zero_point, np.full(20000, 0.005))
    assert faint == pytest.approx(2.0)
    assert bright == pytest.approx(np.sqrt(4.0 + 4000 * 10 ** (0.4 * (27.5 - 31.5)) + 400.0))
    pull = (observe(np.random.default_rng(1), np.full(20000, 4000.0), bright) - 4000.0) / bright
    assert pull.mean() == pytest.approx(0.0, abs=0.03)
    assert pull.std() == pytest.approx(1.0, abs=0.03)


def test_detection_efficiency_rises_smoothly_and_ignores_the_sign() -> None:
    snr = np.linspace(0.0, 20.0, 400)
    assert (np.diff(efficiency(snr)) >= 0).all()
    assert np.array_equal(efficiency(snr), efficiency(-snr))
    assert efficiency(np.array([1.0, 5.0, 12.0])) == pytest.approx([0.0, 0.27, 1.0], abs=0.02)
    hits = detect(np.random.default_rng(2), np.full(40000, 6.0), np.ones(40000))
    assert hits.mean() == pytest.approx(efficiency(np.array([6.0]))[0], abs=0.01)


def test_the_efficiency_is_that_of_the_points_whose_truth_is_known() -> None:
    points = shipped("elasticc2_photometry").merge(shipped("elasticc2_objects")[["snid", "model"]])
    points = points[points["model"] != "Mdwarf-flare"]
    magnitude = points["sim_magobs"].to_numpy(float)
    snr = np.where(magnitude < 40, 10 ** (0.4 * (27.5 - magnitude)), 0.0) / points["fluxcalerr"].to_numpy(float)
    found = (points["photflag"].to_numpy() & 4096) > 0
    for low in range(2, 12):
        chosen = (snr >= low) & (snr < low + 1)
        assert found[chosen].mean() == pytest.approx(efficiency(snr[chosen]).mean(), abs=0.07)


def test_cadence_libraries_hold_what_ships() -> None:
    assert len(wide_visits()) == 67
    assert len(deep_visits()) == 9
    assert len(elasticc2_visits()) == 346
    assert sum(len(visits.mjd) for visits in elasticc2_visits()) == 52172


@pytest.mark.parametrize("deep", [False, True])
def test_drawn_cadences_are_ordered_varied_and_as_deep_as_lsst(deep: bool) -> None:
    drawn = [draw_visits(np.random.default_rng(seed), deep, *NOWHERE) for seed in range(60)]
    for visits in drawn:
        assert (np.diff(visits.mjd) >= 0).all()
        assert (visits.sky > 0).all()
        assert set(visits.band) <= set(range(6))
    plasticc = [visits for visits in drawn if visits.library == "plasticc"]
    assert (len(plasticc) == len(drawn)) == deep
    counts = np.median([len(visits.mjd) for visits in plasticc])
    assert (220 < counts < 360) if deep else (90 < counts < 160)
    red = np.median(np.concatenate([visits.sky[visits.band == 2] for visits in plasticc]))
    assert (0.8 < red < 1.8) if deep else (2.5 < red < 5.0)
    assert len({visits.mjd[0] for visits in drawn}) == len(drawn)


def test_deep_objects_get_the_visits_of_their_own_field() -> None:
    aside = {
        round(draw_visits(np.random.default_rng(1), True, ra, dec).mjd[0], -1)
        for ra, dec in ((349.0, -62.0), (53.0, -28.0), (35.0, -5.0), (0.0, -45.0), (150.0, 2.0))
    }
    assert len(aside) >= 4


def test_distances_are_those_of_the_real_objects() -> None:
    real = shipped("plasticc_metadata")
    chosen = real[(real["true_z"] > 0.001) & (real["true_z"] < 3)]
    error = distance_modulus(chosen["true_z"].to_numpy()) - chosen["true_distmod"]
    assert np.abs(np.median(error)) < 0.001
    assert np.quantile(np.abs(error), 0.95) < 0.02


def test_the_population_keeps_class_and_field_and_smears_the_host() -> None:
    real = shipped("plasticc_metadata").set_index("object_id")
    drawn = [draw_of_class(np.random.default_rng(seed), 90) for seed in range(80)]
    parents = real.loc[[one.parent for one in drawn]]
    assert (parents["target"] == 90).all()
    assert [bool(one.deep) for one in drawn] == list(parents["ddf"].astype(bool))
    ratio = np.array([one.source.redshift for one in drawn]) / parents["true_z"].to_numpy()
    assert 0.015 < np.std(ratio) < 0.045
    shift = np.array([one.photoz for one in drawn]) / parents["hostgal_photoz"].to_numpy()
    assert np.allclose(shift, ratio)
