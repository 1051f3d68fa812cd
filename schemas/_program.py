"""Compiles a writer schema to a program that reads what a survey wants and skips the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from schemas import _machine as machine
from schemas._paths import Step, steps
from schemas._same import Same
from schemas._schema_limits import check_repeated
from schemas.survey import MOST_FIELDS, Field, Kind, Survey

VERSION = "schema version"
"""The name of the version among an alert's fields, where a field holds it; no survey's own name has a space."""

_MOST_TYPES = 20_000
"""The most types that a program may walk through: named ones count wherever they are used."""

_LARGEST_FIXED = 2**31
_PAIR = 2
_RECORDS = ("record", "error")
_COMPLEX = (*_RECORDS, "array", "map", "enum", "fixed")

_SHAPES = {
    "null": 0,
    "boolean": 1,
    "int": machine.VARINT,
    "long": machine.VARINT,
    "float": 4,
    "double": 8,
    "bytes": machine.BYTES,
    "string": machine.TEXT,
}
_READS = {
    ("number", "float"): machine.READ_FLOAT,
    ("number", "double"): machine.READ_DOUBLE,
    ("id", "int"): machine.READ_VARINT,
    ("id", "long"): machine.READ_VARINT,
    ("flag", "boolean"): machine.READ_FLAG,
    ("text", "string"): machine.READ_TEXT,
}


class _UnsuitedError(Exception):
    """A schema that no program is made for."""


@dataclass(frozen=True)
class Column:
    """Where a field's values are: its cell within a row, and the operation that stores them; None where none does."""

    cell: int
    operation: int | None


@dataclass(frozen=True)
class Program:
    """A compiled schema.

    Parameters
    ----------
    code : int64 array, shape (n_operations, 4)
        Operations of `schemas._machine` and their operands.
    targets : int64 array
        Where the branches of each union continue, and the shapes of pairs.
    tables : the columns of the alerts, then of each of the survey's items, by the names of fields.
    """

    code: NDArray[np.int64]
    targets: NDArray[np.int64]
    tables: tuple[Mapping[str, Column], ...]


def program_for(schema: Mapping[str, Any], survey: Survey) -> Program | None:
    """The program for records of a schema, as fastavro parsed it; compiled once.

    None for a schema that it takes fastavro to read: a field isn't where or what the survey wants it, a type contains
    itself, or a few bytes could stand for any number of values.
    """
    return _compiled(Same(schema, survey))


@lru_cache(maxsize=64)
def _compiled(key: Same) -> Program | None:
    schema, survey = key.things
    try:
        check_repeated(schema)
        return _Compiler(survey).compile(schema)
    except Exception:  # noqa: BLE001 - a container's schema may hold anything; fastavro's reading says what is wrong
        return None


@dataclass(frozen=True)
class _Want:
    """A field that is wanted: where its values go, and the way to it from here.

    Parameters
    ----------
    name, kind : of the field; the kind of a wanted array of records is ``items``.
    table, cell : where its values go; an array's items begin rows of this table.
    path : the steps that are left; none where it is here.
    optional : whether what is here may be null although steps are left.
    """

    name: str
    kind: Kind | Literal["items"]
    table: int
    cell: int
    path: tuple[Step, ...]
    optional: bool = False

    def inner(self) -> "_Want":
        return replace(self, path=self.path[1:], optional=self.path[0].optional)

    @property
    def never_null(self) -> bool:
        return (bool(self.path) and not self.optional) or self.name == VERSION


