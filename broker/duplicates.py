"""Which alerts were seen before: same survey and alert id, in whatever file or order they come again."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class SeenAlerts:
    """The ids of all annotated alerts, as a sorted array a survey: 8 bytes an alert."""

    def __init__(self) -> None:
        self._ids: dict[str, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return sum(len(ids) for ids in self._ids.values())

    def add(self, alerts: pa.Table) -> NDArray[np.bool_]:
        """Remember these alerts; say of each row whether it is the first with its survey and id.

        Parameters
        ----------
        alerts : a table with the columns ``survey`` and ``alertId``.

        Returns
        -------
        bool array, shape (n_rows,)
        """
        surveys = np.asarray(alerts["survey"].to_pylist(), dtype=object)
        ids = np.asarray(alerts["alertId"], dtype=np.int64)
        first = np.zeros(len(ids), dtype=np.bool_)
        for survey in sorted(set(surveys)):
            rows = np.flatnonzero(surveys == survey)
            first[rows] = self._add_survey(survey, ids[rows])
        return first

    def _add_survey(self, survey: str, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        known = self._ids.get(survey, np.empty(0, dtype=np.int64))
        distinct, where = np.unique(ids, return_index=True)
        first = np.zeros(len(ids), dtype=np.bool_)
        first[where] = True
        first &= ~np.isin(ids, known)
        self._ids[survey] = np.union1d(known, distinct)
        return first
