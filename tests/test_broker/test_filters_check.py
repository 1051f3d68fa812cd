"""What is wrong with a condition: the message, the words that it points at, and the hint."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.filters.check import check_condition
from broker.filters.functions import FUNCTIONS, SPECIAL
from broker.filters.kinds import Columns, kind_of

COLUMNS = pa.schema(
    [
        ("survey", pa.utf8()),
        ("alertId", pa.int64()),
        ("ra", pa.float64()),
        ("dec", pa.float64()),
        ("band", pa.utf8()),
        ("snr", pa.float64()),
        ("nDetections", pa.int32()),
        ("className", pa.utf8()),
        ("probability", pa.float64()),
        ("pSNIa", pa.float64()),
        ("pSNII", pa.float64()),
        ("isDipole", pa.bool_()),
        ("classifications", pa.list_(pa.int32())),
        ("classifier", pa.struct([("name", pa.utf8())])),
        ("huge", pa.uint64()),
        ("Twin", pa.float64()),
        ("twin", pa.float64()),
    ]
)

WRONG = [
    # unknown names
    ("pSN1a > 0.8", "unknown column 'pSN1a'", "pSN1a", "did you mean pSNIa or pSNII?"),
    ("snr > 3 AND zzzzz = 1", "unknown column 'zzzzz'", "zzzzz", "`boreal filter fields` lists"),
    ("TWIN > 3", "unknown column 'TWIN'", "TWIN", "did you mean"),
    ("alerts.snr > 3", "`alerts.snr` isn't a column", "alerts.snr", "write the name alone: snr"),
    ('band = "r"', "no column is called 'r'", '"r"', "text stands in single quotes: 'r'"),
    ("classifications > 3", "column 'classifications' is a list", "classifications", ""),
    ("classifier = 3", "column 'classifier' is a structure", "classifier", ""),
    ("huge > 3", "column 'huge' is uint64", "huge", ""),
    ("sqr(snr) > 2", "function 'sqr' isn't allowed", "sqr", "did you mean sqrt?"),
    ("pg_read_file('x') = 'y'", "function 'pg_read_file' isn't allowed", "pg_read_file", "allowed are abs"),
    ("trim(band) = 'x'", "function 'trim' isn't allowed", "trim", ""),
    ("current_date > snr", "unknown column 'current_date'", "current_date", ""),
    # aggregates, sub-queries, statements
    ("sum(snr) > 1", "sum works on many rows", "sum", "greatest"),
    ("count(*) > 1", "count works on many rows", "count", ""),
    ("max(snr) OVER () > 1", "window functions (OVER) aren't allowed", "OVER", ""),
    ("SELECT 1", "SELECT isn't allowed", "SELECT", "one expression"),
    ("snr IN (SELECT 1)", "SELECT isn't allowed", "SELECT", ""),
    ("EXISTS (SELECT 1)", "SELECT isn't allowed", "SELECT", ""),
    ("WITH x AS (SELECT 1) SELECT 1", "WITH isn't allowed", "WITH", ""),
    ("snr > 3; DROP TABLE alerts", "`;` isn't allowed", ";", "one expression"),
    ("snr > 3;", "`;` isn't allowed", ";", ""),
    ("DROP TABLE alerts", "DROP isn't allowed", "DROP", ""),
    ("snr > 3 ORDER BY snr", "ORDER BY isn't allowed", "ORDER BY", ""),
    ("snr > 3 -- and more", "comments aren't allowed", "--", "description"),
    ("snr > 3 /* x */", "comments aren't allowed", "/*", ""),
    ("snr > 3 /* x", "comments aren't allowed", "/*", ""),
    ("snr > 3 # x", "comments aren't allowed", "#", ""),
    ("snr > ?", "parameters aren't allowed", "?", ""),
    ("snr > $1", "parameters aren't allowed", "$", ""),
    # syntax
    ("", "empty", "", "one expression"),
    ("  \n ", "empty", "  \n ", ""),
    ("snr >", "a value is missing after `>`", ">", ""),
    ("snr > 3 AND", "a value is missing after `AND`", "AND", ""),
    ("OR snr > 3", "a value is missing before `OR`", "OR", ""),
    ("(snr > 3", ") is missing after `3`", "3", ""),
    ("snr > 3)", "`)` isn't expected here", ")", ""),
    ("snr > 3 pSNIa < 1", "`pSNIa` isn't expected here", "pSNIa", "is an AND, an OR or an operator missing"),
    ("band = 'r", "the quote ' isn't closed", "'", ""),
    ("snr > 1e", "'1e' isn't a number", "1e", ""),
    ("snr > 1e999", "1e999 is too large", "1e999", ""),
    ("alertId = 9223372036854775808", "doesn't fit into 64 bits", "9223372036854775808", ""),
    ("alertId = -9223372036854775809", "doesn't fit into 64 bits", "-9223372036854775809", ""),
    # kinds
    ("snr", "`snr` is a number, not true or false", "snr", "compare it"),
    ("className", "`className` is text, not true or false", "className", ""),
    ("snr AND isDipole", "`snr` is a number; AND, OR, NOT and WHEN need true or false", "snr", ""),
    ("NOT snr", "`snr` is a number; AND, OR, NOT", "snr", ""),
    (
        "className = 3",
        "`className` is text, `3` is a whole number",
        "className = 3",
        "put quotes around the value: '3'",
    ),
    ("snr = '3'", "`snr` is a number, `'3'` is text", "snr = '3'", "without quotes"),
    ("isDipole = 1", "`isDipole` is true or false, `1` is a whole number", "isDipole = 1", "write `isDipole`"),
    ("isDipole > false", "true and false have no order", "isDipole", ""),
    ("1 < snr < 3", "comparisons can't be chained", "1 < snr < 3", "`snr BETWEEN low AND high`"),
    ("band + 1 > 2", "`+` needs numbers, but `band` is text", "band", ""),
    ("-band > 2", "`-` needs numbers, but `band` is text", "band", ""),
    ("snr BETWEEN 3 AND 'x'", "`snr` is a number, `'x'` is text", "snr BETWEEN 3 AND 'x'", ""),
    ("band IN ('g', 3)", "`band` is text, `3` is a whole number", "band IN ('g', 3)", ""),
    ("snr IN ()", "IN needs a list", "snr", ""),
    ("snr IS 3", "IS is followed by NULL, TRUE or FALSE", "snr IS 3", "use ="),
    ("snr IS TRUE", "`snr` is a number, not true or false", "snr", ""),
    ("snr LIKE '3%'", "LIKE needs text", "snr LIKE '3%'", ""),
    ("band LIKE survey", "LIKE needs a pattern in quotes", "band LIKE survey", ""),
    ("band LIKE 'x!' ESCAPE '!'", "the pattern ends with the escape character", "band LIKE 'x!'", ""),
    ("lower(snr) = 'x'", "lower needs text, but `snr` is a number", "snr", ""),
    ("sqrt(band) > 1", "`sqrt` needs numbers, but `band` is text", "band", ""),
    ("sqrt(snr, 2) > 1", "sqrt was given 2 values", "sqrt(snr, 2)", "it is sqrt(x)"),
    ("pi(3) > 1", "pi was given 1 value", "pi(3)", "it is pi()"),
    ("round(snr, ra) > 1", "round needs a whole number of digits", "ra", ""),
    ("round(snr, 16) > 1", "round needs a whole number of digits", "16", ""),
    ("greatest(snr, band) > 1", "the values of greatest must be of one kind", "greatest(snr, band)", ""),
    ("least(isDipole, false)", "true and false have no order", "least(isDipole, false)", ""),
    ("coalesce() > 1", "coalesce was given 0 values", "coalesce", ""),
    ("nullif(band, 1) = 'x'", "`band` is text, `1` is a whole number", "nullif(band, 1)", ""),
    (
        "CASE WHEN snr > 3 THEN 'x' ELSE 2 END = 'x'",
        "the values of CASE must be of one kind",
        "snr > 3 THEN 'x' ELSE 2",
        "",
    ),
    ("CASE snr WHEN 'x' THEN true END", "`snr` is a number, `'x'` is text", "'x'", ""),
    ("CAST(snr AS VARCHAR) = 'x'", "CAST to TEXT isn't allowed", "snr", "INTEGER, BIGINT, REAL and DOUBLE"),
    ("CAST(isDipole AS DOUBLE) = 1", "true and false can be cast to whole numbers only", "isDipole", ""),
    # what the parser knows and conditions don't
    ("snr >> 3 > 1", "`snr >> 3` isn't allowed", "snr >> 3", "docs/subscribers.md"),
    ("band || 'x' = 'y'", "`band || 'x'` isn't allowed", "band || 'x'", ""),
    ("snr // 2 > 1", "`snr // 2` isn't allowed", "snr // 2", ""),
    ("band ~ 'x'", "isn't allowed", "band ~ 'x'", ""),
    ("snr BETWEEN SYMMETRIC 3 AND 1", "isn't allowed", "snr BETWEEN SYMMETRIC 3 AND 1", ""),
    ("(snr, ra) = (1, 2)", "isn't allowed", "snr, ra", ""),
    ("DATE '2026-03-10' > snr", "CAST to DATE isn't allowed", "'2026-03-10'", ""),
    ("$$x$$ = band", "", "$", ""),
    ("snr AS x", "", "AS", ""),
    # depth and length
    ("(" * 300 + "snr > 1" + ")" * 300, "nested too deeply", None, ""),
    ("NOT " * 2000 + "isDipole", "nested too deeply", None, ""),
    ("snr" + " + snr" * 200 + " > 1", "nested too deeply", None, "split it"),
    ("isDipole OR " * 20_000 + "isDipole", "240,008 characters long", None, ""),
]


@pytest.mark.parametrize(("text", "message", "words", "hint"), WRONG, ids=[case[0][:40] for case in WRONG])
def test_what_is_wrong_is_told_where_it_is(text: str, message: str, words: str | None, hint: str) -> None:
    checked = check_condition(text, COLUMNS)
    assert checked.term is None
    told = [p for p in checked.problems if message in p.message]
    assert told, checked.problems
    start, end = told[0].span
    assert words is None or text[start:end].startswith(words)
    assert hint in told[0].hint


def test_every_problem_is_told_once() -> None:
    checked = check_condition("pSN1a > 3 AND className = 4 AND sqr(pSN1b) = 2", COLUMNS)
    assert [p.message.split(":")[0] for p in checked.problems] == [
        "unknown column 'pSN1a'",
        "can't be compared",
        "function 'sqr' isn't allowed",
    ]


RIGHT = [
    "PSNIA > 0.8 and NDETECTIONS >= 3",
    '"pSNIa" > .5 OR twin = Twin',
    "dec BETWEEN -5.5 AND +5 AND NOT (ra > 350 OR ra < 10)",
    "className IN ('SN Ia', 'SN II') AND className NOT LIKE '%!_%' ESCAPE '!'",
    "CASE WHEN isDipole THEN 1 ELSE nDetections END > 2.5",
    "coalesce(pSNIa, NULL, 0) <> 1 AND nullif(snr, 0) IS NOT NULL",
    "pow(snr, 2) > 2 ^ 3 AND snr::int % 2 = 0 AND ceiling(snr) = 3",
    "isDipole IS NOT TRUE AND snr IS DISTINCT FROM ra",
    "isDipole",
    "isDipole OR " * 3000 + "isDipole",
]


@pytest.mark.parametrize("text", RIGHT, ids=[text[:40] for text in RIGHT])
def test_what_is_right_passes(text: str) -> None:
    checked = check_condition(text, COLUMNS)
    assert checked.problems == ()
    assert checked.term is not None


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        ("pSNIa > 80", "pSNIa is a probability, from 0 to 1, compared with 80"),
        ("-0.5 < probability", "probability is a probability, from 0 to 1, compared with -0.5"),
        ("1 = 1", "the condition uses no column"),
        ("true", "the condition uses no column"),
        ("snr = NULL", "a comparison with NULL is never true"),
    ],
)
def test_what_is_doubtful_passes_with_a_warning(text: str, doubt: str) -> None:
    checked = check_condition(text, COLUMNS)
    assert checked.term is not None
    assert [d.message for d in checked.doubts if doubt in d.message]


def test_what_is_fine_gets_no_warning() -> None:
    assert check_condition("pSNIa > 0.8 AND nDetections > 3 AND snr > 80", COLUMNS).doubts == ()


def test_every_annotation_column_can_be_named_as_it_is(annotation_columns: pa.Schema) -> None:
    for name in Columns(annotation_columns).usable():
        checked = check_condition(f"{name} IS NOT NULL AND {name} = {name}", annotation_columns)
        assert checked.problems == (), name
    assert {f.name for f in annotation_columns if kind_of(f.type) is None} == {
        "classifications",
        "classifier",
        "broker",
        "lightCurve",
        "matchedFilters",
    }


def test_every_function_says_what_it_is() -> None:
    assert all(f.meaning and f.name == name for name, f in FUNCTIONS.items())
    assert all(signature.startswith(name) and meaning for name, (signature, meaning) in SPECIAL.items())


WORDS = ["snr", "band", "(", ")", ",", "'", '"', ">", "=", "AND", "OR", "NOT", "3", ".5", "IN", "IS", "NULL", "-", ";"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_no_text_breaks_the_check(text: str) -> None:
    checked = check_condition(text, COLUMNS)
    assert (checked.term is None) == bool(checked.problems)
    assert all(0 <= p.span[0] <= p.span[1] <= len(text) for p in checked.problems)


def test_conditions_may_use_plain_values_only(annotation_columns) -> None:
    nested = {field.name for field in annotation_columns if kind_of(field.type) is None}
    assert nested == {"classifications", "classifier", "broker", "lightCurve", "matchedFilters"}
