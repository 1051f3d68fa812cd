"""An alert counts once, whichever batch or order it comes in."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from broker.duplicates import SeenAlerts

ids = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)
keys = st.tuples(st.sampled_from(["lsst", "ztf"]), ids, ids)


def table(rows):
    columns = {"survey": pa.utf8(), "alertId": pa.int64(), "diaSourceId": pa.int64()}
    return pa.table({name: pa.array([row[k] for row in rows], kind) for k, (name, kind) in enumerate(columns.items())})


@given(st.lists(st.lists(keys, max_size=12), max_size=5))
def test_it_agrees_with_a_plain_set(batches):
    seen, plain = SeenAlerts(), set()
    for rows in batches:
        expected = []
        for row in rows:
            expected.append(row not in plain)
            plain.add(row)
        assert seen.add(table(rows)).tolist() == expected
    assert len(seen) == len(plain)


def test_ids_that_floats_can_t_tell_apart_are_told_apart():
    seen = SeenAlerts()
    assert seen.add(table([("lsst", 2**53, 1), ("lsst", 2**53 + 1, 1)])).tolist() == [True, True]


def test_the_same_id_in_two_surveys_is_two_alerts():
    assert SeenAlerts().add(table([("lsst", 7, 7), ("ztf", 7, 7)])).tolist() == [True, True]


def test_one_alert_id_for_all_loses_no_alert():
    assert SeenAlerts().add(table([("elasticc", 1, 5), ("elasticc", 1, 6), ("elasticc", 1, 5)])).tolist() == [
        True,
        True,
        False,
    ]
