"""How is a packet wrapped? From its bytes to Avro records, whatever the framing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import chain, islice

from schemas._containers import MAGIC, Container, RestUnreadableError
from schemas._record_reader import UnreadableError, read_record
from schemas.packets import numbering
from schemas.registry import Registry, UnknownSchemaError, record_name
from schemas.survey import Record, Survey
from schemas.surveys import discover, recognise
from schemas.wire_ids import HEADER_SIZE, WIRE_MAGIC


@dataclass(frozen=True)
class Alert:
    """An alert as it came.

    Parameters
    ----------
    origin : where from; with ``#3`` for the fourth record of a container that holds several.
    survey : whose alert it is.
    schema_id : id in the wire format's header, None for a record of a container.
    schema_version : ``10.0``.
    record : the decoded record.
    raw : gives the bytes of a packet with just this alert.
    """

    origin: str
    survey: Survey
    schema_id: int | None
    schema_version: str
    record: Record
    raw: Callable[[], bytes]


@dataclass(frozen=True)
class Refused:
    """Bytes that can't be read: where from, why not, the bytes, and the step that gave up."""

    origin: str
    reason: str
    payload: bytes
    stage: str = "decode"


def unwrap(origin: str, payload: bytes, registry: Registry) -> Iterator[Alert | Refused]:
    """Yield the alerts in a packet, in order, and what of it can't be read; always at least one entry.

    A packet is a Confluent message (a zero byte, the schema's id in four big-endian bytes, the record) or an Avro
    object container of any number of records.
    """
    try:
        if payload.startswith(MAGIC):
            yield from _from_container(origin, payload)
        else:
            yield _from_wire(origin, payload, registry)
    except UnknownSchemaError as error:
        yield Refused(alert_origins(origin, 1)[0], f"unknown schema: {error}", payload, "schema")
    except UnreadableError as error:
        yield Refused(alert_origins(origin, 1)[0], str(error), payload)


def alert_origins(origin: str, count: int) -> list[str]:
    """The names of a packet's alerts."""
    name, first = numbering(origin)
    if first is None:
        return [f"{name}#{number}" for number in range(count)] if count > 1 else [name]
    return [f"{name}#{number}" for number in range(first, first + count)]


def _from_wire(origin: str, payload: bytes, registry: Registry) -> Alert:
    schema_id = _schema_id(payload)
    writer = registry.by_id(schema_id)
    survey, version = _survey_of(writer.record_name)
    stream = BytesIO(payload)
    stream.seek(HEADER_SIZE)
    record = read_record(stream, writer.parsed)
    if left := len(payload) - stream.tell():
        raise UnreadableError(
            f"trailing bytes: the {writer.name} record ends at byte {stream.tell()}, and {left} more bytes follow"
        )
    try:
        return Alert(origin, survey, schema_id, version(record), record, partial(bytes, payload))
    except KeyError as error:
        raise UnreadableError(_missing(survey, error)) from None


def _schema_id(payload: bytes) -> int:
    """The id in the header of a Confluent message."""
    if not payload:
        raise UnreadableError("empty: 0 bytes, expected an alert packet")
    if not payload.startswith(WIRE_MAGIC):
        raise UnreadableError(
            f"unknown framing: starts with bytes {payload[:8].hex(' ')}, expected 00 and a schema id (Confluent) or "
            f"{MAGIC.hex(' ')} (Avro object container)"
        )
    if len(payload) < HEADER_SIZE:
        raise UnreadableError(f"truncated: {len(payload)} bytes, expected a header of {HEADER_SIZE} bytes and a record")
    return int.from_bytes(payload[1:HEADER_SIZE], "big")


def _survey_of(name: str) -> tuple[Survey, Callable[[Record], str]]:
    """The survey of a record's name, and what tells the schema's version from a record."""
    found = recognise(name)
    if found is None:
        known = ", ".join(discover())
        raise UnreadableError(f"unknown survey: the schema is that of {name!r}, expected the alert of one of {known}")
    survey, match = found
    return survey, partial(survey.version, match)


def _from_container(origin: str, payload: bytes) -> Iterator[Alert | Refused]:
    container = Container.open(payload)
    survey, version = _survey_of(record_name(container.schema))
    contents = _contents(container)
    beginning = list(islice(contents, 2))
    if not beginning:
        raise UnreadableError("empty: the container holds no records")
    several, (name, first) = len(beginning) > 1, numbering(origin)
    for number, content in enumerate(chain(beginning, contents), start=first or 0):
        here = f"{name}#{number}" if several or first is not None else name
        if isinstance(content, RestUnreadableError):
            yield Refused(here, str(content), content.rest)
            continue
        record, part = content
        raw = partial(container.alone, part) if several else partial(bytes, payload)
        try:
            yield Alert(here, survey, None, version(record), record, raw)
        except KeyError as error:
            yield Refused(here, _missing(survey, error), raw())


def _missing(survey: Survey, error: KeyError) -> str:
    return f"missing field: the {survey.name} record has no {error}"


def _contents(container: Container) -> Iterator[tuple[Record, bytes] | RestUnreadableError]:
    """Yield the records that can be read, and last what is wrong with the rest, if anything."""
    try:
        yield from container.records()
    except RestUnreadableError as error:
        yield error
