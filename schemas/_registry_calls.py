"""Ask a schema registry over HTTP, and be done within a time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event, Thread

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas._foreign_schema import writer_schema
from schemas._record_reader import UnreadableError
from schemas.registry import WriterSchema
from schemas.registry_settings import RegistrySettings

_NOT_FOUND = 404
_NO_REGISTRY_CODE = -1
_SUBJECT_CODES = (40401, 40402)
"""What a registry says where a subject or its version isn't found."""

_MOST_PARTS = 100
_NONSENSE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What the client raises on an answer that isn't JSON, or not of the form that a registry's has."""


@dataclass(frozen=True)
class Failure:
    """Why a schema can't be had.

    Parameters
    ----------
    reason : in plain words, with the registry's URL.
    outage : True where asking for another schema would fail alike.
    at : when it happened, by `time.monotonic` [s].
    """

    reason: str
    outage: bool = False
    at: float = field(default_factory=time.monotonic)


Answer = WriterSchema | Failure


def ask(settings: RegistrySettings, ids: Sequence[int]) -> Iterator[tuple[int, Answer]]:
    """Ask for one schema after the other; whatever the registry does, `settings.timeout_seconds` after it is over.

    Yields
    ------
    Each id with its answer. After an outage nothing is asked, and the remaining ids have the outage as their answer.
    """
    answers, stop = _asking(settings, ids)
    deadline = time.monotonic() + settings.timeout_seconds
    outage = None
    for schema_id in ids:
        answer = outage or _next(answers, deadline, settings)
        if isinstance(answer, Failure) and answer.outage:
            outage = answer
            stop.set()
        yield schema_id, answer


def _asking(settings: RegistrySettings, ids: Sequence[int]) -> tuple["SimpleQueue[Answer]", Event]:
    """A thread that asks: a server that sends a byte now and then escapes every time-out of a client."""
    answers: SimpleQueue[Answer] = SimpleQueue()
    stop = Event()
    Thread(target=_ask_each, args=(settings, ids, answers, stop), daemon=True).start()
    return answers, stop


def _next(answers: "SimpleQueue[Answer]", deadline: float, settings: RegistrySettings) -> Answer:
    try:
        return answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        reason = f"the registry at {settings.url} didn't answer within {settings.timeout_seconds:g} s"
        return Failure(reason, outage=True)


def _ask_each(settings: RegistrySettings, ids: Sequence[int], answers: "SimpleQueue[Answer]", stop: Event) -> None:
    try:
        client = _client(settings)
    except OSError as error:
        authorities = f"the CA file {settings.ca_file}" if settings.ca_file else "the file of the known authorities"
        reason = f"the registry at {settings.url} can't be asked: {authorities} can't be used: {error}"
        answers.put(Failure(reason, outage=True))
        return
    with client:
        for schema_id in ids:
            if stop.is_set():
                return
            answers.put(_ask_one(client, schema_id, settings.url))


def _client(settings: RegistrySettings) -> SchemaRegistryClient:
    """A client that tries twice: one hiccup shouldn't cost what `retry_after_seconds` costs."""
    made = {
        "url": settings.url,
        "timeout": settings.timeout_seconds,
        "max.retries": 1,
        "retries.wait.ms": 200,
    }
    if settings.username is not None:
        made["basic.auth.user.info"] = f"{settings.username}:{settings.password}"
    if settings.ca_file is not None:
        made["ssl.ca.location"] = str(settings.ca_file)
    return SchemaRegistryClient(made)


def _ask_one(client: SchemaRegistryClient, schema_id: int, url: str) -> Answer:
    try:
        found = client.get_schema(schema_id)
        return writer_schema(schema_id, _avro(found), list(_parts(client, found, set())))
    except SchemaRegistryError as error:
        return Failure(f"the registry at {url} {_refusal(error)}")
    except _NONSENSE as error:
        return Failure(f"the registry at {url} answered with something that isn't an Avro schema: {_nonsense(error)}")
    except Exception as error:  # noqa: BLE001 - the HTTP client's own errors, of a library that isn't ours to import
        return Failure(f"the registry at {url} can't be reached: {str(error) or type(error).__name__}", outage=True)


def _avro(found: Schema) -> str:
    if found.schema_type not in (None, "AVRO"):
        raise UnreadableError(f"its type is {found.schema_type!r:.20}")
    if not isinstance(found.schema_str, str):
        raise UnreadableError("the answer has no schema in it")
    return found.schema_str


def _parts(client: SchemaRegistryClient, schema: Schema, seen: set[tuple[str, int]]) -> Iterator[str]:
    """The schemas that one refers to by subject and version, each after those that it refers to itself."""
    for reference in schema.references or ():
        place = str(reference.subject), int(reference.version or 0)
        if place in seen:
            continue
        seen.add(place)
        if len(seen) > _MOST_PARTS:
            raise UnreadableError(f"it refers to more than {_MOST_PARTS} others")
        part = client.get_version(*place).schema
        yield from _parts(client, part, seen)
        yield _avro(part)


def _nonsense(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    if isinstance(error, ValueError):
        return f"{type(error).__name__}: {error!s:.200}"
    return "it isn't of the form of a registry's answers"


def _refusal(error: SchemaRegistryError) -> str:
    status = error.http_status_code
    if status == _NOT_FOUND and error.error_code not in _SUBJECT_CODES:
        return "doesn't know the id (404)"
    if error.error_code in (None, _NO_REGISTRY_CODE):
        return f"answered {status}"
    return f"answered {status}: {' '.join(str(error.error_message).split()):.200}"
