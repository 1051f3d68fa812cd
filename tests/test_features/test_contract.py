"""What every family of features must keep; families are found, not listed."""

import re

import numpy as np
import pytest
from astropy import units

from features.extract import catalogue, extract
from features.families import discover
from features.family import FeatureFamily, FeatureInput

FAMILIES = pytest.mark.parametrize("family", discover(), ids=lambda family: family.name)


def points(*rows):
    """Points from (mjd, flux, error, band); the brightest count as detected."""
    return [(mjd, flux, error, band, abs(flux) > 5 * error) for mjd, flux, error, band in rows]


HARD_CASES = {
    "no points": [],
    "one point": points((60000.0, 900.0, 30.0, "r")),
    "one point, not detected": points((60000.0, 9.0, 30.0, "r")),
    "two points": points((60000.0, 900.0, 30.0, "r"), (60000.01, 700.0, 30.0, "g")),
    "three points": points((60000.0, 900.0, 30.0, "r"), (60000.01, 700.0, 30.0, "g"), (60003.0, 1700.0, 30.0, "g")),
    "one band": points(*((60000.0 + i, 100.0 * i, 30.0, "i") for i in range(12))),
    "one point a band": points(*((60000.0 + i, 100.0 * i, 30.0, b) for i, b in enumerate("ugrizy"))),
    "equal times": points(*((60000.0, 100.0 * i, 30.0, "ugrizy"[i % 6]) for i in range(24))),
    "identical fluxes": points(*((60000.0 + i, 0.1, 0.01, "ugrizy"[i % 6]) for i in range(24))),
    "no flux at all": points(*((60000.0 + i, 0.0, 10.0, "ugrizy"[i % 6]) for i in range(24))),
    "negative": points(*((60000.0 + i, -100.0 * (i % 7), 30.0, "ugrizy"[i % 6]) for i in range(24))),
    "tiny": points(*((60000.0 + i, 1e-30 * (i % 5), 1e-30, "ugrizy"[i % 6]) for i in range(24))),
    "huge": points(*((60000.0 + i, 1e12 * (i % 5), 1e12, "ugrizy"[i % 6]) for i in range(24))),
    "huge over tiny": points(*((60000.0 + i, (-1) ** i * 1e12 * (i % 5), 1e-30, "ugrizy"[i % 6]) for i in range(24))),
    "tiny over huge": points(*((60000.0 + i, 1e-30 * (i % 5), 1e12, "ugrizy"[i % 6]) for i in range(24))),
    "mixed scales": points(
        *((60000.0 + i, 10.0 ** (3 * (i % 14) - 30), 10.0 ** -(i % 30), "gr"[i % 2]) for i in range(60))
    ),
    "thousands": points(*((60000.0 + 0.1 * i, 500.0 * np.sin(i), 30.0, "ugrizy"[i % 6]) for i in range(4000))),
}
CASES = pytest.mark.parametrize("case", HARD_CASES.values(), ids=HARD_CASES.keys())
COUNTS = re.compile(r"n_points(_.)?|n_detections(_.)?|n_bands|n_bands_detected")


def test_there_are_enough_and_their_names_are_unique():
    names = [feature.name for feature in catalogue()]
    assert len(names) >= 75
    assert len(set(names)) == len(names)


def test_family_names_are_unique():
    names = [family.name for family in discover()]
    assert len(set(names)) == len(names)


@FAMILIES
def test_each_is_documented(family: FeatureFamily):
    for feature in family.features:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", feature.name), feature
        assert len(feature.meaning.split()) > 3, feature
        assert feature.meaning.endswith("."), feature
        assert "{" not in feature.meaning, feature
        assert feature.source, feature
        units.Unit(feature.unit)


@FAMILIES
@CASES
def test_shape_and_type(family: FeatureFamily, case, alerts_of):
    values = family.compute(FeatureInput.from_alerts(alerts_of(case, case)))
    assert values.shape == (2, len(family.features))
    assert values.dtype == np.float64


@FAMILIES
def test_an_empty_batch(family: FeatureFamily, alerts_of):
    assert family.compute(FeatureInput.from_alerts(alerts_of())).shape == (0, len(family.features))


@CASES
@pytest.mark.parametrize("host_photoz", [None, -0.1, 0.0, 1e-30, 0.5, 1e12])
def test_hard_cases_give_numbers_or_nan(case, host_photoz, alerts_of):
    table = extract(alerts_of(case, host_photoz=host_photoz))
    for column in table.itercolumns():
        assert column.null_count == 0
        assert not np.isinf(column.to_numpy()).any()


def test_no_points_tell_nothing_but_their_number(features_of):
    features = features_of(host_photoz=None, host_photoz_err=None, milky_way_ebv=None)
    for name, value in features.items():
        assert value == 0.0 if COUNTS.fullmatch(name) else np.isnan(value), name


def test_what_the_host_does_not_tell_is_nan(features_of, outburst):
    features = features_of(*outburst(1, 60), host_photoz=None, host_photoz_err=None, milky_way_ebv=None)
    unknown = [name for name in features if re.search("photoz|ebv|modulus|absolute|rest_", name)]
    assert len(unknown) == 18
    assert all(np.isnan(features[name]) for name in unknown)


def test_identical_fluxes_have_no_shape(features_of):
    features = features_of(*HARD_CASES["identical fluxes"])
    for stem in ("flux_skew", "flux_kurtosis", "stetson_k", "von_neumann"):
        assert np.isnan(features[f"{stem}_g"])
    assert features["flux_amplitude_g"] == 0.0
