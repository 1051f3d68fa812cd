"""From the values that were read to rows of an AlertBatch, and what keeps a row from being an alert."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from schemas._light_curves import MJD_RANGE, merge
from schemas.alerts import SCHEMA, light_curve_array
from schemas.survey import Survey, Values

BAD_VALUES = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading a survey's values raises where a record isn't as the survey expects."""

_RANGES = {"mjd": MJD_RANGE, "ra": (0.0, 360.0), "dec": (-90.0, 90.0)}
"""Days, and the sphere in degrees."""


def tabulate(
    survey: Survey, alerts: Values, items: Mapping[str, Values], schema_ids: pa.Array, versions: pa.Array
) -> tuple[pa.Table, list[str]]:
    """Alerts of one survey as columns, and what is wrong with each row, empty where nothing is.

    The values of a row with something wrong are placeholders: the row must not be used.
    """
    with np.errstate(all="ignore"):  # packets hold any number, and what isn't finite afterwards isn't known
        curves, n_dropped = merge(survey.points(alerts, items), len(alerts))
        read = survey.columns(alerts)
    columns = {
        **read,
        "survey": pa.repeat(survey.name, len(alerts)),
        "schema_id": schema_ids,
        "schema_version": versions,
        "n_dropped_points": pa.array(n_dropped),
        "light_curve": light_curve_array(curves),
    }
    absent = {name: pa.nulls(len(alerts), SCHEMA.field(name).type) for name in SCHEMA.names if name not in columns}
    table = pa.table({name: {**absent, **columns}[name] for name in SCHEMA.names}, schema=SCHEMA)
    return table, _problems(table)


def _problems(table: pa.Table) -> list[str]:
    """What keeps each row from being an alert: an unknown id, or a time or position that is unknown or absurd."""
    found = [""] * len(table)
    for name in ("alert_id", "source_id"):
        for row in np.flatnonzero(np.asarray(table[name].is_null())):
            found[row] = f"{name} is null"
    for name, (low, high) in _RANGES.items():
        values = table[name].to_numpy()
        for row in np.flatnonzero(~((values >= low) & (values <= high))):
            given = "null or not finite" if np.isnan(values[row]) else values[row]
            found[row] = found[row] or f"{name} is {given}, expected a number from {low:g} to {high:g}"
    return found
