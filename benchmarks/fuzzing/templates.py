"""What is mutated: real packets, the same trimmed to be quick, and made-up ones of every bundled alert schema."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from schemas.registry import BundledRegistry, WriterSchema

Record = dict[str, Any]

MARKER = bytes(range(200, 216))
"""Ends the header and each block of the containers that are made here."""

_WIRE_HEADER = 5
_KEPT_POINTS = 6
_KEPT_BYTES = 24
_QUICK_BYTES = 40_000
_PLAUSIBLE = {
    "ra": 150.1, "dec": 2.2, "decl": 2.2, "band": "r", "filterName": "r", "fid": 2, "isdiffpos": "t", "magpsf": 18.5,
    "sigmapsf": 0.1, "magzpsci": 26.0, "psFlux": 30.0, "psfFlux": 900.0, "psFluxErr": 2.0, "psfFluxErr": 40.0,
    "forcediffimflux": 200.0, "forcediffimfluxunc": 20.0, "hostgal_zphot": 0.3, "hostgal_zphot_err": 0.02,
    "mwebv": 0.05, "mwebv_err": 0.01, "objectId": "made-up",
}  # fmt: skip
_TIMES = {"midPointTai": 60000.0, "midpointMjdTai": 61000.0, "jd": 2460000.5, "visit": 1}
_ZEROS = {"boolean": False, "int": 0, "long": 0, "float": 0.0, "double": 0.0, "string": "", "bytes": b""}


@dataclass(frozen=True)
class Template:
    """A packet to mutate.

    Parameters
    ----------
    name : for people: the file, or the schema of a made-up one.
    payload : the packet.
    body : where its record starts, after the wire format's header or the container's.
    schema : its writer schema, parsed.
    schema_id : id in the wire format; None for a container.
    record : the decoded record.
    """

    name: str
    payload: bytes
    body: int
    schema: dict[str, Any]
    schema_id: int | None
    record: Record

    @property
    def quick(self) -> bool:
        """Whether it is read in about a millisecond."""
        return len(self.payload) < _QUICK_BYTES

    def pack(self, *records: Record, codec: str = "null") -> bytes:
        """A packet of other records: one in the wire format, any number in a container."""
        out = BytesIO()
        if self.schema_id is None:
            fastavro.writer(out, self.schema, records, codec=codec, sync_marker=MARKER)
            return out.getvalue()
        out.write(b"\0" + self.schema_id.to_bytes(4, "big"))
        fastavro.schemaless_writer(out, self.schema, records[0])
        return out.getvalue()

    def trimmed(self) -> "Template":
        """The same alert with a short history and hardly any image: quick to read, and damage hits what matters."""
        record = _trim(self.record)
        payload = self.pack(record)
        body = _WIRE_HEADER if self.schema_id is not None else payload.index(MARKER) + len(MARKER)
        return replace(self, name=f"{self.name}, trimmed", payload=payload, body=body, record=record)


def load_templates(directory: Path) -> tuple[Template, ...]:
    """Templates of every packet below a directory and of every bundled alert schema, in a fixed order.

    Raises
    ------
    ValueError
        If a file is no packet: damage is done here, not read.
    """
    registry = BundledRegistry()
    real = [_read(path, str(path.relative_to(directory)), registry) for path in sorted(directory.rglob("*.avro"))]
    made_up = [_made_up(schema) for schema in registry if schema.name.endswith(".alert")]
    wide = [replace(made, name=f"{made.name}, wide", schema=_wide(made.schema), schema_id=None) for made in made_up]
    return (*real, *(template.trimmed() for template in (*real, *made_up, *wide)))


def _read(path: Path, name: str, registry: BundledRegistry) -> Template:
    payload = path.read_bytes()
    stream = BytesIO(payload)
    if payload.startswith(b"Obj"):
        reader = fastavro.reader(stream)
        body = stream.tell()
        return Template(name, payload, body, fastavro.parse_schema(reader.writer_schema), None, next(reader))
    if not payload.startswith(b"\0"):
        raise ValueError(f"{path} is no alert packet")
    schema_id = int.from_bytes(payload[1:_WIRE_HEADER], "big")
    schema = registry.by_id(schema_id).parsed
    stream.seek(_WIRE_HEADER)
    return Template(name, payload, _WIRE_HEADER, schema, schema_id, fastavro.schemaless_reader(stream, schema))


def _made_up(schema: WriterSchema) -> Template:
    record = _filled(schema.json, {})
    return Template(schema.name, b"", 0, schema.parsed, schema.id, {**record, "schemavsn": schema.version})


def _wide(schema: Any) -> Any:
    """A schema for containers whose numbers have room for anything: a container may carry a schema of its own."""
    if isinstance(schema, dict):
        parts = {key: _wide(value) for key, value in schema.items() if not key.startswith("__")}
        return fastavro.parse_schema(parts) if "__fastavro_parsed__" in schema else parts
    return [_wide(part) for part in schema] if isinstance(schema, list) else {"float": "double"}.get(schema, schema)


def _filled(kind: Any, names: dict[str, Any], step: int = 0) -> Any:
    """A plausible value of an Avro type, with nothing null; `step` counts an array's items."""
    if isinstance(kind, list):
        return _filled(next(branch for branch in kind if branch != "null"), names, step)
    if isinstance(kind, str):
        return _filled(names[kind], names, step) if kind in names else _ZEROS[kind]
    if kind["type"] == "array":
        return [_filled(kind["items"], names, k + 1) for k in range(_KEPT_POINTS)]
    if kind["type"] != "record":
        return _filled(kind["type"], names, step)
    names[kind["name"]] = kind
    return dict(_fields(kind["fields"], names, step))


def _fields(fields: Sequence[Any], names: dict[str, Any], step: int) -> Iterator[tuple[str, Any]]:
    for field in fields:
        name, value = field["name"], _filled(field["type"], names, step)
        yield name, _TIMES[name] - 3 * step if name in _TIMES else _PLAUSIBLE.get(name, value)


def _trim(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trim(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_trim(part) for part in value[:_KEPT_POINTS]]
    return value[:_KEPT_BYTES] if isinstance(value, bytes) else value
