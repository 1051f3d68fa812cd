"""From the state of a run to what Prometheus reads."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Exposed
from prometheus_client.registry import Collector

from broker.metrics.catalogue import BY_NAME, METRICS, Kind, Metric
from broker.metrics.family import Figure, discover
from broker.metrics.histogram import Histogram
from broker.metrics.labels import Labels, Number, told
from broker.metrics.state import State

LOG = logging.getLogger(__name__)

ERRORS, LEFT_OUT = "boreal_metrics_errors_total", "boreal_series_left_out"
"""Told of the telling itself, last."""


class StateCollector(Collector):
    """Tells every metric, each for itself: one that fails takes no other with it.

    Parameters
    ----------
    state : of the run.
    figures : functions by name of the metric; those of every family if None.
    """

    def __init__(self, state: State, figures: Mapping[str, Figure] | None = None) -> None:
        self._state = state
        self._figures = figures if figures is not None else all_figures()
        self._errors: Counter[str] = Counter()

    def collect(self) -> Iterator[Exposed]:
        """Yield every metric with what there is to tell of it."""
        left_out: dict[Labels, Number] = {}
        for metric in METRICS:
            if metric.name in (ERRORS, LEFT_OUT):
                continue
            values = self._values(metric)
            series, beyond = told(metric, values)
            if beyond:
                left_out[metric.name,] = beyond
            yield exposed(metric, series)
        yield exposed(BY_NAME[LEFT_OUT], left_out)
        yield exposed(BY_NAME[ERRORS], {(name,): count for name, count in self._errors.items()})

    def _values(self, metric: Metric) -> Mapping[Labels, Number]:
        figure = self._figures.get(metric.name)
        if figure is None:
            return {}
        try:
            return by_labels(figure(self._state))
        except Exception:
            if not self._errors[metric.name]:
                LOG.exception("the metric %s can't be told", metric.name)
            self._errors[metric.name] += 1
            return {}


def all_figures() -> dict[str, Figure]:
    """The functions of every family by the name of their metric."""
    return {name: figure for family in discover() for name, figure in family.figures.items()}


def by_labels(found: Mapping[Labels, Number] | Number | None) -> Mapping[Labels, Number]:
    """What a figure gives, as one of a metric with labels gives it."""
    if found is None:
        return {}
    return found if isinstance(found, Mapping) else {(): found}


def exposed(metric: Metric, series: Mapping[Labels, Number]) -> Exposed:
    """A metric in prometheus_client's words."""
    if metric.kind is Kind.HISTOGRAM:
        histograms = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in series.items():
            if isinstance(value, Histogram):
                histograms.add_metric(labels, value.cumulative(), value.total)
        return histograms
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    made = make(metric.name, metric.help, labels=metric.labels)
    for labels, value in series.items():
        if not isinstance(value, Histogram):
            made.add_metric(labels, value)
    return made
