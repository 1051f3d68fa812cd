"""Which alerts a share of them is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.shadow.sample import chosen

INT64 = st.integers(-(2**63), 2**63 - 1)
ALERTS = st.lists(st.tuples(st.sampled_from(["lsst", "ztf", "elasticc"]), INT64, INT64), min_size=1, max_size=30)


def table(rows: list[tuple[str, int, int]]) -> pa.Table:
    survey, alert, source = zip(*rows, strict=True)
    columns = pa.array(survey, pa.utf8()), pa.array(alert, pa.int64()), pa.array(source, pa.int64())
    return pa.table(list(columns), names=["survey", "alertId", "diaSourceId"])


@given(ALERTS, st.floats(0.01, 1), st.floats(0.01, 1))
def test_an_alert_belongs_to_a_share_or_not_whatever_comes_with_it(rows, one, other) -> None:
    small, large = sorted((one, other))
    found = set(chosen(table(rows), small).tolist())
    assert found == {k for k, row in enumerate(rows) if len(chosen(table([row]), small))}
    assert found <= set(chosen(table(rows), large).tolist())


@pytest.mark.parametrize("step", [1, 1024, 2**40])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_a_share_is_as_large_as_it_says_even_of_ids_that_count_up(step, fraction) -> None:
    n = 100_000
    ids = pa.array(np.arange(n, dtype=np.int64) * step)
    alerts = pa.table([pa.repeat("lsst", n), ids, ids], names=["survey", "alertId", "diaSourceId"])
    spread = np.sqrt(n * fraction * (1 - fraction))
    assert abs(len(chosen(alerts, fraction)) - n * fraction) < 4 * spread


def test_the_share_never_changes() -> None:
    rows = [("lsst", k, k) for k in range(12)] + [("ztf", k, k) for k in range(12)]
    assert chosen(table(rows), 0.25).tolist() == [1, 6, 10, 18, 20]
