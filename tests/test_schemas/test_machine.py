"""The machine against fastavro: what it reads is the same, and what it isn't sure of it refuses."""

import os
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas._byte_values import BytesRead, Stretch, values_of_bytes
from schemas._machine import TEXT_MASK
from schemas._program import program_for
from schemas._record_values import values_of_records
from schemas.registry import BundledRegistry, WriterSchema, parse
from schemas.survey import Field, Items, Survey, Values
from schemas.surveys import discover, recognise

Schema = dict[str, Any]
ALERTS = [schema for schema in BundledRegistry() if recognise(schema.record_name)]
KINDS = {
    "int": "id",
    "long": "id",
    "float": "number",
    "double": "number",
    "boolean": "flag",
    "string": "text",
}


def survey_of(fields: dict[str, Field], items: dict[str, Items] | None = None) -> Survey:
    """A survey that reads just these fields."""
    return Survey("test", re.compile("test"), fields, items or {}, lambda _: {}, lambda *_: None)  # type: ignore[arg-type, return-value]  # neither is called


def stretch(payloads: Sequence[bytes]) -> Stretch:
    """Payloads of one record each, one behind the other."""
    ends = np.cumsum([len(payload) for payload in payloads])
    starts = np.concatenate([[0], ends[:-1]])
    places = np.stack([starts, ends, np.ones_like(ends)], axis=1)
    return Stretch(np.frombuffer(b"".join(payloads), np.uint8), places)


def read(schema: Schema, survey: Survey, payloads: Sequence[bytes]) -> BytesRead:
    program = program_for(parse(schema), survey)
    assert program is not None
    return values_of_bytes(survey, program, [stretch(payloads)])


def plain(alerts: Values, items: dict[str, Values]) -> dict[str, Any]:
    """Values to compare: NaN is NaN, and -0.0 isn't 0.0."""
    tables = {"": alerts, **items}
    return {
        name: (table.owner.tolist(), {field: repr(array.to_pylist()) for field, array in table.arrays.items()})
        for name, table in tables.items()
    }


def by_fastavro(schema: Schema, survey: Survey, payload: bytes) -> dict[str, Any] | None:
    """The same values by way of a record; None for bytes that aren't one record from first to last."""
    stream = BytesIO(payload)
    try:
        record = fastavro.schemaless_reader(stream, parse(schema))
    except Exception:  # noqa: BLE001 - whatever fastavro raises
        return None
    return plain(*values_of_records(survey, [record])) if stream.tell() == len(payload) else None


def check(schema: Schema, survey: Survey, payload: bytes) -> bool:
    """Whether the machine reads it; if so, fastavro must read the same."""
    found = read(schema, survey, [payload])
    if found.good[0]:
        assert plain(found.alerts, found.items) == by_fastavro(schema, survey, payload)
    else:
        assert len(found.alerts) == 0
        assert not any(map(len, found.items.values()))
    return bool(found.good[0])


def encode(schema: Schema, record: Any) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, parse(schema), record)
    return out.getvalue()


PRIMITIVES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1]),
    "float": st.floats(width=32),
    "double": st.floats(),
    "bytes": st.binary(max_size=9),
    "string": st.text(st.characters(max_codepoint=127), max_size=9),
}


