"""Light curves of every shape that members must take."""

from collections.abc import Callable

import numpy as np
import pytest

from schemas.alerts import BANDS, AlertBatch


def _row(rng: np.random.Generator, alert_id: int, n_points: int) -> dict[str, object]:
    mjd = np.sort(rng.uniform(60000, 60300, n_points))
    flux = rng.normal(0, 200, n_points) + rng.choice([0, 3e3, 1e5]) * np.exp(-((mjd - 60150) ** 2) / 5e3)
    error = rng.uniform(30, 300, n_points)
    points = [
        {"mjd": m, "flux": f, "flux_err": e, "band": str(rng.choice(BANDS)), "detected": bool(abs(f) > 5 * e)}
        for m, f, e in zip(mjd, flux, error, strict=True)
    ]
    known = rng.random(2) < 0.5
    return {
        "survey": "lsst",
        "schema_version": "10.0",
        "alert_id": alert_id,
        "source_id": alert_id,
        "mjd": 60300.0,
        "ra": 10.0,
        "dec": -30.0,
        "host_photoz": rng.uniform(0, 1.5) if known[0] else None,
        "host_photoz_err": rng.uniform(0.01, 0.3) if known[0] else None,
        "milky_way_ebv": rng.uniform(0, 0.5) if known[1] else None,
        "is_solar_system": False,
        "n_dropped_points": 0,
        "light_curve": points,
    }


@pytest.fixture(scope="session")
def random_alerts() -> Callable[..., AlertBatch]:
    """Makes alerts with random light curves: `random_alerts(lengths, seed=0)`."""

    def make(lengths: list[int], seed: int = 0) -> AlertBatch:
        rng = np.random.default_rng(seed)
        return AlertBatch.from_rows(_row(rng, k, n) for k, n in enumerate(lengths))

    return make
