"""Conditions on alerts: SQL's logic of unknowns, exact ids, nothing that matches by accident."""

import json
import math
import pickle
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker.filters._file import RegionEntry
from broker.filters._possible import Possibilities
from broker.filters._words import in_words
from broker.filters.check import check_condition
from broker.filters.definition import Filter
from broker.filters.evaluate import Matches, evaluate, matched_names
from broker.filters.explain import Part, explain
from broker.filters.functions import FUNCTIONS, SPECIAL
from broker.filters.kinds import Kind
from broker.filters.light_curve import LIGHT_CURVE_FUNCTIONS
from broker.filters.read import read_filters
from broker.filters.regions import Cone, Galactic
from broker.filters.term import Term
from schemas.annotation import annotation_schema

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "filter_vectors.json").read_text(encoding="utf-8"))
ARROW = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "text": pa.utf8(),
    "boolean": pa.bool_(),
    "light curve": annotation_schema([], []).field("lightCurve").type,
}
POINT = ("mjd", "flux", "flux_err", "band", "detected")


def make(condition: str, schema: pa.Schema, name: str = "f", **more: Any) -> Filter:
    checked = check_condition(condition, schema)
    assert checked.term is not None, checked.problems
    return Filter(name, "me", condition, checked.term, **more)


def make_all(conditions: Sequence[str], schema: pa.Schema) -> tuple[Filter, ...]:
    return tuple(make(condition, schema, f"f{k}") for k, condition in enumerate(conditions))


def answers(conditions: Sequence[str], table: pa.Table) -> list[list[bool | None]]:
    """True, False or None for each condition and row; the engine itself tells only what matches."""
    both = [text for condition in conditions for text in (condition, f"({condition}) IS NULL")]
    matches = evaluate(make_all(both, table.schema), table)
    assert matches.errors == {}
    columns = [column.to_pylist() for column in matches.table.columns]
    return [
        [None if unknown else true for true, unknown in zip(matched, is_null, strict=True)]
        for matched, is_null in zip(columns[::2], columns[1::2], strict=True)
    ]


# The published vectors: conditions, rows and answers, for any implementation.


READ: dict[str, Any] = {
    "integer": int,
    "light curve": lambda points: [dict(zip(POINT, point, strict=True)) for point in points],
}


def vector_table() -> pa.Table:
    kinds = VECTORS["columns"]
    columns = {
        name: [None if row[name] is None else READ.get(kind, lambda value: value)(row[name]) for row in VECTORS["rows"]]
        for name, kind in kinds.items()
    }
    return pa.table({name: pa.array(values, ARROW[kinds[name]]) for name, values in columns.items()})


def test_the_vectors() -> None:
    cases = [case for case in VECTORS["cases"] if case.keys() == {"condition", "answers"}]
    found = answers([case["condition"] for case in cases], vector_table())
    wrong = {c["condition"]: a for c, a in zip(cases, found, strict=True) if a != c["answers"]}
    assert len(cases) > 150
    assert wrong == {}


WHOLE = [case for case in VECTORS["cases"] if case.keys() & {"values", "regions"}]


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: json.dumps(case)[:60])
def test_the_vectors_of_values_and_regions(case: dict[str, Any], tmp_path: Path) -> None:
    table, keys = vector_table(), {name: case[name] for name in ("values", "regions") if name in case}
    for region in keys.get("regions", ()):
        if "moc" in region:
            (tmp_path / "sky.json").write_text(json.dumps(region["moc"]))
            region["moc"] = "sky.json"
    conditions = case["condition"], f"({case['condition']}) IS NULL"
    for name, condition in zip(("true", "unknown"), conditions, strict=True):
        filter_file = {"name": name, "owner": "me", "condition": condition, **keys}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(filter_file))
    filters, findings = read_filters([tmp_path / "true.yaml", tmp_path / "unknown.yaml"], table.schema)
    assert [finding for finding in findings if not finding.warning] == []
    true, unknown = (column.to_pylist() for column in evaluate(filters, table).table.columns)
    tell_unknown = "regions" not in case  # of a filter with regions the answers say whether it passes
    found = [None if u and tell_unknown else t for t, u in zip(true, unknown, strict=True)]
    assert found == case["answers"]


