"""Which alerts were seen before? Same survey, alert id and source id, in whatever file or order they come again.

Both ids are compared, since one alone may not tell alerts apart: all alerts of an ELAsTiCC sample carry one alertId.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEY = np.dtype([("alert", np.int64), ("source", np.int64)])


class SeenAlerts:
    """The ids of all annotated alerts, as a sorted array a survey: 16 bytes an alert."""

    def __init__(self) -> None:
        self._keys: dict[str, NDArray[np.void]] = {}

    def __len__(self) -> int:
        return sum(len(keys) for keys in self._keys.values())

    def add(self, alerts: pa.Table) -> NDArray[np.bool_]:
        """Remember these alerts; say of each row whether it is the first with its survey and ids.

        Parameters
        ----------
        alerts : a table with the columns ``survey``, ``alertId`` and ``diaSourceId``.

        Returns
        -------
        bool array, shape (n_rows,)
        """
        surveys = np.asarray(alerts["survey"].to_pylist(), dtype=object)
        keys = np.empty(len(surveys), dtype=KEY)
        keys["alert"], keys["source"] = alerts["alertId"], alerts["diaSourceId"]
        first = np.zeros(len(keys), dtype=np.bool_)
        for survey in sorted(set(surveys)):
            rows = np.flatnonzero(surveys == survey)
            first[rows] = self._add_survey(survey, keys[rows])
        return first

    def _add_survey(self, survey: str, keys: NDArray[np.void]) -> NDArray[np.bool_]:
        known = self._keys.get(survey, np.empty(0, dtype=KEY))
        distinct, where = np.unique(keys, return_index=True)
        first = np.zeros(len(keys), dtype=np.bool_)
        first[where] = ~np.isin(distinct, known)
        self._keys[survey] = np.union1d(known, distinct)
        return first
