"""Attacks on how a record is wrapped: schema ids, container headers, codecs, markers, counts, the schema itself."""

import json
from collections.abc import Iterator
from io import BytesIO
from random import Random
from typing import Any

import fastavro

from benchmarks.fuzzing.damage import varint
from benchmarks.fuzzing.templates import MARKER, Template

_CODECS = ("null", "deflate", "bzip2", "snappy", "zstandard", "lz4", "xz")
_COUNTS = (0, -1, 2, 3, 1000, 2**31, 2**40, 2**62, -(2**63))
_HEADER = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": 16}},
        ],
    }
)
_TYPES: tuple[Any, ...] = (
    "null", "boolean", "int", "long", "float", "double", "string", "bytes", "ztf.alert", "nonsense", "x\ud800", "", 7,
    None, [], {}, ["null"], ["null", "double"], ["null", "null"], {"type": "array", "items": "null"},
    {"type": "array", "items": "int"}, {"type": "array", "items": {"type": "array", "items": "ztf.alert"}},
    {"type": "map", "values": "null"}, {"type": "fixed", "name": "f", "size": 2**40},
    {"type": "fixed", "name": "f", "size": -1}, {"type": "fixed", "name": "f", "size": 0},
    {"type": "enum", "name": "e", "symbols": ["a", "b"]}, {"type": "enum", "name": "e", "symbols": []},
    {"type": "record", "name": "r", "fields": []}, {"type": "int", "logicalType": "date"},
    {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
)  # fmt: skip
"""Types, some of which are none."""


def other_schema_id(chance: Random, template: Template, other: Template) -> bytes:
    """The id of another schema, or of none."""
    ids = (other.schema_id or 0, 0, 1, 700, 1000, 1100, 2**31, 2**32 - 1, chance.randrange(2**32))
    return b"\0" + chance.choice(ids).to_bytes(4, "big") + template.payload[template.body :]


def several_records(chance: Random, template: Template, other: Template) -> bytes:
    """A container of several records in any codec, whole, with a flipped bit, or cut off."""
    records = [template.record] * chance.randint(0, 3)
    if other.schema is template.schema:
        records.append(other.record)
    container = bytearray(_container(template, *records, codec=chance.choice(_CODECS)))
    kind = chance.randrange(3)
    if kind == 1:
        container[chance.randrange(container.index(MARKER), len(container))] ^= 1 << chance.randrange(8)
    return bytes(container if kind < 2 else container[: -chance.randint(1, 200)])  # noqa: PLR2004 - the last kind


def wrong_block(chance: Random, template: Template, _other: Template) -> bytes:
    """A block that lies about its count, its size, its codec or its marker."""
    meta, body = _meta(template), _body(template)
    count, size, marker = 1, len(body), MARKER
    lie = chance.randrange(5)
    if lie == 0:
        count = chance.choice(_COUNTS)
    elif lie == 1:
        size = chance.choice((*_COUNTS, size + 1, size - 1))
    elif lie == 2:  # noqa: PLR2004 - one of five
        meta["avro.codec"] = chance.choice((*_CODECS[1:], "none", "\xff\0", "x" * 5000)).encode()
    elif lie == 3:  # noqa: PLR2004
        marker = chance.randbytes(16)
    else:
        count, body = 2**40, b""
        size = 0
    return _header(meta) + varint(count) + varint(size) + body + marker


def wrong_schema(chance: Random, template: Template, _other: Template) -> bytes:
    """A header whose schema was changed in one to three places."""
    schema = json.loads(_meta(template)["avro.schema"])
    for _ in range(chance.randint(1, 3)):
        _change(chance, chance.choice(list(_nodes(schema))))
    body, text = _body(template), json.dumps(schema)
    at = chance.randrange(len(text))
    text = text[:at] + text[at + 1 :] if chance.random() < 0.1 else text  # noqa: PLR2004 - mostly valid JSON
    meta = {**_meta(template), "avro.schema": text.encode()}
    return _header(meta) + varint(chance.choice((1, 1, 1, *_COUNTS))) + varint(len(body)) + body + MARKER


def nested_schema(chance: Random, template: Template, _other: Template) -> bytes:
    """A header whose schema nests deeply, in arrays or in records."""
    schema = json.loads(_meta(template)["avro.schema"])
    kind: Any = "int"
    arrays = chance.random() < 0.5  # noqa: PLR2004 - half of each
    for k in range(chance.choice((10, 100, 150, 200, 300))):
        record = {"type": "record", "name": f"r{k}", "fields": [{"name": "a", "type": kind}]}
        kind = {"type": "array", "items": kind} if arrays else record
    schema["fields"].insert(0, {"name": "deep", "type": kind})
    body = b"\x02" * 500 + _body(template)
    meta = {"avro.schema": json.dumps(schema).encode()}
    return _header(meta) + varint(1) + varint(len(body)) + body + MARKER


def _container(template: Template, *records: Any, codec: str = "null") -> bytes:
    """A container, whatever the template's framing."""
    out = BytesIO()
    fastavro.writer(out, template.schema, records, codec=codec, sync_marker=MARKER)
    return out.getvalue()


def _meta(template: Template) -> dict[str, bytes]:
    public = {key: value for key, value in template.schema.items() if not key.startswith("__")}
    return {"avro.schema": json.dumps(public).encode(), "avro.codec": b"null"}


def _body(template: Template) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, template.schema, template.record)
    return out.getvalue()


def _header(meta: dict[str, bytes]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, _HEADER, {"magic": b"Obj\x01", "meta": meta, "sync": MARKER})
    return out.getvalue()


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every object within a schema, itself first."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from _nodes(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _nodes(part)


def _change(chance: Random, node: dict[str, Any]) -> None:
    """Give a record, field or type another type, another name, or one key less."""
    kind = chance.randrange(4)
    if kind < 2:  # noqa: PLR2004 - half of them change the type
        node["type"] = chance.choice(_TYPES)
    elif kind == 2 and isinstance(node.get("fields"), list):  # noqa: PLR2004
        chance.shuffle(node["fields"])
        del node["fields"][chance.randrange(len(node["fields"]) + 1) :]
    elif node:
        key = chance.choice(sorted(node))
        node[key] = chance.choice((node[key], "lsst.v10_0.alert", "elasticc.v0_9.alert", "x\ud800", 3, [], {}))
        if chance.random() < 0.5:  # noqa: PLR2004 - or none at all
            del node[key]