def test_the_vectors_use_every_function_and_kind_of_region() -> None:
    text = " ".join(case["condition"].lower() + str(case.get("values", "")) for case in VECTORS["cases"])
    names = (*FUNCTIONS, *SPECIAL, *LIGHT_CURVE_FUNCTIONS, "cast")
    assert [name for name in names if f"{name}(" not in text] == []
    used = {kind for case in VECTORS["cases"] for region in case.get("regions", ()) for kind in region}
    assert used == set(RegionEntry.model_fields)


# A second implementation, row by row in plain Python, for random conditions.


class Reference:
    """Evaluates a term on one row, with Python's own whole numbers and fractions."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    def __call__(self, term: Term) -> Any:
        if term.op == "column":
            value = self.row[str(term.value)]
            return None if isinstance(value, float) and not math.isfinite(value) else value
        if term.op == "literal":
            return term.value
        if term.op in ("and", "or"):
            return self.junction(term)
        return self.case(term) if term.op == "case" else self.of_args(term, [self(arg) for arg in term.args])

    def of_args(self, term: Term, args: list[Any]) -> Any:
        special = getattr(self, f"op_{term.op}", None)
        if special:
            return special(term, args)
        return None if any(arg is None for arg in args) else self.computed(term, args)

    def junction(self, term: Term) -> bool | None:
        values, decisive = {self(arg) for arg in term.args}, term.op == "or"
        return decisive if decisive in values else None if None in values else not decisive

    def case(self, term: Term) -> Any:
        for when, then in zip(term.args[:-1:2], term.args[1:-1:2], strict=True):
            if self(when):
                return self(then)
        return self(term.args[-1])

    def op_in(self, _: Term, args: list[Any]) -> bool | None:
        x, *items = args
        if x is None:
            return None
        return True if any(equal(x, item) for item in items) else None if None in items else False

    def op_is_null(self, _: Term, args: list[Any]) -> bool:
        return args[0] is None

    def op_is_true(self, _: Term, args: list[Any]) -> bool:
        return args[0] is True

    def op_is_false(self, _: Term, args: list[Any]) -> bool:
        return args[0] is False

    def op_same(self, _: Term, args: list[Any]) -> bool:
        return bool(equal(*args)) or args == [None, None]

    def op_coalesce(self, _: Term, args: list[Any]) -> Any:
        return next((arg for arg in args if arg is not None), None)

    def op_nullif(self, _: Term, args: list[Any]) -> Any:
        return None if equal(*args) else args[0]

    def computed(self, term: Term, args: list[Any]) -> Any:
        try:
            made = OPERATIONS[term.op](*args)
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        if isinstance(made, complex) or (isinstance(made, float) and not math.isfinite(made)):
            return None
        if term.kind is Kind.INTEGER and not -(2**63) <= made < 2**63:
            return None
        return made


def equal(one: Any, other: Any) -> bool | None:
    return None if one is None or other is None else exact(one) == exact(other)


def exact(value: Any) -> Any:
    return value if isinstance(value, str | bool) else Fraction(value)


def rest(a: Any, b: Any) -> Any:
    times = abs(a) // abs(b) if isinstance(a, int) else math.floor(abs(a) / abs(b))
    size = abs(a) - abs(b) * times
    return -size if a < 0 else size


OPERATIONS: dict[str, Any] = {
    "not": lambda a: not a,
    "eq": lambda a, b: exact(a) == exact(b),
    "ne": lambda a, b: exact(a) != exact(b),
    "lt": lambda a, b: exact(a) < exact(b),
    "le": lambda a, b: exact(a) <= exact(b),
    "gt": lambda a, b: exact(a) > exact(b),
    "ge": lambda a, b: exact(a) >= exact(b),
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "mod": rest,
    "neg": lambda a: -a,
    "abs": abs,
    "floor": lambda a: a if isinstance(a, int) else float(math.floor(a)),
    "ceil": lambda a: a if isinstance(a, int) else float(math.ceil(a)),
    "sign": lambda a: (a > 0) - (a < 0),
    "sqrt": math.sqrt,
    "least": min,
    "greatest": max,
    "to_float": float,
    "to_integer": round,
    "lower": str.lower,
    "upper": str.upper,
}

RANDOM = pa.schema(
    [
        ("b", pa.bool_()),
        ("c", pa.bool_()),
        ("i", pa.int64()),
        ("j", pa.int32()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("t", pa.utf8()),
        ("u", pa.utf8()),
    ]
)
BIG = 2**53
wholes = st.sampled_from([0, 1, -1, 2, 7, -7, BIG, BIG + 1, -BIG - 1, 2**62, 2**63 - 1, -(2**63)])
numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, -2.5, 7.0, 1e300, -1e300, 1e-300, float(BIG), float(2**63)])
oddities = st.sampled_from([math.nan, math.inf, -math.inf])
words = st.sampled_from(["", "a", "A", "b%"])
rows_of = st.lists(
    st.fixed_dictionaries(
        {
            "b": st.none() | st.booleans(),
            "c": st.none() | st.booleans(),
            "i": st.none() | wholes,
            "j": st.none() | st.integers(-8, 8),
            "x": st.none() | numbers | oddities,
            "y": st.none() | numbers,
            "t": st.none() | words,
            "u": st.none() | words,
        }
    ),
    min_size=1,
    max_size=6,
)


SINGLE = ["abs", "floor", "ceil", "sqrt", "sign", "-"]


def number_texts(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(below, below)
    return (
        st.tuples(below, st.sampled_from("+-*/%"), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | st.tuples(st.sampled_from(["abs", "floor", "ceil", "sqrt", "sign", "-"]), below).map(
            lambda p: f"{p[0]}({p[1]})"
        )
        | two.map(lambda p: f"coalesce({p[0]}, {p[1]})")
        | two.map(lambda p: f"nullif({p[0]}, {p[1]})")
        | st.tuples(st.sampled_from(["least", "greatest"]), below, below).map(lambda p: f"{p[0]}({p[1]}, {p[2]})")
        | st.tuples(conditions_of(below), below, below).map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} ELSE {p[2]} END")
    )


COMPARE = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
texts = st.sampled_from(["t", "u", "'a'", "lower(t)", "upper(u)", "NULL", "coalesce(t, 'b%')"])


def conditions_of(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.sampled_from(["b", "c", "NOT b", "TRUE", "NULL", "b = c"])
        | st.tuples(values, COMPARE, values).map(" ".join)
        | st.tuples(texts, COMPARE, texts).map(" ".join)
        | st.tuples(values, values, values).map(lambda p: f"{p[0]} BETWEEN {p[1]} AND {p[2]}")
        | st.tuples(values, values, values).map(lambda p: f"{p[0]} NOT IN ({p[1]}, {p[2]}, 7, 1.0)")
        | values.map(lambda v: f"{v} IS NULL")
    )


leaves = st.sampled_from(["i", "j", "x", "y", "2", "0", "-1", "0.5", "9007199254740993", "1e300", "NULL"])
values = st.recursive(leaves, number_texts, max_leaves=5)
conditions = st.recursive(
    conditions_of(values),
    lambda below: (
        st.tuples(below, st.sampled_from(["AND", "OR"]), below).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
        | st.tuples(st.sampled_from(["NOT ({})", "({}) IS TRUE", "({}) IS NOT FALSE", "({}) IS NULL"]), below).map(
            lambda p: p[0].format(p[1])
        )
    ),
    max_leaves=4,
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=RANDOM)


@settings(max_examples=150, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), rows_of)
def test_the_engine_agrees_with_plain_python(texts_given: list[str], rows: list[dict[str, Any]]) -> None:
    found = answers(texts_given, table_of(rows))
    for text, made in zip(texts_given, found, strict=True):
        term = make(text, RANDOM).term
        assert made == [Reference(row)(term) for row in rows], text


@settings(max_examples=50, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), rows_of, st.data())
def test_an_answer_depends_on_its_row_alone(
    texts_given: list[str], rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    filters = make_all(texts_given, RANDOM)
    whole = evaluate(filters, table_of(rows)).table
    order = data.draw(st.permutations(range(len(rows))))
    cut = data.draw(st.integers(0, len(rows)))
    mixed = table_of([rows[k] for k in order])
    parts = [evaluate(filters, mixed.slice(0, cut)).table, evaluate(filters, mixed.slice(cut)).table]
    assert pa.concat_tables(parts).to_pylist() == [whole.to_pylist()[k] for k in order]
    alone = [evaluate((wanted,), table_of(rows)).table for wanted in filters]
    assert [part.column(0).to_pylist() for part in alone] == [column.to_pylist() for column in whole.columns]


@settings(max_examples=50, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), rows_of)
def test_nan_and_infinity_are_unknown(texts_given: list[str], rows: list[dict[str, Any]]) -> None:
    cleaned = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()} for row in rows
    ]
    assert answers(texts_given, table_of(rows)) == answers(texts_given, table_of(cleaned))


def joined(part: Part) -> bool | None:
    """What follows for a part from its own parts, by SQL's logic."""
    outcomes = [below.outcome for below in part.parts]
    if part.joins == "NOT":
        return None if outcomes[0] is None else not outcomes[0]
    if part.joins in ("AND", "OR"):
        decisive = part.joins == "OR"
        return decisive if decisive in outcomes else None if None in outcomes else not decisive
    return part.outcome


