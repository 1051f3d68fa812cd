"""Label values may come from packets: they are cleaned, and only so many are told."""

from collections.abc import Mapping

from broker.metrics.catalogue import Kind, Metric
from broker.metrics.histogram import Histogram

LONGEST = 100
"""Characters of a label's value."""

MOST_SERIES = 1000
"""Of one metric; there are that many partitions or filters, but no more."""

FEW_SERIES = 100
"""Of a metric whose labels are taken from packets."""

FROM_PACKETS = {"version", "survey", "class", "reason"}
"""Labels whose values a packet may have made up."""

OTHER = "other"

Labels = tuple[str, ...]
Number = float | Histogram


def told(metric: Metric, values: Mapping[Labels, Number]) -> tuple[dict[Labels, Number], int]:
    """The series of a metric as they are told, and how many are told under ``other`` or not at all.

    The first ones keep their names, so that a series that was told once stays. Counters beyond are added up under
    ``other``; gauges and histograms beyond are left out.
    """
    most = FEW_SERIES if FROM_PACKETS.intersection(metric.labels) else MOST_SERIES
    series: dict[Labels, Number] = {}
    beyond = 0
    for given, value in values.items():
        labels = tuple(map(clean, given))
        if labels not in series and len(series) >= most:
            beyond += 1
            if metric.kind is not Kind.COUNTER:
                continue
            labels = (OTHER,) * len(metric.labels)
        series[labels] = _added(series.get(labels), value)
    return series, beyond


def clean(value: str) -> str:
    """A label's value without what can't be printed, and not too long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in value[:LONGEST])
    return text if len(value) <= LONGEST else f"{text[:-3]}..."


def _added(known: Number | None, value: Number) -> Number:
    """Two values that have become one series; two histograms, the second."""
    if known is None or isinstance(value, Histogram) or isinstance(known, Histogram):
        return value
    return known + value
