"""Whatever a packet's labels hold, the exposition can be read and stays small."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from broker.metrics.catalogue import BY_NAME
from broker.metrics.exposition import exposed
from broker.metrics.labels import FEW_SERIES, LONGEST, MOST_SERIES, OTHER, clean, told

SCHEMAS = BY_NAME["boreal_schema_alerts_total"]
FILTERS = BY_NAME["boreal_deliveries_total"]
POSITION = BY_NAME["boreal_position_offset"]


class Fixed(Collector):
    def __init__(self, metric):
        self.metric = metric

    def collect(self):
        yield self.metric


def read_back(metric, series):
    registry = CollectorRegistry()
    registry.register(Fixed(exposed(metric, series)))
    text = generate_latest(registry).decode()
    return {tuple(s.labels.values()): s.value for f in text_string_to_metric_families(text) for s in f.samples}


@given(st.dictionaries(st.tuples(st.text(), st.text()), st.integers(0, 10**6), max_size=20))
def test_any_text_becomes_a_label_that_can_be_read_back_and_nothing_is_lost(values):
    series, beyond = told(SCHEMAS, values)
    assert beyond == 0
    assert read_back(SCHEMAS, series) == series
    assert sum(series.values()) == sum(values.values())


@given(st.text(st.characters(), max_size=300))
def test_a_label_is_short_and_printable(value):
    assert len(clean(value)) <= LONGEST
    assert clean(value).isprintable()


def test_half_characters_and_line_breaks_can_be_told():
    assert read_back(FILTERS, told(FILTERS, {('a"\n\\\ud800',): 1})[0]) == {('a"?\\?',): 1}


def test_labels_of_packets_are_few_and_the_rest_is_added_up():
    values = {("ztf", f"{k}.0"): 1 for k in range(FEW_SERIES + 50)}
    series, beyond = told(SCHEMAS, values)
    assert (len(series), beyond) == (FEW_SERIES + 1, 50)
    assert series[OTHER, OTHER] == 50
    assert ("ztf", "0.0") in series
    more, _ = told(SCHEMAS, {**values, ("ztf", "new"): 7})
    assert {key: n for key, n in more.items() if key != (OTHER, OTHER)} == {
        key: n for key, n in series.items() if key != (OTHER, OTHER)
    }


def test_gauges_beyond_are_left_out_and_counted():
    series, beyond = told(POSITION, {("t", str(k)): k for k in range(MOST_SERIES + 3)})
    assert (len(series), beyond) == (MOST_SERIES, 3)
    assert (OTHER, OTHER) not in series