def parts_of(part: Part) -> list[Part]:
    return [part, *(inner for below in part.parts for inner in parts_of(below))]


@settings(max_examples=100, deadline=None)
@given(conditions, rows_of)
def test_what_is_explained_is_what_is_evaluated(text: str, rows: list[dict[str, Any]]) -> None:
    table, wanted = table_of(rows), make(text, RANDOM)
    passing, found = evaluate([wanted], table).table.column(0).to_pylist(), answers([text], table)[0]
    for k, row in enumerate(rows):
        made = explain(wanted, table.slice(k, 1))
        assert made.error == ""
        assert made.passes == passing[k] == (made.condition.outcome is True), (text, row)
        assert made.condition.outcome == found[k]
        assert all(part.outcome == joined(part) for part in parts_of(made.condition))
        columns = {seen.text: seen.value for part in parts_of(made.condition) for seen in part.seen}
        for name, value in row.items():
            undefined = isinstance(value, float) and not math.isfinite(value)
            assert columns.get(name, None if undefined else value) == (None if undefined else value)


@settings(max_examples=150, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), rows_of)
def test_what_is_held_impossible_never_happens(texts_given: list[str], rows: list[dict[str, Any]]) -> None:
    found = answers(texts_given, table_of(rows))
    for text, outcomes in zip(texts_given, found, strict=True):
        possible = Possibilities({})(make(text, RANDOM).term)
        assert all(possible.null if outcome is None else possible.may_be(outcome) for outcome in outcomes), text


