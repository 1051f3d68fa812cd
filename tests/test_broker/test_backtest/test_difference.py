"""Gained, lost and the same are what sets say; and the reason why an alert isn't sent."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.backtest.backtest import Backtest, Sent
from broker.backtest.difference import difference
from broker.backtest.passed import Passed, Read
from broker.backtest.why import LIMITS, columns_for, reasons
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.regions import Cone

alerts = st.lists(
    st.fixed_dictionaries(
        {
            "night": st.sampled_from([20260309, 20260310]),
            "classId": st.sampled_from([111, 221]),
            "survey": st.sampled_from(["lsst", "ztf"]),
            "objectId": st.sampled_from(["A", "B", None]),
            "old": st.booleans(),
            "new": st.booleans(),
        }
    ),
    max_size=15,
)
SCHEMA = pa.schema(
    [
        ("night", pa.int32()),
        ("classId", pa.int32()),
        ("className", pa.utf8()),
        ("survey", pa.utf8()),
        ("objectId", pa.utf8()),
    ]
)


def sent(rows, which):
    chosen = np.array([k for k, row in enumerate(rows) if row[which]], dtype=np.int64)
    nothing = check_condition("TRUE", SCHEMA).term
    assert nothing
    return Backtest(Filter(which, "me", "TRUE", nothing), len(chosen), Sent(chosen), 0, (), (), ())


def counted(rows, old, new):
    """Alerts and objects for which exactly this holds."""
    objects = {}
    for row in rows:
        if row["objectId"]:
            has = objects.setdefault((row["survey"], row["objectId"]), [False, False])
            has[0] |= row["old"]
            has[1] |= row["new"]
    return sum((row["old"], row["new"]) == (old, new) for row in rows), list(objects.values()).count([old, new])


def change(rows):
    return counted(rows, False, True), counted(rows, True, False), counted(rows, True, True)


@given(alerts)
def test_it_is_what_sets_say(rows):
    rows = [{**row, "className": f"class {row['classId']}"} for row in rows]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    found = difference(sent(rows, "old"), sent(rows, "new"), Passed(table, pa.table({}), Read()))
    going = [row for row in rows if row["old"] or row["new"]]
    assert found.total == change(going)
    for by, groups in (("night", found.nights), ("className", found.classes)):
        assert groups == {key: change([row for row in going if row[by] == key]) for key in {row[by] for row in going}}
    sizes = Counter(row["className"] for row in going)
    assert [sizes[name] for name in found.classes] == sorted(sizes.values(), reverse=True)
    assert [rows[k]["old"] for k in found.gained] == [False] * found.total.gained.alerts
    assert [rows[k]["new"] for k in found.lost] == [False] * found.total.lost.alerts


ALERTS = pa.table({"x": [5.0, 1.0, None], "t": ["a", "b", "a"], "ra": [10.0, 10.0, 50.0], "dec": [0.0, 0.0, 0.0]})


@pytest.mark.parametrize(
    ("condition", "regions", "expected"),
    [
        (
            "x > 2 AND t = 'a'",
            (),
            [LIMITS, "`x > 2` is false (x 1); `t = 'a'` is false (t b)", "`x > 2` is unknown (x unknown)"],
        ),
        ("x > 2 OR t = 'a'", (), [LIMITS, "`x > 2 OR t = 'a'` is false", LIMITS]),
        ("t <> 'c'", (Cone(10, 0, 1),), [LIMITS, LIMITS, "it lies in none of the regions"]),
        ("NOT (x > 2 AND t = 'b')", (), [LIMITS, LIMITS, LIMITS]),
    ],
)
def test_why_an_alert_is_not_sent(condition, regions, expected):
    wanted = Filter("f", "me", condition, check_condition(condition, ALERTS.schema).term, regions=regions)
    assert ["; ".join(reasons(wanted, ALERTS.slice(k, 1))) for k in range(3)] == expected


def test_a_long_part_is_shown_in_short():
    condition = "x > 2\n  AND t IN ('" + "', '".join("abcdefghijklmnopqrstuvwxyz"[2:]) + "')"
    (why,) = reasons(Filter("f", "me", condition, check_condition(condition, ALERTS.schema).term), ALERTS.slice(0, 1))
    assert why.startswith("`t IN ('c', 'd', ")
    assert why.endswith("...` is false (t a)")
    assert len(why) < 90


def test_the_columns_that_a_reason_needs_are_those_of_condition_regions_and_values():
    term = check_condition("x > 2", ALERTS.schema).term
    wanted = Filter("f", "me", "x > 2", term, regions=(Cone(10, 0, 1),))
    assert columns_for(wanted) == ["dec", "ra", "x"]
