"""Synthetic light curves for the tests of features."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from features.extract import extract
from schemas.alerts import AlertBatch

Point = tuple[float, float, float, str, bool]
"""mjd [d], flux [nJy], its error [nJy], band, detected."""

HOST = {"host_photoz": 0.5, "host_photoz_err": 0.05, "milky_way_ebv": 0.02}


def alerts_of(*curves: Sequence[Point], **columns: float | None) -> AlertBatch:
    """A batch of one alert a light curve; `columns` overwrite the host's redshift and the like in every row."""
    keys = ("mjd", "flux", "flux_err", "band", "detected")
    return AlertBatch.from_rows(
        {
            "survey": "lsst",
            "schema_version": "10.0",
            "alert_id": number,
            "source_id": number,
            "mjd": 60000.0,
            "ra": 10.0,
            "dec": -10.0,
            "is_solar_system": False,
            "n_dropped_points": 0,
            "light_curve": [dict(zip(keys, point, strict=True)) for point in curve],
            **HOST,
            **columns,
        }
        for number, curve in enumerate(curves)
    )


def features_of(*curve: Point, **columns: float | None) -> dict[str, float]:
    """All features of one light curve by name."""
    return {name: values[0] for name, values in extract(alerts_of(curve, **columns)).to_pydict().items()}


def outburst(seed: int, points: int, peak: float = 5000.0) -> list[Point]:
    """A supernova-like light curve with noise, at dyadic times so that shifting them by whole days rounds nothing."""
    random = np.random.default_rng(seed)
    times = 60000.0 + np.sort(random.integers(0, 200 * 1024, points)) / 1024
    after = times - 60060.0
    model = peak * np.exp(-after / 40.0) / (1.0 + np.exp(-after / 4.0))
    error = random.uniform(50.0, 150.0, points)
    flux = model + error * random.standard_normal(points)
    bands = random.choice(list("ugrizy"), points)
    return [
        (float(t), float(f), float(e), str(b), bool(f > 5.0 * e))
        for t, f, e, b in zip(times, flux, error, bands, strict=True)
    ]


@pytest.fixture(scope="session", name="alerts_of")
def _alerts_of() -> Callable[..., AlertBatch]:
    return alerts_of


@pytest.fixture(scope="session", name="features_of")
def _features_of() -> Callable[..., dict[str, float]]:
    return features_of


@pytest.fixture(scope="session", name="outburst")
def _outburst() -> Callable[..., list[Point]]:
    return outburst