@example(["CASE WHEN i NOT IN (1, 7) THEN i ELSE j END NOT IN (2, 7)", "t NOT ILIKE 'a%'"], [])
@settings(max_examples=150, deadline=None)
@given(st.lists(conditions, min_size=1, max_size=4), rows_of)
def test_a_term_in_words_means_the_same(texts_given: list[str], rows: list[dict[str, Any]]) -> None:
    small = [{**row, "i": None if row["i"] is None else row["i"] % 9} for row in rows]
    words = [in_words(make(text, RANDOM).term) for text in texts_given]
    assert answers(words, table_of(small)) == answers(texts_given, table_of(small)), words


UNDEFINED = (
    "1 / (x - x)",
    "sqrt(-1 - abs(x))",
    "ln(x - x)",
    "log10(-1.0)",
    "exp(1e9)",
    "1e300 * 1e300 * x",
    "power(-8, 0.5)",
    "asin(2)",
    "acos(-1.1)",
    "x % 0",
    "0.0 / 0",
    "ab_magnitude(0)",
    "degrees(1e308)",
)
AS_IF_KNOWN = ("> 5", "< 5", "= 5", "<> 5", "BETWEEN -1e308 AND 1e308", "IN (1, 2)", "NOT IN (1, 2)")


@pytest.mark.parametrize("value", UNDEFINED)
@pytest.mark.parametrize("comparison", AS_IF_KNOWN)
def test_what_is_undefined_never_matches(value: str, comparison: str) -> None:
    table = table_of([{"x": 3.0}])
    assert answers([f"{value} {comparison}", f"NOT ({value} {comparison})"], table) == [[None], [None]]