@st.composite
def types(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """An Avro type and its values."""
    simple = sorted(PRIMITIVES)
    kind = draw(st.sampled_from([*simple, "union", *(["array", "map", "record", "enum", "fixed"] if depth else [])]))
    name = f"n{draw(st.uuids()).hex}"
    if kind == "union":
        branches = draw(st.lists(st.sampled_from(simple), min_size=1, max_size=3, unique=True))
        # A number of another branch would fit as well: tell fastavro which one is meant.
        return branches, st.one_of([st.tuples(st.just(b), PRIMITIVES[b]) for b in branches])
    if kind == "enum":
        return {"type": "enum", "name": name, "symbols": ["A", "B", "C"]}, st.sampled_from("ABC")
    if kind == "fixed":
        size = draw(st.integers(0, 5))
        return {"type": "fixed", "name": name, "size": size}, st.binary(min_size=size, max_size=size)
    if kind == "record":
        fields = {f"f{k}": draw(types(depth - 1)) for k in range(draw(st.integers(1, 4)))}
        made = {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, (t, _) in fields.items()]}
        return made, st.fixed_dictionaries({n: v for n, (_, v) in fields.items()})
    if kind in ("array", "map"):
        inner, values = draw(types(depth - 1).filter(lambda made: least_bytes(made[0]) > 0))
        keys = st.text(st.characters(max_codepoint=127), max_size=3)
        several = st.lists(values, max_size=4) if kind == "array" else st.dictionaries(keys, values, max_size=3)
        return {"type": kind, "items" if kind == "array" else "values": inner}, several
    return kind, PRIMITIVES[kind]


def least_bytes(kind: Any) -> int:
    if isinstance(kind, list):
        return 1
    if isinstance(kind, str):
        return int(kind != "null")
    if kind["type"] == "record":
        return sum(least_bytes(field["type"]) for field in kind["fields"])
    return int(kind.get("size", 1))


def wanted(name: str, kind: Any) -> Field:
    branches = [branch for branch in kind if branch != "null"] if isinstance(kind, list) else [kind]
    known = len(branches) == 1 and isinstance(branches[0], str) and KINDS.get(branches[0])
    return Field(known or "given", f"{name}?")  # type: ignore[arg-type]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schema, Survey, bytes]:
    """A schema, what is wanted of it, and a record's bytes. An array holds records with a wanted field."""
    fields = {f"f{k}": draw(types()) for k in range(draw(st.integers(1, 5)))}
    point, values = draw(types())
    points = {"type": "record", "name": "Point", "fields": [{"name": "x", "type": point}, {"name": "y", "type": "int"}]}
    listed = [{"name": "z", "type": "int"}, *({"name": name, "type": kind} for name, (kind, _) in fields.items())]
    listed.insert(
        draw(st.integers(0, len(listed))), {"name": "points", "type": ["null", {"type": "array", "items": points}]}
    )
    schema = {"type": "record", "name": "test", "fields": listed}
    survey = survey_of(
        {name: wanted(name, kind) for name, (kind, _) in fields.items() if draw(st.booleans()) and single(kind)},
        {"points": Items("points?", {"y": Field("id", "y")} | ({"x": wanted("x", point)} if single(point) else {}))},
    )
    record = {name: draw(of) for name, (_, of) in fields.items()}
    rows = draw(st.none() | st.lists(st.fixed_dictionaries({"x": values, "y": PRIMITIVES["int"]}), max_size=5))
    return schema, survey, encode(schema, {"z": 1, "points": rows, **record})


def single(kind: Any) -> bool:
    """Whether a program can tell if a value is there: not of a union of several types."""
    return not isinstance(kind, list) or len([branch for branch in kind if branch != "null"]) == 1


@settings(max_examples=300)
@given(case=cases())
def test_any_record_of_any_schema_is_read_as_fastavro_reads_it(case: tuple[Schema, Survey, bytes]) -> None:
    assert check(*case)


@settings(max_examples=400)
@given(case=cases(), data=st.data())
def test_damaged_bytes_are_read_as_fastavro_reads_them_or_refused(
    case: tuple[Schema, Survey, bytes], data: st.DataObject
) -> None:
    schema, survey, payload = case
    at, size = data.draw(st.integers(0, len(payload))), data.draw(st.integers(0, 3))
    check(schema, survey, payload[:at] + data.draw(st.binary(max_size=12)) + payload[at + size :])


@pytest.mark.parametrize("schema", ALERTS, ids=lambda schema: schema.name)
def test_every_bundled_alert_schema_compiles(schema: WriterSchema) -> None:
    assert program_for(schema.parsed, discover()[schema.survey]) is not None


