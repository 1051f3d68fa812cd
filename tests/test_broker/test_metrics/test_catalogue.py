"""The table of metrics, by Prometheus's own rules for names."""

import re
from pathlib import Path

import pytest

from broker.books.reasons import REASON_KINDS
from broker.metrics.catalogue import BY_NAME, METRICS, Kind, Metric
from broker.metrics.page import with_tables

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants_it(metric: Metric) -> None:
    assert re.fullmatch(r"boreal_[a-z][a-z_]*[a-z]", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    assert not metric.name.endswith(("_count", "_sum", "_bucket"))
    assert all(re.fullmatch(r"[a-z]+", label) and label != "le" for label in metric.labels)
    assert metric.help
    assert not metric.help.endswith(".")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_histograms_and_no_others_have_buckets_and_these_ascend(metric: Metric) -> None:
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_no_two_metrics_have_one_name() -> None:
    assert len(BY_NAME) == len(METRICS)


def test_the_page_has_every_metric() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == with_tables(written), "run `python -m broker.metrics.page docs/observability.md`"


def test_the_page_says_how_many_kinds_of_reasons_there_are() -> None:
    assert f"by kind, of which there are {len(REASON_KINDS)};" in PAGE.read_text(encoding="utf-8")
