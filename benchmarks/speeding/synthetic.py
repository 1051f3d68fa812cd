"""Made-up alerts whose light curves all have the same number of points."""

import numpy as np
import pyarrow as pa

from schemas.alerts import BANDS, SCHEMA, AlertBatch, LightCurves, light_curve_array

FIRST_NIGHT = 61_000.0
"""MJD."""


def synthetic_alerts(count: int, points: int, seed: int = 1) -> AlertBatch:
    """Alerts of outbursts seen in all bands, a third or so of whose points are detections.

    Parameters
    ----------
    count : how many.
    points : of each light curve.
    seed : the same one gives the same alerts.
    """
    curves = _curves(count, points, np.random.default_rng(seed))
    row = {
        "survey": "lsst", "schema_version": "10.0", "band": "r", "is_solar_system": False, "n_dropped_points": 0,
        "ra": 150.0, "dec": 2.0, "flux": 2000.0, "flux_err": 100.0, "snr": 20.0,
        "host_photoz": 0.3, "host_photoz_err": 0.05, "milky_way_ebv": 0.03,
    }  # fmt: skip
    columns = {name: pa.repeat(pa.scalar(value, SCHEMA.field(name).type), count) for name, value in row.items()}
    numbers = pa.array(np.arange(count, dtype=np.int64))
    columns |= {
        "alert_id": numbers,
        "source_id": numbers,
        "object_id": numbers.cast(pa.utf8()),
        "mjd": pa.array(curves.mjd[curves.offsets[1:] - 1]),
        "light_curve": light_curve_array(curves),
    }
    table = [columns[field.name] if field.name in columns else pa.nulls(count, field.type) for field in SCHEMA]
    return AlertBatch(pa.table(table, schema=SCHEMA))


def _curves(count: int, points: int, draw: np.random.Generator) -> LightCurves:
    """A rise and a fall within a span that is longer for those with more points."""
    span = 30.0 + points
    mjd = np.sort(FIRST_NIGHT + draw.uniform(0, span, (count, points)), axis=1)
    peak = FIRST_NIGHT + draw.uniform(0.2, 0.6, (count, 1)) * span
    fall, rise = span * draw.uniform(0.1, 0.4, (2, count, 1))
    since = mjd - peak
    flux = draw.uniform(1000, 5000, (count, 1)) / (np.exp(since / fall) + np.exp(-since / rise))
    flux_err = draw.uniform(80, 250, (count, points))
    flux += draw.normal(0, 1, (count, points)) * flux_err
    return LightCurves(
        offsets=np.arange(count + 1, dtype=np.int64) * points,
        mjd=mjd.ravel(),
        flux=flux.ravel(),
        flux_err=flux_err.ravel(),
        band=draw.integers(0, len(BANDS), count * points).astype(np.uint8),
        detected=(flux > 5 * flux_err).ravel(),
    )