def values_of(kind: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:
    """The values of a bundled schema's type."""
    if isinstance(kind, list):
        return st.one_of([values_of(branch, names) for branch in kind])
    if isinstance(kind, str):
        return values_of(names[kind], names) if kind in names else PRIMITIVES[kind]
    if kind["type"] == "array":
        return st.lists(values_of(kind["items"], names), max_size=3)
    if kind["type"] != "record":
        return values_of(kind["type"], names)
    names[kind["name"]] = kind
    return st.fixed_dictionaries({field["name"]: values_of(field["type"], names) for field in kind["fields"]})


@pytest.mark.parametrize("schema", ALERTS, ids=lambda schema: schema.name)
def test_generated_records_of_bundled_schemas(schema: WriterSchema) -> None:
    survey = discover()[schema.survey]

    @settings(max_examples=15)
    @given(record=values_of(schema.parsed, {}))
    def compare(record: Any) -> None:
        payload = encode(dict(schema.json), record)
        found = read(dict(schema.json), survey, [payload])
        assert found.good.all()
        alerts = Values(found.alerts.owner, {name: found.alerts[name] for name in survey.fields})
        assert plain(alerts, found.items) == by_fastavro(dict(schema.json), survey, payload)
        if survey.version_field:
            assert found.versions is not None
            assert found.versions.to_pylist() == [record[survey.version_field]]

    compare()


LONG = {"type": "record", "name": "test", "fields": [{"name": "a", "type": "long"}]}
LONGS = {"type": "record", "name": "test", "fields": [{"name": "a", "type": {"type": "array", "items": "long"}}]}
POINTS = {
    "type": "record",
    "name": "test",
    "fields": [
        {
            "name": "a",
            "type": {
                "type": "array",
                "items": {"type": "record", "name": "p", "fields": [{"name": "x", "type": "long"}]},
            },
        }
    ],
}
READ_A = survey_of({"a": Field("id", "a")})
NOTHING = survey_of({})
READ_X = survey_of({}, {"points": Items("a", {"x": Field("id", "x")})})
LOWEST = b"\xff" * 9 + b"\x01"
"""The varint of -2 ** 63."""


@pytest.mark.parametrize(
    ("payload", "good"),
    [
        (LOWEST, True),
        (b"\xfe" + b"\xff" * 8 + b"\x01", True),
        (b"\x80\x00", True),  # longer than needed
        (b"\xff" * 9 + b"\x02", False),  # 65 bits
        (b"\xff" * 9 + b"\x81\x00", False),  # 11 bytes
        (b"\x80" * 40, False),
        (b"", False),
        (b"\x80", False),
        (b"\x02\x02", False),  # a byte too many
    ],
)
@pytest.mark.parametrize("survey", [READ_A, NOTHING])
def test_varints(payload: bytes, good: bool, survey: Survey) -> None:
    assert check(LONG, survey, payload) is good


@pytest.mark.parametrize(
    ("payload", "good"),
    [
        (b"\x00", True),
        (b"\x02\x06\x02\x08\x00", True),  # two blocks
        (b"\x03\x04\x06\x08\x00", True),  # -2 items in 2 bytes
        (b"\x03\x7f\x06\x08\x00", True),  # the size isn't looked at
        (b"\x03\x06\x08", False),  # no size
        (b"\x03\x04\x06\x08", False),  # no end
        (b"\x06\x02\x00", False),  # 3 items in 2 bytes
        (LOWEST + b"\x00\x00", False),
        (b"\xfe" + b"\xff" * 8 + b"\x01\x00\x00", False),  # 2 ** 63 - 1 items
        (b"\xfd" + b"\xff" * 8 + b"\x01\x00\x00", False),
    ],
)
@pytest.mark.parametrize(("schema", "survey"), [(LONGS, NOTHING), (POINTS, NOTHING), (POINTS, READ_X)])
def test_blocks(payload: bytes, good: bool, schema: Schema, survey: Survey) -> None:
    assert check(schema, survey, payload) is good


@pytest.mark.parametrize(
    ("kind", "payload", "good"),
    [
        ("boolean", b"\x02", True),  # anything but 0 is true
        ("boolean", b"", False),
        ("float", b"\x00\x00\x80\x7f", True),
        ("float", b"\x01\x00\xa0\x7f", True),  # a signalling NaN
        ("float", b"\x00\x00\x80", False),
        ("double", struct.pack("<d", -0.0), True),
        ("double", b"\x00" * 7, False),
        ("string", b"\x04ab", True),
        ("string", b"\x06ab", False),
        ("string", b"\x01", False),  # -1 bytes
        ("string", b"\x04\xc3\xa9", False),  # no ASCII: fastavro's business
        ("bytes", b"\x04\xc3\xa9", True),
        ("bytes", b"\x03ab", False),
        ("bytes", LOWEST + b"ab", False),
        ("bytes", b"\xfe" + b"\xff" * 8 + b"\x01ab", False),
        (["null", "long"], b"\x00", True),
        (["null", "long"], b"\x02\x08", True),
        (["null", "long"], b"\x04\x08", False),
        (["null", "long"], b"\x01\x08", False),  # branch -1
        (["double", "null"], b"\x02", True),
        (["double", "null"], b"\x00", False),
        (["null", "string", "long"], b"\x02\x02a", True),
        (["null", "string", "long"], b"\x06\x02a", False),
        ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, b"\x02", True),
        ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, b"\x04", False),
        ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, b"\x01", False),  # symbol -1
        ({"type": "fixed", "name": "f", "size": 2}, b"ab", True),
        ({"type": "fixed", "name": "f", "size": 2}, b"a", False),
        ({"type": "map", "values": "long"}, b"\x02\x02a\x06\x00", True),
        ({"type": "map", "values": "long"}, b"\x02\x02\xff\x06\x00", False),
    ],
)
def test_values_read_and_skipped(kind: Any, payload: bytes, good: bool) -> None:
    schema = {"type": "record", "name": "test", "fields": [{"name": "a", "type": kind}]}
    surveys = [NOTHING, *([survey_of({"a": wanted("a", kind)})] if single(kind) else [])]
    assert {check(schema, survey, payload) for survey in surveys} == {good}


