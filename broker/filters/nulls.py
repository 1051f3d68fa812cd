"""How often is a column not known? Counted over alerts, a survey at a time; with the counts of a sample that ship.

The sample's alerts: LSSTCam and LSST commissioning alerts of schemas 7.4, 9.0 and 10.0; ZTF alerts of one night and
some of schema 4.02; the ELAsTiCC alerts of 518 simulated objects.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pyarrow as pa
import pyarrow.compute as pc

from broker.filters.kinds import kind_of


@dataclass(frozen=True)
class Nulls:
    """How often each column is null in alerts of one survey.

    Parameters
    ----------
    alerts : how many there are.
    counts : in how many of them a column is null, of every column that a condition may use.
    """

    alerts: int
    counts: Mapping[str, int]

    def share(self, column: str) -> float | None:
        """The part of the alerts in which a column is null, 0 to 1; None where that wasn't counted."""
        return self.counts[column] / self.alerts if self.alerts and column in self.counts else None


def count(tables: Iterable[pa.Table]) -> dict[str, Nulls]:
    """Count in annotations, by survey.

    Parameters
    ----------
    tables : with the column ``survey``; NaN counts as null, as conditions see it.
    """
    alerts: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {}
    for table in tables:
        for survey in pc.unique(table["survey"]).to_pylist():
            part = table.filter(pc.equal(table["survey"], survey))
            alerts[survey] += part.num_rows
            found.setdefault(survey, Counter()).update(_in(part))
    return {survey: Nulls(alerts[survey], dict(found[survey])) for survey in sorted(alerts)}


def _in(table: pa.Table) -> dict[str, int]:
    usable = [field.name for field in table.schema if kind_of(field.type) is not None]
    return {name: pc.sum(pc.is_null(table[name], nan_is_null=True)).as_py() or 0 for name in usable}


@cache
def shipped() -> dict[str, Nulls]:
    """The counts of the sample, by survey."""
    told = json.loads(files("broker.filters").joinpath("nulls.json").read_text(encoding="utf-8"))
    return {survey: Nulls(each["alerts"], each["nulls"]) for survey, each in told.items()}


def as_json(found: Mapping[str, Nulls]) -> str:
    """Counts in the form in which they ship."""
    return json.dumps(
        {name: {"alerts": each.alerts, "nulls": dict(each.counts)} for name, each in found.items()}, indent=1
    )
