"""Which writer schema has this id? The official schemas that come with Boreal."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Protocol

import fastavro

_FILE = re.compile(r"(?P<stem>(?P<family>\w+)\.v(?P<version>\d+(_\d+)*)\.(?P<kind>\w+))\.avsc")


class UnknownSchemaError(LookupError):
    """No schema has this id or name; the message names those that there are."""


@dataclass(frozen=True)
class WriterSchema:
    """An Avro schema that packets are written with.

    Parameters
    ----------
    name : unique among the schemas: ``lsst.v10_0.alert``.
    survey : ``lsst``, ``ztf``, ``elasticc``; ``desc`` for the messages that brokers send.
    version : ``10.0``.
    id : number in the Confluent wire format's header; None where a survey doesn't use that format.
    json : the schema, as in its file.
    """

    name: str
    survey: str
    version: str
    id: int | None
    json: Mapping[str, Any]

    @cached_property
    def parsed(self) -> dict[str, Any]:
        """The schema as fastavro wants it; dates stay numbers."""
        return parse(self.json)

    @property
    def record_name(self) -> str:
        """Full Avro name of the record: ``lsst.v10_0.alert``, ``ztf.alert``."""
        return record_name(self.json)

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Every field's path and type, in the order of the schema; those of a record type where it is first used."""
        return tuple(_fields(self.json, ""))


class Registry(Protocol):
    """Where writer schemas are looked up. The bundled one is `BundledRegistry`; one that asks a server can stand in."""

    def by_id(self, schema_id: int, /) -> WriterSchema:
        """Look up the schema with this id.

        Raises
        ------
        UnknownSchemaError
            If there is none. Anything else that goes wrong, such as a server that doesn't answer, raises another
            exception and stops the batch.
        """
        ...


def record_name(schema: Mapping[str, Any]) -> str:
    """Full name of a schema's record: with its namespace, unless the name has dots itself."""
    name, namespace = str(schema.get("name", "")), schema.get("namespace")
    return f"{namespace}.{name}" if namespace and "." not in name else name


def parse(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema ready for fastavro, without logical types: an absurd date in an unread field must reject nothing."""
    parsed: dict[str, Any] = dict(fastavro.parse_schema(_plain(schema)))
    return parsed


def _plain(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {key: _plain(value) for key, value in schema.items() if key != "logicalType"}
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


def _fields(schema: Any, path: str) -> Iterator[tuple[str, str]]:
    """Walk the fields of all records within a schema."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _fields(branch, path)
    elif isinstance(schema, Mapping):
        for field in schema.get("fields", ()):
            here = f"{path}{field['name']}"
            yield here, _type_name(field["type"])
            yield from _fields(field["type"], f"{here}.")
        if "items" in schema:
            yield from _fields(schema["items"], path)


def _type_name(schema: Any) -> str:
    """A type in a few words: ``null | double``, ``null | array of lsst.v10_0.diaSource``."""
    if isinstance(schema, list):
        return " | ".join(map(_type_name, schema))
    if not isinstance(schema, Mapping):
        return str(schema)
    if schema["type"] == "array":
        return f"array of {_type_name(schema['items'])}"
    return str(schema.get("logicalType") or schema.get("name") or _type_name(schema["type"]))


class BundledRegistry:
    """The schemas in the package's folder ``avro``; each is read when it is first asked for."""

    def __init__(self) -> None:
        self._read: dict[str, WriterSchema] = {}

    @cached_property
    def _files(self) -> dict[str, tuple[str, re.Match[str], Traversable]]:
        folders = sorted((f for f in resources.files("schemas").joinpath("avro").iterdir()), key=lambda f: f.name)
        found = (
            (folder.name, match, file)
            for folder in folders
            for file in folder.iterdir()
            if (match := _FILE.fullmatch(file.name))
        )
        by_age = sorted(found, key=lambda f: (f[0], f[1]["kind"], _version_key(f[1]["version"])))
        return {match["stem"]: (survey, match, file) for survey, match, file in by_age}

    @cached_property
    def _names_by_id(self) -> MappingProxyType[int, str]:
        ids = ((_wire_id(survey, match), name) for name, (survey, match, _) in self._files.items())
        return MappingProxyType({schema_id: name for schema_id, name in ids if schema_id is not None})

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all schemas, by survey and version."""
        return tuple(self._files)

    def __iter__(self) -> Iterator[WriterSchema]:
        """Every schema, in the order of `names`."""
        return map(self.by_name, self.names)

    def by_name(self, name: str) -> WriterSchema:
        """Look up a schema by its name: ``lsst.v10_0.alert``.

        Raises
        ------
        UnknownSchemaError
            If there is none.
        """
        if name not in self._read:
            if name not in self._files:
                raise UnknownSchemaError(f"no schema is named {name!r}; known names: {', '.join(self.names)}")
            survey, match, file = self._files[name]
            schema = json.loads(file.read_text(encoding="utf-8"))
            version = match["version"].replace("_", ".")
            self._read[name] = WriterSchema(name, survey, version, _wire_id(survey, match), schema)
        return self._read[name]

    def by_version(self, survey: str, version: str) -> WriterSchema:
        """Look up the schema of a survey's alerts in one version: ``lsst``, ``10.0``.

        Raises
        ------
        UnknownSchemaError
            If there is none.
        """
        return self.by_name(f"{survey}.v{version.replace('.', '_')}.alert")

    def by_id(self, schema_id: int) -> WriterSchema:
        """Look up the schema with this id, as `Registry.by_id` promises."""
        if schema_id not in self._names_by_id:
            known = ", ".join(map(str, self._names_by_id))
            raise UnknownSchemaError(f"no schema has the id {schema_id}; known ids: {known}")
        return self.by_name(self._names_by_id[schema_id])


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("_")))


def _wire_id(survey: str, match: re.Match[str]) -> int | None:
    """LSST numbers its alert schemas 100 * major + minor (DMTN-093); the other surveys don't number theirs."""
    if survey != "lsst" or match["kind"] != "alert":
        return None
    major, minor = _version_key(match["version"])
    return 100 * major + minor