def test_a_text_of_more_than_a_cell_can_tell_is_refused() -> None:
    schema = {"type": "record", "name": "test", "fields": [{"name": "a", "type": "string"}]}
    survey = survey_of({"a": Field("text", "a")})
    assert check(schema, survey, encode(schema, {"a": "x" * TEXT_MASK}))
    assert not check(schema, survey, encode(schema, {"a": "x" * (TEXT_MASK + 1)}))


def test_a_refused_segment_leaves_nothing_behind() -> None:
    good, bad = b"\x04\x02\x04\x00", b"\x04\x02\x04\x02"
    found = read(POINTS, READ_X, [good, bad, good, bad])
    assert found.good.tolist() == [True, False, True, False]
    assert found.items["points"].owner.tolist() == [0, 0, 1, 1]
    assert found.items["points"]["x"].to_pylist() == [1, 2, 1, 2]


def test_more_rows_than_there_is_room_for_at_first() -> None:
    payload = encode(POINTS, {"a": [{"x": k} for k in range(100_000)]})
    found = read(POINTS, READ_X, [b"\x00", payload, payload])
    assert found.good.all()
    assert found.items["points"]["x"].to_pylist() == [*range(100_000)] * 2


@given(texts=st.lists(st.text("ab", max_size=3) | st.none(), max_size=6), cuts=st.lists(st.integers(0, 6), max_size=3))
def test_segments_may_be_spread_over_stretches_of_bytes(texts: list[str | None], cuts: list[int]) -> None:
    schema = {"type": "record", "name": "test", "fields": [{"name": "a", "type": ["null", "string"]}]}
    survey = survey_of({"a": Field("text", "a?")})
    program = program_for(parse(schema), survey)
    assert program is not None
    payloads = [encode(schema, {"a": text}) for text in texts]
    parts = [payloads[start:end] for start, end in pairwise([0, *sorted(cuts), len(payloads)])]
    found = values_of_bytes(survey, program, [stretch([*part, b"\x04"]) for part in parts])
    assert found.good.tolist() == [good for part in parts for good in [*[True] * len(part), False]]
    assert found.alerts["a"].to_pylist() == texts
    assert found.alerts.owner.tolist() == list(range(len(texts)))


