"""The dashboard's queries, asked of a Prometheus as Grafana asks them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from broker.local.prometheus import LocalPrometheus

POINTS = 120
"""Of a line, at most."""

EVERYTHING = ".*"

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Series:
    """What a query gives for one set of labels.

    Parameters
    ----------
    name : as the legend shows it.
    labels : by name.
    times : [s since 1970, UTC]; one for a query that is asked at once.
    values : of the same length; NaN where there is none.
    """

    name: str
    labels: Mapping[str, str]
    times: NDArray[np.float64]
    values: NDArray[np.float64]

    @property
    def last(self) -> float:
        """The last value that is one."""
        known = self.values[~np.isnan(self.values)]
        return float(known[-1]) if len(known) else float("nan")


@dataclass(frozen=True)
class Span:
    """The time that a dashboard shows [s since 1970, UTC], and how often what it shows is scraped [s]."""

    start: float
    end: float
    scraped: float

    @property
    def step(self) -> float:
        """Between two points of a line."""
        return max(self.scraped, (self.end - self.start) / POINTS)

    def chosen(self, expression: str) -> str:
        """An expression with Grafana's variables filled in: every namespace, every filter."""
        # As Grafana does: four scrapes, so that a rate has two values even where one is missed.
        interval = max(4 * self.scraped, self.step + self.scraped)
        values = {
            "__rate_interval": f"{interval:.0f}s",
            "__range": f"{self.end - self.start:.0f}s",
            "namespace": EVERYTHING,
            "filter": EVERYTHING,
        }
        return re.sub(r"\$(\w+)", lambda found: values[found[1]], expression)


def series_of(server: LocalPrometheus, panel: Json, span: Span) -> list[Series]:
    """What a panel shows: the series of its queries, one after the other."""
    return [series for target in panel["targets"] for series in series_of_query(server, target, span)]


def series_of_query(server: LocalPrometheus, target: Json, span: Span) -> list[Series]:
    """The series that one of a panel's queries gives."""
    expression = span.chosen(target["expr"])
    if target["instant"]:
        found = server.ask("query", query=expression, time=span.end)["result"]
        return [_series(target, each["metric"], [each["value"]]) for each in found]
    found = server.query_range(expression, span.start, span.end, span.step)
    return [_series(target, each["metric"], each["values"]) for each in found]


def _series(target: Json, labels: Mapping[str, str], pairs: list[list[Any]]) -> Series:
    legend = target["legendFormat"]
    name = re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend) if legend != "__auto" else ""
    times, values = (np.array([float(pair[k]) for pair in pairs]) for k in (0, 1))
    return Series(name, labels, times, values)
