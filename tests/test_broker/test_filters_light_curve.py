"""Functions of the light curve, against a second implementation in plain Python."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.filters._program import Program
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.needed import columns_needed
from broker.filters.regions import Cone
from broker.filters.term import Term
from schemas.annotation import annotation_schema

SCHEMA = annotation_schema([], [])
TYPES = pa.schema(
    [SCHEMA.field("mjdTai"), pa.field("lightCurve", SCHEMA.field("lightCurve").type), ("x", pa.float64())]
)
SECOND = 1 / 86400


def expression(text: str) -> Term:
    checked = check_condition(f"{text} IS NULL", TYPES)
    assert checked.term is not None, checked.problems
    return checked.term.args[0]


def values(texts: list[str], table: pa.Table) -> list[list[Any]]:
    return [column.to_pylist() for column in Program.of_terms([expression(text) for text in texts]).run(table)]


class Reference:
    """One alert's points, oldest first, as an astronomer would go through them."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.now, self.points = row["mjdTai"], row["lightCurve"]

    def __call__(self, name: str, days: float, band: str | None) -> Any:
        if self.points is None or self.now is None or not math.isfinite(self.now):
            return None
        points = [p for p in self.points if band in (None, p["band"]) and (p["detected"] or name == "points_within")]
        if name == "days_since_previous":
            return min((self.now - p["mjd"] for p in points if self.now - p["mjd"] > SECOND), default=None)
        points = [p for p in points if -SECOND <= self.now - p["mjd"] <= days]
        flux = [p["flux"] for p in points]
        if name in ("detections_within", "points_within"):
            return len(points)
        if name == "nights_within":
            return len({math.floor(p["mjd"] - 0.5) for p in points})
        if name in ("flux_max_within", "flux_min_within"):
            return (max if "max" in name else min)(flux, default=None)
        return self.mean(flux) if name == "flux_mean_within" else self.slope(points)

    @staticmethod
    def mean(flux: list[float]) -> float | None:
        return math.fsum(flux) / len(flux) if flux else None

    @staticmethod
    def slope(points: list[dict[str, Any]]) -> float | None:
        """Exact, in fractions."""
        weights = [1 / Fraction(p["flux_err"]) ** 2 for p in points]
        times, fluxes = [Fraction(p["mjd"]) for p in points], [Fraction(p["flux"]) for p in points]
        if len(set(times)) < 2:
            return None
        total = sum(weights)
        middle = sum(w * t for w, t in zip(weights, times, strict=True)) / total
        level = sum(w * f for w, f in zip(weights, fluxes, strict=True)) / total
        rows = list(zip(weights, times, fluxes, strict=True))
        above = sum(w * (t - middle) * (f - level) for w, t, f in rows)
        return float(above / sum(w * (t - middle) ** 2 for w, t, _ in rows))


NOW = 61000.0
times = st.sampled_from([NOW - 400, NOW - 31, NOW - 30, NOW - 29.7, NOW - 1.6, NOW - 1.4, NOW - 0.5, NOW - 1e-6, NOW])
points = st.fixed_dictionaries(
    {
        "mjd": times | st.sampled_from([NOW + 1e-6, NOW + 0.7]),
        "flux": st.sampled_from([-250.0, 0.0, 1.5, 1000.0, 1e5]),
        "flux_err": st.sampled_from([0.5, 10.0, 300.0]),
        "band": st.sampled_from(["u", "g", "r", "y"]),
        "detected": st.booleans(),
    }
)
curves = st.lists(points, max_size=12).map(lambda found: sorted(found, key=lambda point: float(point["mjd"])))
alerts = st.fixed_dictionaries(
    {
        "mjdTai": st.sampled_from([NOW, NOW, NOW, None, math.nan]),
        "lightCurve": curves | st.none(),
        "x": st.none() | st.floats(-1, 1),
    }
)
CALLS = [
    (name, days, band)
    for name, function in LIGHT_CURVE_FUNCTIONS.items()
    for days in ((0.25, 1.5, 30.0) if function.days else (0.0,))
    for band in ("g", "z", None)
    if band or not function.needs_band
]


def text_of(name: str, days: float, band: str | None) -> str:
    given_days = [f"{days:g}"] if LIGHT_CURVE_FUNCTIONS[name].days else []
    return f"{name}({', '.join([*given_days, *([repr(band)] if band else [])])})"


@settings(max_examples=60)
@given(st.lists(alerts, min_size=1, max_size=6))
def test_each_function_is_what_it_says(rows: list[dict[str, Any]]) -> None:
    found = values([text_of(*call) for call in CALLS], pa.Table.from_pylist(rows, schema=TYPES))
    for call, column in zip(CALLS, found, strict=True):
        for row, value in zip(rows, column, strict=True):
            wanted = Reference(row)(*call)
            assert (value is None) == (wanted is None), (call, row)
            assert wanted is None or value == pytest.approx(wanted, rel=1e-9, abs=1e-9), (call, row)