WITH_NULL = (
    *(
        f"{name}({', '.join(['NULL'] * len(function.parameters))})"
        for name, function in FUNCTIONS.items()
        if name != "pi"
    ),
    "-NULL",
    "-(NULL)",
    "round(NULL)",
    "coalesce(NULL, NULL)",
    "nullif(NULL, 1)",
    "least(NULL, NULL)",
    "greatest(NULL, t)",
    "CASE WHEN NULL THEN 1 END",
    "CASE NULL WHEN 1 THEN 2 END",
    "CASE WHEN b THEN NULL ELSE NULL END",
    "CAST(NULL AS INTEGER)",
    "CAST(NULL AS REAL)",
    "NULL ^ 2",
    "NULL % NULL",
    "(NULL)",
)


@pytest.mark.parametrize("value", WITH_NULL)
def test_null_may_stand_anywhere(value: str) -> None:
    table = table_of([{"i": 1, "x": 1.0, "t": "a", "b": True}])
    kinds = ("i", "x", "t", "b", "1", "1.5", "'a'", "TRUE", "NULL")
    fitting = [other for other in kinds if not check_condition(f"{value} = {other}", RANDOM).problems]
    assert len(fitting) >= 2
    for other in fitting:
        asked = [f"{value} = {other}", f"{other} IN ({value}, NULL)", f"{value} NOT IN ({other})", f"{value} IS NULL"]
        assert answers(asked, table) == [[None], [None], [None], [True]], other
        assert answers([f"{value} IS DISTINCT FROM {other}"], table) == [[other != "NULL"]], other
        assert answers([f"nullif({other}, {value}) IS NULL"], table) == [[other == "NULL"]], other


def test_no_infinity_slips_through_a_second_operation() -> None:
    texts_given = ["1 / (1 / (x - 3)) = 0", "atan(1 / (x - 3)) > 0", "exp(-1 / (x - 3)) = 0", "1 / exp(1e9) = 0"]
    assert answers(texts_given, table_of([{"x": 3.0}])) == [[None]] * 4


