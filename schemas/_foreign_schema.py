"""A writer schema from outside: read it, and trust nothing in it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro

from schemas._record_reader import UnreadableError
from schemas._schema_limits import check_limits
from schemas.registry import WriterSchema, parse, record_name
from schemas.surveys import recognise

_LARGEST = 4 << 20
"""Characters; the largest schema of a survey, LSST's, has under 0.2 million."""

_NAMED = ("record", "error", "enum", "fixed")
_WITH_TYPES = ("type", "items", "values", "fields")


def writer_schema(schema_id: int, text: str, parts: Sequence[str] = ()) -> WriterSchema:
    """Read the schema of this id.

    Parameters
    ----------
    schema_id : its number in the registry.
    text : the schema, JSON.
    parts : the schemas whose types it uses without defining them, each after those that it uses itself.

    Raises
    ------
    UnreadableError
        If it isn't the schema of a record, or a few bytes of such a record could fill the memory or the stack.
    """
    try:
        _check_size(text, *parts)
        schema = _joined(text, parts)
        check_limits(parse(schema))
    except UnreadableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is in it, only the packets that need it are at fault
        raise UnreadableError(f"{type(error).__name__}: {error!s:.200}") from None
    return _named(schema_id, schema)


def _check_size(*texts: str) -> None:
    if (size := sum(map(len, texts))) > _LARGEST:
        raise UnreadableError(f"it has {size} characters, expected {_LARGEST} at most")


def _joined(text: str, parts: Sequence[str]) -> Mapping[str, Any]:
    """The schema with every type that it uses defined in it."""
    schema = json.loads(text)
    if not isinstance(schema, Mapping) or schema.get("type") != "record":
        raise UnreadableError(f"it is {text[:60]!r}, expected the schema of a record")
    if not parts:
        return schema
    known: dict[str, Any] = {}
    for part in parts:
        fastavro.parse_schema(json.loads(part), known)
    whole: Mapping[str, Any] = _with_definitions(fastavro.parse_schema(schema, known), known, set())
    return whole


def _with_definitions(schema: Any, known: Mapping[str, Any], defined: set[str]) -> Any:
    """A schema parsed by fastavro, so that names are full, with each type defined where it is first used."""
    if isinstance(schema, list):
        return [_with_definitions(each, known, defined) for each in schema]
    if isinstance(schema, str):
        missing = schema in known and schema not in defined
        return _with_definitions(known[schema], known, defined) if missing else schema
    if schema["type"] in _NAMED:
        defined.add(schema["name"])
    return {
        key: _with_definitions(value, known, defined) if key in _WITH_TYPES else value
        for key, value in schema.items()
        if not key.startswith("__")
    }


def _named(schema_id: int, schema: Mapping[str, Any]) -> WriterSchema:
    """Survey and version as the bundled schemas have them; of a record of no known survey decoding says so."""
    name = record_name(schema)
    found = recognise(name)
    if found is None:
        return WriterSchema(name, name.partition(".")[0], "", schema_id, schema)
    survey, match = found
    return WriterSchema(name, survey.name, survey.version_of_name(match), schema_id, schema)
