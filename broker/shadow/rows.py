"""What is known of an alert that two bundles classified: who it is, and what each says."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas.annotation import column

PROBABILITIES = pa.list_(
    pa.field(
        "element",
        pa.struct(
            [
                pa.field("classId", pa.int32(), nullable=False),
                pa.field("probability", pa.float64(), nullable=False),
            ]
        ),
        nullable=False,
    )
)

IDENTITY = (
    column("survey", pa.utf8(), "", "survey that sent the alert", known=True),
    column("alertId", pa.int64(), "", "the survey's id of the alert", known=True),
    column("diaSourceId", pa.int64(), "", "id of the difference-image source that triggered the alert", known=True),
    column("objectId", pa.utf8(), "", "id of the object; null where none is associated"),
    column("mjdTai", pa.float64(), "d", "MJD TAI of the triggering source", known=True),
    column("night", pa.int32(), "", "observing night as yyyymmdd", known=True),
    column("nDetections", pa.int32(), "", "light-curve points that are detections", known=True),
    column("daysSinceFirstDetection", pa.float64(), "d", "mjdTai minus the time of the first detection"),
)

FIRST = (
    column("bundleSha256", pa.utf8(), "", "the bundle that annotated", known=True),
    column("classId", pa.int32(), "", "DESC id of its best class; 300 for not classified", known=True),
    column("className", pa.utf8(), "", "name of that class", known=True),
    column("probability", pa.float64(), "", "probability of that class", known=True),
    column("novelty", pa.float64(), "", "its novelty score"),
    column("classifications", PROBABILITIES, "", "its probability of every class, best first", known=True),
)

SECOND = (
    column("shadowBundleSha256", pa.utf8(), "", "the shadow's bundle", known=True),
    column("shadowClassId", pa.int32(), "", "DESC id of the shadow's best class; null where it failed"),
    column("shadowClassName", pa.utf8(), "", "name of that class"),
    column("shadowProbability", pa.float64(), "", "probability of that class"),
    column("shadowNovelty", pa.float64(), "", "the shadow's novelty score"),
    column("shadowClassifications", PROBABILITIES, "", "the shadow's probability of every class, best first"),
    column("distance", pa.float64(), "", "half the sum of the differences of all probabilities, 0 to 1"),
    column("failure", pa.utf8(), "", "why the shadow failed on the alert; null where it didn't"),
    column("seconds", pa.float32(), "s", "the alert's share of the time that the shadow took; null if not measured"),
)

COMPARED = pa.schema([*IDENTITY, *FIRST, *SECOND])
"""A row an alert that the shadow was to classify."""

SHADOW = pa.schema([pa.field("row", pa.int64(), nullable=False), *COMPARED])
"""The same as the workers hand it over: `row` counts in the annotations that it was made of."""


def with_seconds(shadow: pa.Table, seconds: float) -> pa.Table:
    """The same with the time that all of it took, an equal share a row."""
    at, share = SHADOW.get_field_index("seconds"), seconds / max(shadow.num_rows, 1)
    return shadow.set_column(at, SHADOW.field(at), pa.array(np.full(shadow.num_rows, share, np.float32)))


def moved(shadow: pa.Table, rows: int) -> pa.Table:
    """The same of annotations that stand behind so many others."""
    return shadow.set_column(0, SHADOW.field("row"), pc.add(shadow["row"], rows))


def of_rows(shadow: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """What is known of these annotations, in their order, in the columns of `COMPARED`.

    Parameters
    ----------
    shadow : columns of `SHADOW`.
    rows : numbers of annotations, each once.
    """
    place = np.asarray(pc.fill_null(pc.index_in(shadow["row"], value_set=pa.array(rows)), -1))
    kept = np.flatnonzero(place >= 0)
    return shadow.take(pa.array(kept[np.argsort(place[kept], kind="stable")])).drop_columns("row")
