"""Values by size, against counting one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broker.metrics.histogram import Histogram

BOUNDS = (0.1, 1.0, 10.0)
values = st.lists(st.floats(0, 100) | st.sampled_from(BOUNDS), max_size=50)


@given(values, values)
def test_buckets_hold_what_is_not_above_their_bound(one, other):
    made = Histogram.of(BOUNDS).with_values(one).with_values(np.array(other))
    together = [*one, *other]
    expected = [(str(bound), sum(value <= bound for value in together)) for bound in BOUNDS]
    assert made.cumulative() == [*expected, ("+Inf", len(together))]
    assert np.isclose(made.total, sum(together))


def test_what_is_no_number_is_left_out():
    assert Histogram.of(BOUNDS).with_values([np.nan, np.inf, 0.5]).cumulative()[-1] == ("+Inf", 1)
