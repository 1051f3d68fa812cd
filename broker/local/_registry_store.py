"""What a schema registry holds, and the answers of its calls."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Any
from urllib.parse import unquote

Answer = tuple[HTTPStatus, Any]


@dataclass(frozen=True)
class _Stored:
    id: int
    content: Mapping[str, Any]
    """As a client posts it: `schema`, a text, and where it has them `schemaType` and `references`."""


@dataclass
class RegistryStore:
    """Schemas by id, and the versions of each subject, from 1 on; the same schema has the same id in all subjects."""

    _subjects: dict[str, list[_Stored]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def register(self, subject: str, content: Mapping[str, Any], schema_id: int | None = None) -> int:
        """Add a version to a subject, unless it has this schema, and return the schema's id."""
        with self._lock:
            stored = self._stored()
            known = next((one.id for one in stored if one.content == content), None)
            new = _Stored(schema_id or known or max((one.id for one in stored), default=0) + 1, content)
            versions = self._subjects.setdefault(subject, [])
            if new not in versions:
                versions.append(new)
            return new.id

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """The answer to an HTTP request; the path without its query."""
        for wanted, pattern, call in _CALLS:
            found = re.fullmatch(pattern, path)
            if wanted == method and found:
                return call(self, *map(unquote, found.groups()), **({"body": body} if method == "POST" else {}))
        return refusal(HTTPStatus.NOT_FOUND, 404, f"HTTP 404 Not Found: {method} {path}")

    def _stored(self) -> list[_Stored]:
        return [stored for versions in self._subjects.values() for stored in versions]

    def by_id(self, schema_id: str) -> Answer:
        """A schema, in whichever subject it is."""
        for stored in self._stored():
            if stored.id == int(schema_id):
                return HTTPStatus.OK, dict(stored.content)
        return refusal(HTTPStatus.NOT_FOUND, 40403, f"Schema {schema_id} not found")

    def names(self) -> Answer:
        """The names of the subjects."""
        return HTTPStatus.OK, sorted(self._subjects)

    def versions(self, subject: str) -> Answer:
        """The numbers of a subject's versions."""
        versions = self._subjects.get(subject)
        return (HTTPStatus.OK, [*range(1, len(versions) + 1)]) if versions else _no_subject(subject)

    def version(self, subject: str, version: str) -> Answer:
        """A version of a subject, by its number or as ``latest``."""
        versions = self._subjects.get(subject)
        if not versions:
            return _no_subject(subject)
        number = len(versions) if version == "latest" else int(version)
        if not 0 < number <= len(versions):
            return refusal(HTTPStatus.NOT_FOUND, 40402, f"Version {version} not found.")
        return _described(subject, number, versions[number - 1])

    def add(self, subject: str, *, body: bytes) -> Answer:
        """Register what a client posted."""
        content = _content(body)
        if not content:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, 42201, "Invalid schema")
        return HTTPStatus.OK, {"id": self.register(subject, content)}

    def look_up(self, subject: str, *, body: bytes) -> Answer:
        """The version of a subject that has the posted schema."""
        versions = self._subjects.get(subject)
        if not versions:
            return _no_subject(subject)
        content = _content(body)
        for number, stored in enumerate(versions, start=1):
            if stored.content == content:
                return _described(subject, number, stored)
        return refusal(HTTPStatus.NOT_FOUND, 40403, "Schema not found")


_CALLS: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", r"/schemas/ids/(\d+)", RegistryStore.by_id),
    ("GET", r"/subjects", RegistryStore.names),
    ("GET", r"/subjects/([^/]+)/versions", RegistryStore.versions),
    ("GET", r"/subjects/([^/]+)/versions/(\d+|latest)", RegistryStore.version),
    ("POST", r"/subjects/([^/]+)/versions", RegistryStore.add),
    ("POST", r"/subjects/([^/]+)", RegistryStore.look_up),
)


def refusal(status: HTTPStatus, code: int, message: str) -> Answer:
    """An answer that says what went wrong, in the registry's form."""
    return status, {"error_code": code, "message": message}


def _no_subject(subject: str) -> Answer:
    return refusal(HTTPStatus.NOT_FOUND, 40401, f"Subject '{subject}' not found.")


def _described(subject: str, version: int, stored: _Stored) -> Answer:
    return HTTPStatus.OK, {"subject": subject, "version": version, "id": stored.id, **stored.content}


def _content(body: bytes) -> dict[str, Any] | None:
    """What is kept of a posted schema; None where the schema isn't JSON."""
    try:
        posted = json.loads(body)
        json.loads(posted["schema"])
    except (ValueError, TypeError, KeyError):
        return None
    # Clients write AVRO and no references in more than one way.
    kept = {name: posted.get(name) for name in ("schema", "schemaType", "references")}
    return {name: value for name, value in kept.items() if value and value != "AVRO"}
