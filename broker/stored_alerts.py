"""From the columns of an annotation table back to the alerts that were annotated; see `broker.annotate`."""

import pyarrow as pa

from schemas.alerts import FLAGS, SCHEMA, AlertBatch
from schemas.annotation import camel_case

_STORED = {
    "alert_id": "alertId",
    "source_id": "diaSourceId",
    "mjd": "mjdTai",
    "flux": "psfFlux",
    "flux_err": "psfFluxErr",
    "n_dropped_points": "nDroppedPoints",
    **{flag: camel_case(flag) for flag in FLAGS},
}
_NAMES = {name: _STORED.get(name, camel_case(name)) for name in SCHEMA.names}

COLUMNS = (*_NAMES.values(), "origin")
"""The columns of an annotation table that an alert is made of."""

LATER = frozenset({"visit", "detector"})
"""Those of them that tables of earlier versions haven't got; their alerts have nulls there."""


def alerts_of(annotations: pa.Table) -> AlertBatch:
    """The alerts, with their light curves; rows in the same order.

    Parameters
    ----------
    annotations : at least `COLUMNS`, but for those that came `LATER`.
    """
    columns = [_column(annotations, stored, SCHEMA.field(name).type) for name, stored in _NAMES.items()]
    return AlertBatch(pa.table(columns, schema=SCHEMA))


def _column(annotations: pa.Table, name: str, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if name in LATER and name not in annotations.column_names:
        return pa.nulls(annotations.num_rows, kind)
    return annotations[name].cast(kind)


def origins_of(annotations: pa.Table) -> pa.Array:
    """Where each alert came from when it was annotated."""
    return annotations["origin"].cast(pa.utf8()).combine_chunks()