def test_ids_are_compared_exactly() -> None:
    ids = pa.table({"id": pa.array([BIG - 1, BIG, BIG + 1, BIG + 2, 2**63 - 1], pa.int64())})
    exactly = {
        f"id = {BIG + 1}": [BIG + 1],
        f"id = {BIG + 1}.0": [BIG + 1],
        f"id = {float(BIG)!r}": [BIG],
        f"id > {BIG}.0": [BIG + 1, BIG + 2, 2**63 - 1],
        f"id >= {BIG + 1}": [BIG + 1, BIG + 2, 2**63 - 1],
        f"id < {BIG + 1}": [BIG - 1, BIG],
        f"id IN ({BIG + 1}, 5.5)": [BIG + 1],
        f"id NOT IN ({BIG + 1}, {BIG}.0)": [BIG - 1, BIG + 2, 2**63 - 1],
        f"id BETWEEN {BIG + 1} AND 1e18": [BIG + 1, BIG + 2],
        f"id - 1 = {BIG}": [BIG + 1],
        f"nullif(id, {BIG + 1}) IS NULL": [BIG + 1],
        f"id IS NOT DISTINCT FROM {BIG + 1}": [BIG + 1],
        f"coalesce(NULL, id) = {BIG + 1}": [BIG + 1],
        f"CASE id WHEN {BIG + 1} THEN true END": [BIG + 1],
        "id = 9223372036854775807": [2**63 - 1],
        "id < 9223372036854775808.0": [BIG - 1, BIG, BIG + 1, BIG + 2, 2**63 - 1],
        "id + 1 IS NULL": [2**63 - 1],
        "id % 2 = 0": [BIG, BIG + 2],
    }
    matches = evaluate(make_all(list(exactly), ids.schema), ids).table
    assert matches.num_columns == len(exactly)
    for column, wanted in zip(matches.columns, exactly.values(), strict=True):
        assert ids["id"].filter(column).to_pylist() == wanted


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.uint8(), pa.uint32(), pa.float32(), pa.float16()])
def test_narrow_numbers_do_not_overflow(kind: pa.DataType) -> None:
    values = np.array([100, 3], np.float16) if kind == pa.float16() else [100, 3]
    table = pa.table({"n": pa.array(values, kind)})
    assert answers(["n * 1000000 > 99999999", "n - 101 < 0"], table) == [[True, False], [True, True]]


def test_texts_of_every_arrow_type() -> None:
    texts_given = pa.array(["a", None, "b"])
    for kind in (pa.large_utf8(), pa.string_view(), pa.dictionary(pa.int32(), pa.utf8())):
        assert answers(["t = 'a'"], pa.table({"t": texts_given.cast(kind)})) == [[True, None, False]]


@given(st.text(max_size=6), st.text("ab%_.\\$\n(", max_size=6), st.sampled_from(["", "!", "\\"]))
def test_like_is_that_of_sql(text: str, pattern: str, escape: str) -> None:
    table, quoted = pa.table({"t": [text]}), pattern.replace("'", "''")
    condition = f"t LIKE '{quoted}'" + (f" ESCAPE '{escape}'" if escape else "")
    if escape and len(pattern) - len(pattern.rstrip(escape)) & 1:
        assert check_condition(condition, table.schema).problems
    else:
        assert answers([condition], table) == [[like(text, pattern, escape)]]


def like(text: str, pattern: str, escape: str) -> bool:
    if not pattern:
        return not text
    first, following = pattern[0], pattern[1:]
    if first == escape:
        return text[:1] == following[:1] and like(text[1:], following[1:], escape)
    if first == "%":
        return any(like(text[k:], following, escape) for k in range(len(text) + 1))
    return bool(text) and first in ("_", text[0]) and like(text[1:], following, escape)


# Many filters at once.

ALERTS = pa.table({"x": [1.0, 2.0, None], "t": ["a", "b", None], "ra": [10.0, 20.0, None], "dec": [0.0, 0.0, 0.0]})


