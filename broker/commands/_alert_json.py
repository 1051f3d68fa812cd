"""An annotated alert as one JSON object."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def as_json(alert: pa.Table, feature_names: Sequence[str]) -> dict[str, Any]:
    """The annotation's columns, the features together under ``features``.

    64-bit integers are strings, since JSON readers round them to 53 bits; what isn't known is null.

    Parameters
    ----------
    alert : one row of `broker.annotate.schema_for`.
    feature_names : which columns are features.
    """
    row: dict[str, Any] = alert.drop_columns("matchedFilters").to_pylist()[0]
    features = {name: row.pop(name) for name in feature_names}
    for field in alert.schema:
        if field.type == pa.int64():
            row[field.name] = str(row[field.name])
    classifications, light_curve = row.pop("classifications"), row.pop("lightCurve")
    return {**row, "classifications": classifications, "features": features, "lightCurve": light_curve}
