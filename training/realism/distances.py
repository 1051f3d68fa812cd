"""Two tables of objects beside each other: medians and Kolmogorov-Smirnov distances of groups of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

FEWEST = 5
"""Objects of a group, real or simulated, below which no distance is given."""

BY_CHANCE = float(np.sqrt(np.pi / 2.0) * np.log(2.0))
"""Mean of the limiting distribution of the scaled distance of two samples of one kind (Kolmogorov 1933)."""


@dataclass(frozen=True)
class Comparison:
    """Simulated objects beside a set of real ones.

    Parameters
    ----------
    name : of the real set.
    table : a row a group and statistic, as `distances` gives it.
    """

    name: str
    table: pd.DataFrame

    def classes(self) -> pd.DataFrame:
        """One row a group, the worst first: `target`, `ddf`, sizes, median of `ks` and `by_chance`, `worst` three."""
        rows = [
            {
                "target": target,
                "ddf": field,
                "real": own["real"].max(),
                "simulated": own["simulated"].max(),
                "ks": own["ks"].median(),
                "by_chance": own["by_chance"].median(),
                "worst": ", ".join(f"{one.statistic} {one.ks:.2f}" for one in own.nlargest(3, "ks").itertuples()),
            }
            for (target, field), own in self.table.groupby(["target", "ddf"])
        ]
        return pd.DataFrame(rows).sort_values("ks", ascending=False, ignore_index=True)

    def statistics(self) -> pd.DataFrame:
        """One row a statistic, the worst first: median `ks` over the groups, and that of the `worst` of them."""
        worst = self.table.loc[self.table.groupby("statistic")["ks"].idxmax()].set_index("statistic")
        found = worst[["target", "ddf"]].assign(worst=worst["ks"], ks=self.table.groupby("statistic")["ks"].median())
        return found.reset_index().sort_values("ks", ascending=False, ignore_index=True)


def distances(real: pd.DataFrame, simulated: pd.DataFrame, statistics: Sequence[str]) -> pd.DataFrame:
    """One row a class, field and statistic.

    Parameters
    ----------
    real, simulated : a row an object, with the columns `target`, `ddf` and `statistics`.

    Returns
    -------
    Columns ``target, ddf, statistic, real, simulated`` (numbers of objects that have it), ``median_real,
    median_simulated, ks`` and ``by_chance``, the distance that as many objects of one kind have in the mean.
    """
    groups = dict(iter(real.groupby(["target", "ddf"])))
    rows = [
        {"target": key[0], "ddf": key[1], **row}
        for key, ours in simulated.groupby(["target", "ddf"])
        if key in groups
        for row in _compare(groups[key], ours, statistics)
    ]
    return pd.DataFrame(rows)


def _compare(real: pd.DataFrame, simulated: pd.DataFrame, statistics: Sequence[str]) -> Iterator[dict[str, object]]:
    for name in statistics:
        one, other = _known(real[name]), _known(simulated[name])
        if min(len(one), len(other)) >= FEWEST:
            yield {
                "statistic": name,
                "real": len(one),
                "simulated": len(other),
                "median_real": float(np.median(one)),
                "median_simulated": float(np.median(other)),
                "ks": float(ks_2samp(one, other, method="asymp").statistic),
                "by_chance": BY_CHANCE * float(np.sqrt(1.0 / len(one) + 1.0 / len(other))),
            }


def _known(values: pd.Series) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = values.to_numpy(np.float64)
    return numbers[np.isfinite(numbers)]
