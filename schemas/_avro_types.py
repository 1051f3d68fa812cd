"""Avro schemas of Arrow columns, for the records that Boreal itself writes."""

from typing import Any

import pyarrow as pa

PRIMITIVES = {
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "string",  # as in JSON: the two deliveries carry the same values
    pa.float32(): "float",
    pa.float64(): "double",
    pa.utf8(): "string",
}


def avro_type(kind: pa.DataType, name: str) -> Any:
    """The Avro type of an Arrow type; `name` names the record that a struct becomes."""
    if pa.types.is_list(kind):
        return {"type": "array", "items": avro_type(kind.value_type, name)}
    if pa.types.is_struct(kind):
        return {"type": "record", "name": name, "fields": [avro_field(field) for field in kind]}
    return PRIMITIVES[kind]


def avro_field(field: pa.Field) -> dict[str, Any]:
    """The Avro field of an Arrow field: nullable ones default to null; unit and meaning become its `doc`."""
    kind = avro_type(field.type, f"{field.name}_record")
    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    doc = f"{metadata.get('meaning', '')} [{metadata.get('unit', '')}]".removesuffix(" []").strip()
    made = {"name": field.name, "type": ["null", kind] if field.nullable else kind}
    return made | ({"default": None} if field.nullable else {}) | ({"doc": doc} if doc else {})
