"""Features that published tables hold too: the same numbers on the 100 real objects, but for the unit of flux."""

import numpy as np
import pytest

from features.extract import extract
from schemas.alerts import BANDS
from training.light_curves import real_plasticc
from training.shipped import shipped
from training.table_statistics import table_statistics

NJY = 10 ** (0.4 * (31.4 - 27.5))
"""nJy (zero point 31.4) in a unit of PLAsTiCC's fluxes (27.5)."""

PUBLISHED = {
    "flux_max": ("maximum__{}", NJY),
    "flux_min": ("minimum__{}", NJY),
    "flux_mad": ("median_absolute_deviation__{}", NJY),
    "flux_std": ("std__{}", NJY),
}
"""Features whose values others published for these objects, their column, and the unit."""

DEFINED = {
    "flux_amplitude": ("amplitude__{}", NJY),
    "flux_mean": ("weighted_average__{}", NJY),
    "flux_skew": ("{}__skewness", 1.0),
    "flux_kurtosis": ("{}__kurtosis", 1.0),
}
"""Features whose published definitions `training.table_statistics` computes."""


@pytest.fixture(scope="module")
def ours():
    alerts, _ = real_plasticc()
    return extract(alerts), np.asarray(alerts.table["source_id"])


@pytest.fixture(scope="module")
def recomputed(ours):
    return table_statistics(shipped("plasticc_light_curves"), ours[1])


def agree(found, expected, enough):
    known = np.isfinite(expected) & np.isfinite(found)
    assert known.sum() >= enough
    assert found[known] == pytest.approx(expected[known], rel=3e-5, abs=1e-3)


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_is_the_published_value(name, ours):
    table, ids = ours
    published = shipped("plasticc_statistics").set_index("object_id").loc[ids]
    column, unit = PUBLISHED[name]
    for k, band in enumerate(BANDS):
        expected = published[column.format(k)].to_numpy(np.float64) * unit
        if name == "flux_std":  # the table divides by n, the feature by n - 1
            n = np.asarray(table[f"n_points_{band}"], np.float64)
            expected = np.where(n > 1, expected * np.sqrt(n / np.maximum(n - 1, 1)), np.nan)
        agree(np.asarray(table[f"{name}_{band}"], np.float64), expected, enough=95)


@pytest.mark.parametrize("name", DEFINED)
def test_it_is_the_published_definition(name, ours, recomputed):
    table, _ = ours
    column, unit = DEFINED[name]
    for k, band in enumerate(BANDS):
        expected = recomputed[column.format(k)].to_numpy(np.float64) * unit
        agree(np.asarray(table[f"{name}_{band}"], np.float64), expected, enough=95)