def test_segments_outside_of_the_bytes_are_refused() -> None:
    program = program_for(parse(LONG), READ_A)
    assert program is not None
    places = np.array([[-1, 1, 1], [0, 3, 1], [2, 1, 1], [0, 1, 1], [0, 1, 2**62]])
    found = values_of_bytes(READ_A, program, [Stretch(np.array([2, 4], np.uint8), places)])
    assert found.good.tolist() == [False, False, False, True, False]


def nested(kind: Any) -> Schema:
    return {"type": "record", "name": "test", "fields": [{"name": "a", "type": kind}]}


def doubling(levels: int) -> Any:
    """A record of two records of two records, and so on."""
    made: Any = "int"
    for level in range(levels):
        name = f"r{level}"
        fields = [{"name": "a", "type": made}, {"name": "b", "type": f"r{level - 1}" if level else "int"}]
        made = {"type": "record", "name": name, "fields": fields}
    return made


@pytest.mark.parametrize(
    ("schema", "survey"),
    [
        (nested(["null", "test"]), NOTHING),  # contains itself
        (nested({"type": "array", "items": "null"}), NOTHING),  # items without bytes
        (nested(doubling(60)), NOTHING),  # too large
        ({"type": "record", "name": "test", "fields": []}, NOTHING),
        (nested("string"), READ_A),  # another kind
        (nested(["null", "long", "int"]), READ_A),  # either of two
        (nested("long"), survey_of({"b": Field("id", "b")})),  # not there
        (nested("long"), survey_of({"b": Field("id", "a.b?")})),  # no record
        (nested({"type": "map", "values": "long"}), READ_X),  # no array
        (nested("long"), survey_of({f"a{k}": Field("id", "b?") for k in range(64)})),  # more than there are bits
    ],
)
def test_what_is_left_to_fastavro(schema: Schema, survey: Survey) -> None:
    assert program_for(parse(schema), survey) is None


def test_arrays_deep_within_each_other() -> None:
    kind: Any = "long"
    for _ in range(8):
        kind = {"type": "array", "items": kind}
    assert check(nested(kind), NOTHING, b"\x02" * 8 + b"\x02" + b"\x00" * 8)
    assert program_for(parse(nested({"type": "array", "items": kind})), NOTHING) is None


PATHS = {
    "type": "record",
    "name": "test",
    "fields": [
        {
            "name": "inner",
            "type": ["null", {"type": "record", "name": "inner", "fields": [{"name": "b", "type": "long"}]}],
        }
    ],
}


@example(payload=b"\x00")
@example(payload=b"\x02\x08")
@given(payload=st.binary(max_size=3))
def test_what_leads_to_a_field_may_be_null_only_if_the_path_says_so(payload: bytes) -> None:
    optional = survey_of({"b": Field("id", "inner?.c|b"), "there": Field("given", "inner")})
    check(PATHS, optional, payload)
    found = read(PATHS, survey_of({"b": Field("id", "inner.b")}), [payload])
    assert found.good[0] == (payload[:1] == b"\x02" and check(PATHS, optional, payload))


def test_the_machine_stays_within_its_arrays(tmp_path: Any) -> None:
    """The same laws, with the machine compiled to check each index."""
    laws = ["damaged_bytes", "blocks", "varints", "values_read", "segments", "more_rows"]
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-k", " or ".join(laws), __file__]
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