def broken_filters() -> list[Filter]:
    good = make("x > 1", ALERTS.schema)
    x = Term("column", Kind.FLOAT, value="x")
    return [
        Filter("no-such-op", "me", "", Term("nonsense", Kind.BOOLEAN, (x,))),
        Filter("no-such-column", "me", "", Term("is_null", Kind.BOOLEAN, (Term("column", Kind.FLOAT, value="gone"),))),
        Filter("wrong-kind", "me", "", Term("eq", Kind.BOOLEAN, (Term("column", Kind.INTEGER, value="t"),) * 2)),
        Filter("bad-pattern", "me", "", Term("like", Kind.BOOLEAN, (Term("column", Kind.TEXT, value="t"),), "(")),
        Filter("bad-region", "me", "", good.term, regions=(Cone("x", 0, 1),)),  # type: ignore[arg-type]  # on purpose
    ]


@pytest.mark.parametrize("broken", broken_filters(), ids=lambda f: f.name)
def test_a_broken_filter_takes_no_other_with_it(broken: Filter) -> None:
    good = [make("x > 1", ALERTS.schema, "one"), make("t = 'a'", ALERTS.schema, "two", regions=(Galactic(0, 89),))]
    fine = evaluate(good, ALERTS)
    matches = evaluate([good[0], broken, good[1]], ALERTS)
    assert fine.errors == {}
    assert list(matches.errors) == [broken.name]
    assert matches.errors[broken.name]
    assert matches.table[broken.name].to_pylist() == [False] * 3
    assert matches.table.select(["one", "two"]).equals(fine.table)


def test_an_interrupt_is_no_filter_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("broker.filters._program.Program.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate([make("x > 1", ALERTS.schema)], ALERTS)


def test_regions_and_condition_both_must_hold() -> None:
    inside = make("true", ALERTS.schema, "in", regions=(Cone(10, 0, 1),))
    either = make("x IS NOT NULL", ALERTS.schema, "either", regions=(Cone(10, 0, 1), Cone(20, 0, 1)))
    both = make("x > 1", ALERTS.schema, "both", regions=(Cone(10, 0, 1), Cone(20, 0, 1)))
    assert evaluate([inside, either, both], ALERTS).table.to_pydict() == {
        "in": [True, False, False],
        "either": [True, True, False],
        "both": [False, True, False],
    }


def test_names_come_in_the_order_of_the_filters() -> None:
    filters = [make("x > 0", ALERTS.schema, "z"), make("x > 1", ALERTS.schema, "a"), make("false", ALERTS.schema, "n")]
    names = matched_names(evaluate(filters, ALERTS))
    assert names.to_pylist() == [["z"], ["z", "a"], []]
    assert names.type == pa.list_(pa.utf8())
    assert matched_names(evaluate(filters, ALERTS.slice(0, 0))).to_pylist() == []


def test_a_filter_that_fails_passes_nothing_and_is_told() -> None:
    matches = evaluate([broken_filters()[0], make("x > 1", ALERTS.schema, "one")], ALERTS)
    assert matched_names(matches).to_pylist() == [[], ["one"], []]
    assert list(matches.errors) == ["no-such-op"]


def test_constant_conditions_stretch_over_the_batch() -> None:
    matches = evaluate(make_all(["true", "false", "NULL", "1 + 1 = 2"], ALERTS.schema), ALERTS)
    assert [column.to_pylist() for column in matches.table.columns] == [
        [True] * 3,
        [False] * 3,
        [False] * 3,
        [True] * 3,
    ]


def test_a_filter_works_after_pickling() -> None:
    made = make("x BETWEEN 1 AND 2 AND t LIKE 'b%'", ALERTS.schema, regions=(Cone(20, 0, 1),))
    before = evaluate([made], ALERTS)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - its own bytes
    assert evaluate([again], ALERTS) == Matches(before.table)
    assert before.table.column(0).to_pylist() == [False, True, False]


def test_the_deepest_condition_is_cheap() -> None:
    deep = "x"
    for _ in range(8):
        deep = f"sqrt(abs({deep}) + 1)"
    deep += " + x * x" * 30
    wide = " OR ".join(f"x > {k} AND t <> '{k}'" for k in range(2000))
    assert answers([f"{deep} > 1", wide], ALERTS) == [[True, True, None], [True, True, None]]