class _Compiler:
    """Walks a schema as its records are written, and emits operations."""

    def __init__(self, survey: Survey) -> None:
        version = {} if survey.version_field is None else {VERSION: Field("text", survey.version_field)}
        tables = [{**survey.fields, **version}, *(items.fields for items in survey.items.values())]
        if len(tables) > machine.MOST_TABLES or max(map(len, tables)) > MOST_FIELDS + 1:
            raise _UnsuitedError
        self._wants = [_wants(table, fields) for table, fields in enumerate(tables)]
        self._wants[0] += [
            _Want(name, "items", table, 0, steps(items.path))
            for table, (name, items) in enumerate(survey.items.items(), start=1)
        ]
        self._columns = [{name: Column(cell, None) for cell, name in enumerate(fields)} for fields in tables]
        self._names: dict[str, Any] = {}
        self._code: list[list[int]] = []
        self._targets: list[int] = []
        self._label = 0
        self._types = 0

    def compile(self, schema: Mapping[str, Any]) -> Program:
        self._row(0)
        self._value(schema, self._wants[0], 0)
        self._emit(machine.END)
        code = np.array(self._code, dtype=np.int64)
        return Program(code, np.array(self._targets, dtype=np.int64), tuple(self._columns))

    def _emit(self, operation: int, a: int = 0, b: int = 0, null: int = -1) -> int:
        self._code.append([operation, a, b, null])
        return len(self._code) - 1

    def _here(self) -> int:
        """The place of the next operation, to be continued at from elsewhere."""
        self._label = len(self._code)
        return self._label

    def _row(self, table: int) -> None:
        self._emit(machine.ROW, table, 1 + len(self._columns[table]))

    def _resolve(self, schema: Any) -> Any:
        """A type as a list of branches, the name of a primitive, or the definition of anything else."""
        self._types += 1
        if self._types > _MOST_TYPES:
            raise _UnsuitedError
        if isinstance(schema, str):
            return self._names.get(schema, schema)
        if isinstance(schema, list):
            return schema
        if schema["type"] not in _COMPLEX:
            return self._resolve(schema["type"])
        if "name" in schema:
            self._names[schema["name"]] = schema
        return schema

    def _value(self, schema: Any, wants: Sequence[_Want], depth: int) -> None:
        """Read what is wanted of a value; `depth` counts the arrays and maps around it."""
        if not wants:
            self._skip(schema, depth)
            return
        kind = self._resolve(schema)
        if isinstance(kind, list):
            self._nullable(kind, wants, depth)
        elif kind == "null":
            if any(want.never_null for want in wants):
                self._emit(machine.REFUSE)
        else:
            self._there(kind, wants, depth)

    def _nullable(self, branches: Sequence[Any], wants: Sequence[_Want], depth: int) -> None:
        """Read what is wanted of a value that may be null."""
        if len(branches) - branches.count("null") != 1:
            raise _UnsuitedError
        kind = self._resolve(next(branch for branch in branches if branch != "null"))
        (*others, want) = wants
        operation = _operation(want, kind)
        if len(branches) == _PAIR and not others and operation is not None and not want.never_null:
            self._store(want, operation, branches.index("null"))
        else:
            self._union(branches, lambda branch: self._value(branch, wants, depth))

    def _there(self, kind: Any, wants: Sequence[_Want], depth: int) -> None:
        """Read what is wanted of a value that isn't null."""
        here = [want for want in wants if not want.path]
        for want in (want for want in here if want.kind == "given"):
            self._store(want, machine.MARK)
        wants = [want for want in wants if want.path or want.kind != "given"]
        if not wants:
            self._skip(kind, depth)
        elif all(want.path for want in wants):
            self._record(kind, wants, depth)
        elif len(wants) > 1:
            raise _UnsuitedError  # the same field twice
        elif wants[0].kind == "items":
            self._items(kind, wants[0].table, depth)
        else:
            operation = _operation(wants[0], kind)
            if operation is None:
                raise _UnsuitedError
            self._store(wants[0], operation)

    def _store(self, want: _Want, operation: int, null: int = -1) -> None:
        """Store a value; `null` is the branch of null where it is one of two, and below 0 where there is none."""
        self._columns[want.table][want.name] = Column(want.cell, operation)
        self._emit(operation, want.table, want.cell, null)

    def _record(self, kind: Any, wants: Sequence[_Want], depth: int) -> None:
        if _type(kind) not in _RECORDS:
            raise _UnsuitedError
        present = {field["name"] for field in kind["fields"]}
        chosen = [(want.path[0].choose(present), want.inner()) for want in wants]
        for field in kind["fields"]:
            self._value(field["type"], [want for name, want in chosen if name == field["name"]], depth)

    def _items(self, kind: Any, table: int, depth: int) -> None:
        if _type(kind) != "array":
            raise _UnsuitedError

        def item() -> None:
            self._row(table)
            self._value(kind["items"], self._wants[table], depth + 1)

        self._loop(depth, item)

    def _union(self, branches: Sequence[Any], emit: Callable[[Any], None]) -> None:
        first = len(self._targets)
        self._targets += [0] * len(branches)
        self._emit(machine.UNION, first, len(branches))
        jumps = []
        for number, branch in enumerate(branches, start=first):
            self._targets[number] = self._here()
            emit(branch)
            jumps.append(self._emit(machine.JUMP))
        for jump in jumps:
            self._code[jump][1] = self._here()

    def _loop(self, depth: int, emit: Callable[[], None]) -> None:
        if depth >= machine.MOST_NESTED:
            raise _UnsuitedError
        block = self._emit(machine.BLOCK, 0, depth)
        body = self._here()
        emit()
        self._emit(machine.NEXT, body, depth)
        self._code[block][1] = self._here()

    def _skip(self, schema: Any, depth: int) -> None:
        kind = self._resolve(schema)
        shape = _shape(kind)
        if shape is not None:
            self._skip_shape(shape)
        elif isinstance(kind, list):
            self._skip_union(kind, depth)
        elif kind["type"] == "enum":
            self._emit(machine.SKIP_ENUM, len(kind["symbols"]))
        elif kind["type"] in _RECORDS:
            for field in kind["fields"]:
                self._skip(field["type"], depth)
        else:
            self._loop(depth, lambda: self._skip_item(kind, depth + 1))

    def _skip_shape(self, shape: int) -> None:
        """Skip a value, together with those before if all are of fixed size and nothing continues in between."""
        before = self._code[-1]
        if len(self._code) > self._label and before[0] == machine.SKIP and min(before[1], shape) >= 0:
            before[1] += shape
        else:
            self._emit(machine.SKIP, shape)

    def _skip_union(self, branches: Sequence[Any], depth: int) -> None:
        shapes = [_shape(self._resolve(branch)) for branch in branches]
        if len(shapes) == _PAIR and None not in shapes:
            self._skip_pair([shape for shape in shapes if shape is not None])
        else:
            self._union(branches, lambda branch: self._skip(branch, depth))

    def _skip_pair(self, shapes: Sequence[int]) -> None:
        """Skip a value of one of two shapes, together with such values before it."""
        operation, first, count, _ = self._code[-1]
        follows = operation == machine.SKIP_PAIRS and first + _PAIR * count == len(self._targets)
        if follows and len(self._code) > self._label:
            self._code[-1][2] += 1
        else:
            self._emit(machine.SKIP_PAIRS, len(self._targets), 1)
        self._targets += shapes

    def _skip_item(self, kind: Any, depth: int) -> None:
        if kind["type"] == "map":
            self._skip_shape(machine.TEXT)
        self._skip(kind["items"] if kind["type"] == "array" else kind["values"], depth)


def _wants(table: int, fields: Mapping[str, Field]) -> list[_Want]:
    numbered = enumerate(fields.items())
    return [_Want(name, field.kind, table, cell, steps(field.path)) for cell, (name, field) in numbered]


def _type(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(kind["type"])


def _operation(want: _Want, kind: Any) -> int | None:
    """What stores a value of a type as the survey wants it, if anything does."""
    return None if want.path or not isinstance(kind, str) else _READS.get((want.kind, kind))


def _shape(kind: Any) -> int | None:
    """The shape of a type's values, as the machine knows it; None for a type of several parts, or an enum."""
    if isinstance(kind, str):
        return _SHAPES[kind]
    if isinstance(kind, list) or kind["type"] != "fixed":
        return None
    if not 0 <= kind["size"] <= _LARGEST_FIXED:
        raise _UnsuitedError
    return int(kind["size"])
