"""Values that a filter saves under a name."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from broker.filters.explain import explain
from broker.filters.needed import columns_needed
from broker.filters.read import FilterRead, read_file

Read = Callable[[str], FilterRead]
HEAD = "name: f\nowner: me\n"


@pytest.fixture
def read(tmp_path: Path, annotation_columns: pa.Schema):
    def read(text: str) -> FilterRead:
        file = tmp_path / "mine.yaml"
        file.write_text(HEAD + text)
        return read_file(file, annotation_columns)

    return read


def made(found: FilterRead) -> Filter:
    assert found.filter is not None, found.findings
    return found.filter


TABLE = pa.table({"snr": [2.0, 4.0, None], "psfFlux": [1.0, 100.0, 5.0], "isDipole": [True, False, None]})


def passing(wanted: Filter) -> list[bool]:
    matches = evaluate([wanted], TABLE)
    assert matches.errors == {}
    return matches.table.column(0).to_pylist()


def test_a_value_stands_for_its_expression(read: Read) -> None:
    text = "values:\n  loud: snr > 3\n  size: abs(psfFlux) * 2\n  both: loud AND SIZE > low\ncondition: "
    with_values = made(read(text.replace("  both", "  low: 100\n  both") + "both OR isDipole\n"))
    plain = made(read("condition: (snr > 3 AND abs(psfFlux) * 2 > 100) OR isDipole\n"))
    assert passing(with_values) == passing(plain) == [True, True, False]
    assert [(value.name, value.expression) for value in with_values.values] == [
        ("loud", "snr > 3"),
        ("size", "abs(psfFlux) * 2"),
        ("low", "100"),
        ("both", "loud AND SIZE > low"),
    ]
    assert columns_needed(with_values) == {"snr", "psfFlux", "isDipole"}


def test_numbers_and_truth_need_no_quotes(read: Read) -> None:
    values = "values: {a: 3, b: 1.50, c: true, d: \"'g'\", e: -2}\n"
    made_of = made(read(values + "condition: (snr > a AND c) OR snr * b = e OR band = d\n"))
    assert [value.expression for value in made_of.values] == ["3", "1.50", "true", "'g'", "-2"]


def test_a_constant_may_be_a_number_of_days_or_digits(read: Read) -> None:
    values = "values: {window: 30, green: \"'g'\", digits: 2}\n"
    made(read(values + "condition: round(flux_max_within(window, green), digits) > 5\n"))


def test_values_are_part_of_what_a_filter_is(read: Read) -> None:
    texts = (
        "condition: snr > 3\n",
        "values: {low: 3}\ncondition: snr > low\n",
        "values: {low: 4}\ncondition: snr > low\n",
    )
    assert len({made(read(text)).sha256 for text in texts}) == 3
    spaced = made(read('values: {low: "3  +  1"}\ncondition: snr > low\n')).sha256
    assert spaced == made(read('values: {low: "3 + 1"}\ncondition: snr > low\n')).sha256


def test_a_filter_without_values_keeps_its_hash(annotation_columns: pa.Schema, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("name: f\nowner: me\ncondition: snr > 3\n")
    found = made(read_file(tmp_path / "f.yaml", annotation_columns))
    assert found.sha256 == "d940589d3c7f8fa83f2ba157e4d2576a8c9aba62dc7599a4bef19b7a35d55d2f"


WRONG = {
    "a column": ("snr: 3", "snr > 1", "4:3: 'snr' is the name of a column", "another name"),
    "a column in other letters": ("SNR: 3", "snr > 1", "4:3: 'SNR' is the name of a column (snr)", ""),
    "a function": ("abs: 3", "snr > 1", "4:3: 'abs' is the name of a function", ""),
    "a function of the light curve": ("Points_Within: 3", "snr > 1", "'Points_Within' is the name of a function", ""),
    "a second name of one": ("pow: 3", "snr > 1", "'pow' is the name of a function", ""),
    "a word of SQL": ("case: 3", "snr > 1", "4:3: 'case' is a word of SQL", ""),
    "another word of SQL": ("select: 3", "snr > 1", "4:3: 'select' is a word of SQL", ""),
    "a constant of SQL": ("'null': 3", "snr > 1", "'null' is a word of SQL", ""),
    "no name": ("2x: 3", "snr > 1", "4:3: '2x' can't be the name of a value", "letters, digits and _"),
    "a name with a blank": ("a b: 3", "snr > 1", "'a b' can't be the name of a value", ""),
    "an empty name": ("'': 3", "snr > 1", "'' can't be the name of a value", ""),
    "a long name": (f"{'a' * 65}: 3", "snr > 1", "can't be the name of a value", ""),
    "a name twice": ("a: 1\n  A: 2", "snr > a", "5:3: there is a value 'A' already", "upper and lower case"),
    "itself": ("a: a + 1", "a > 1", "4:6: the value 'a' can't be used here", "that stand above it"),
    "a later one": ("a: b + 1\n  b: snr", "a > 1", "4:6: the value 'b' can't be used here", "that stand above it"),
    "in a circle": ("a: b + 1\n  b: a", "b > 1", "4:6: the value 'b' can't be used here", ""),
    "an unknown column": ("a: snnr * 2", "a > 1", "4:6: unknown column 'snnr'", "did you mean snr?"),
    "a misspelt value": ("colour: snr * 2", "color > 1", "5:12: unknown column 'color'", "did you mean colour"),
    "its kind": ("a: className", "a > 1", "5:12: can't be compared: `a` is text", ""),
    "a list": ("a: [1]", "snr > 1", "4:6: values.a: must be text", ""),
    "nothing": ("a:", "snr > 1", "4:3: values.a: must be text", ""),
    "no expression": ("a: snr +", "a > 1", "4:10: a value is missing after `+`", ""),
    "a sub-query": ("a: (SELECT 1)", "a > 1", "4:7: SELECT isn't allowed", ""),
    "a comment": ("a: '1 -- x'", "a > 1", "comments aren't allowed", ""),
    "too many": ("\n  ".join(f"v{k}: {k}" for k in range(101)), "snr > v1", "there must be at most 100 items", ""),
}  # fmt: skip


@pytest.mark.parametrize(("values", "condition", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_where_it_is(read: Read, values: str, condition: str, message: str, hint: str) -> None:
    found = read(f"values:\n  {values}\ncondition: {condition}\n")
    assert found.filter is None
    told = [str(finding) for finding in found.findings]
    assert [text for text in told if message in text and hint in text], told


def test_one_mistake_is_told_once(read: Read) -> None:
    found = read("values:\n  a: snnr + 1\n  b: a * 2\ncondition: b > 3 AND a < 5\n")
    assert [finding.message for finding in found.findings] == ["unknown column 'snnr'"]


def test_a_value_that_nothing_uses_is_doubtful(read: Read) -> None:
    found = read("values: {a: 1, b: a + 1, c: 3}\ncondition: snr > b\n")
    assert [(f.message, f.warning) for f in found.findings] == [("nothing uses the value 'c'", True)]
    assert passing(made(found)) == [False, True, False]


def test_doubts_point_at_the_use_of_a_value(read: Read) -> None:
    found = read("values:\n  a: snr > 5\n  b: snr < 3\ncondition: isDipole AND a AND b\n")
    (doubt,) = found.findings
    assert (doubt.line, doubt.column, doubt.length) == (6, 25, len("a AND b"))


def test_values_are_explained(read: Read) -> None:
    told = explain(
        made(read("values: {size: abs(psfFlux), loud: snr > 3}\ncondition: loud AND size > 50\n")), TABLE.slice(1, 1)
    )
    assert told.passes
    assert [(seen.text, seen.value) for seen in told.values] == [("size", 100.0), ("loud", True)]
    loud, size = told.condition.parts
    assert (loud.joins, loud.parts[0].text, loud.parts[0].seen[0].value) == ("loud", "snr > 3", 4.0)
    assert [(seen.text, seen.value) for seen in size.seen] == [("size", 100.0), ("psfFlux", 100.0)]


def test_a_value_used_often_is_computed_once(read: Read) -> None:
    from broker.filters._program import Program

    uses = " OR ".join(f"size > {k}" for k in range(50))
    wanted = made(read(f"values: {{size: ln(abs(psfFlux) + 1)}}\ncondition: {uses}\n"))
    other = made(read("condition: ln(abs(psfFlux) + 1) > 1\n"))
    steps = [sum(map(len, Program.compile([(f.name, f.term, ())]).steps)) for f in (wanted, other)]
    assert steps[0] == steps[1]