@settings(max_examples=40)
@given(st.lists(alerts, min_size=2, max_size=6), st.data())
def test_an_answer_depends_on_its_row_alone(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    texts = [text_of(*call) for call in CALLS]
    whole = pa.Table.from_pylist(rows, schema=TYPES)
    cut = data.draw(st.integers(0, len(rows)))
    parts = [values(texts, part) for part in (whole.slice(0, cut), whole.slice(cut))]
    chunked = values(texts, pa.concat_tables([whole.slice(cut), whole.slice(0, cut)]))
    for k, column in enumerate(values(texts, whole)):
        assert parts[0][k] + parts[1][k] == column  # to the last bit
        assert chunked[k] == column[cut:] + column[:cut]


def test_real_light_curves(outcomes: list[Any]) -> None:
    for outcome in outcomes:
        table = outcome.annotations
        found = values(["detections_within(10000)", "points_within(10000)"], table.select(["mjdTai", "lightCurve"]))
        later = [any(p["mjd"] > row["mjdTai"] for p in row["lightCurve"]) for row in table.to_pylist()]
        known = zip(later, *found, table["nDetections"].to_pylist(), table["nPoints"].to_pylist(), strict=True)
        for has_later, detections, n_points, wanted_detections, wanted_points in known:
            assert (detections <= wanted_detections) if has_later else (detections == wanted_detections)
            assert (n_points < wanted_points) if has_later else (n_points == wanted_points)


def test_bands_may_be_stored_in_any_way() -> None:
    made = pa.Table.from_pylist(
        [{"mjdTai": NOW, "lightCurve": [{"mjd": NOW, "flux": 2.0, "flux_err": 1.0, "band": "g", "detected": True}]}],
        schema=TYPES,
    )
    point = pa.struct(
        [(f.name, pa.large_utf8() if f.name == "band" else f.type) for f in TYPES.field(1).type.value_type]
    )
    large = made.set_column(1, "lightCurve", made["lightCurve"].cast(pa.large_list(point)))
    asked = ["flux_max_within(1, 'g')", "detections_within(1, 'r')"]
    assert values(asked, large) == values(asked, made) == [[2.0], [0]]


def needs(condition: str, **more: Any) -> set[str]:
    checked = check_condition(condition, SCHEMA)
    assert checked.term is not None
    return set(columns_needed(Filter("f", "me", condition, checked.term, **more)))


def test_the_columns_that_a_filter_reads() -> None:
    assert needs("snr > 5 AND NOT isDipole OR snr < -5") == {"snr", "isDipole"}
    assert needs("TRUE") == set()
    assert needs("snr > 5", regions=(Cone(1, 2, 3),)) == {"snr", "ra", "dec"}
    assert needs("days_since_previous() > 5") == {"lightCurve", "mjdTai"}
    assert needs("flux_max_within(30, 'g') > psfFlux") == {"lightCurve", "mjdTai", "psfFlux"}


@pytest.mark.parametrize(
    ("condition", "more"),
    [("snr > 5", {}), ("dec > 5", {"regions": (Cone(1, 2, 3),)}), ("detections_within(3) > psfFlux", {}), ("TRUE", {})],
)
def test_what_a_filter_needs_is_enough(condition: str, more: dict[str, Any]) -> None:
    checked = check_condition(condition, SCHEMA)
    assert checked.term is not None
    made = Filter("f", "me", condition, checked.term, **more)
    table = pa.table({name: pa.nulls(3, SCHEMA.field(name).type) for name in [*columns_needed(made), "night"]})
    assert evaluate([made], table).errors == {}
    assert evaluate([made], table).table.num_rows == 3


def test_other_filters_need_no_light_curve() -> None:
    table = pa.table({"x": np.arange(3.0)})
    checked = check_condition("x > 1", TYPES)
    assert checked.term is not None
    matches = evaluate([Filter("f", "me", "x > 1", checked.term)], table)
    assert matches.errors == {}
    assert matches.table["f"].to_pylist() == [False, False, True]


WRONG = [
    ("detections_within() > 1", "was given 0 values", "it is detections_within(days[, band])"),
    ("detections_within(1, 'g', 3) > 1", "was given 3 values", ""),
    ("detections_within('g') > 1", "needs a number of days above 0, but got `'g'`", ""),
    ("detections_within(x) > 1", "needs a number of days above 0, but got `x`", ""),
    ("detections_within(0) > 1", "needs a number of days above 0, but got `0`", ""),
    ("detections_within(-3) > 1", "needs a number of days above 0, but got `-3`", ""),
    ("detections_within(TRUE) > 1", "needs a number of days above 0", ""),
    ("detections_within(30, 'G') > 1", "no band is called 'G'", "did you mean g?"),
    ("detections_within(30, 'w') > 1", "no band is called 'w'", "the bands are 'u', 'g', 'r', 'i', 'z', 'y'"),
    ("detections_within(30, x) > 1", "needs a band in quotes, like 'g'", ""),
    ("flux_slope_within(30) > 1", "was given 1 value", "it is flux_slope_within(days, band)"),
    ("days_since_previous(30) > 1", "needs a band in quotes", ""),
    ("detection_within(30) > 1", "function 'detection_within' isn't allowed", "did you mean detections_within"),
    (" AND ".join(f"detections_within({k}) > 1" for k in range(1, 22)), "21 different calls of functions", ""),
    ("lightCurve > 3", "column 'lightCurve' is a list", "detections_within(30, 'g')"),
]


@pytest.mark.parametrize(("condition", "message", "hint"), WRONG, ids=[case[0][:40] for case in WRONG])
def test_what_is_no_call(condition: str, message: str, hint: str) -> None:
    (problem,) = check_condition(condition, TYPES).problems
    assert message in problem.message
    assert hint in problem.hint


def test_the_same_call_counts_once() -> None:
    assert check_condition(" OR ".join(f"detections_within(3) = {k}" for k in range(100)), TYPES).problems == ()


def test_a_table_without_light_curves_has_no_such_functions() -> None:
    (problem,) = check_condition("detections_within(3) > x", pa.schema([("x", pa.float64())])).problems
    assert problem.message == "detections_within needs the column lightCurve, which isn't here"
