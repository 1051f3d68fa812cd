"""Refuse the schemas with which a few bytes can fill the memory or the stack."""

from collections.abc import Mapping
from typing import Any

from schemas._record_reader import UnreadableError

_CONTAINERS = {"array": "items", "map": "values"}


def check_limits(schema: Any) -> None:
    """Check a schema from outside before anything is read with it.

    Raises
    ------
    UnreadableError
        If a type contains itself, or an array's items take no bytes, so that a short packet may claim billions of them.
    """
    _least_bytes(schema, {})


def check_repeated(schema: Any) -> None:
    """Check a schema from outside that any number of records may be read with, one after the other.

    Raises
    ------
    UnreadableError
        As `check_limits` does; also if it isn't that of a record, or if a record takes no bytes.
    """
    if schema["type"] != "record":
        raise UnreadableError("it isn't that of a record")
    if _least_bytes(schema, {}) <= 0:
        raise UnreadableError("its records take no bytes, as those of no alert do")


def _least_bytes(schema: Any, known: dict[str, int | None]) -> int:
    """The fewest bytes that a value takes; `known` holds that of the named types met before, None while inside one."""
    if isinstance(schema, list):
        return 1 + min((_least_bytes(branch, known) for branch in schema), default=0)
    if isinstance(schema, str):
        return _of_name(schema, known)
    kind = schema["type"]
    if kind in _CONTAINERS:
        return _of_items(kind, schema[_CONTAINERS[kind]], known)
    if "name" not in schema:
        return _least_bytes(kind, known)
    known[schema["name"]] = None
    known[schema["name"]] = least = _of_named(schema, known)
    return least


def _of_name(name: str, known: Mapping[str, int | None]) -> int:
    least = known.get(name, int(name != "null"))
    if least is None:
        raise UnreadableError(f"{name} contains itself, as no type of an alert does")
    return least


def _of_items(kind: str, items: Any, known: dict[str, int | None]) -> int:
    if kind == "array" and _least_bytes(items, known) <= 0:
        raise UnreadableError("it has an array whose items take no bytes, as no alert has")
    if kind == "map":
        _least_bytes(items, known)
    return 1


def _of_named(schema: Mapping[str, Any], known: dict[str, int | None]) -> int:
    if "fields" in schema:
        return sum(_least_bytes(field["type"], known) for field in schema["fields"])
    return int(schema.get("size", 1))
