"""Which writer schema has this id? The bundled ones first, then those of a schema registry."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from schemas._schema_cache import SchemaCache
from schemas.registry import BundledRegistry, UnknownSchemaError, WriterSchema
from schemas.registry_settings import RegistrySettings
from schemas.wire_ids import schema_ids

if TYPE_CHECKING:  # the HTTP client takes a fifth of a second to import, and most runs never need it
    from schemas._registry_calls import Answer, Failure

__all__ = ["RegistrySettings", "RemoteRegistry", "schema_ids"]

LOG = logging.getLogger(__name__)


class RemoteRegistry:
    """The bundled schemas, and those learned from a registry; a `schemas.registry.Registry`.

    `by_id` never touches the network, so that decoding is the same function with it. Whoever has a batch of packets
    calls `learn` with their `schema_ids` before they are decoded.

    Parameters
    ----------
    settings : where the registry is.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._bundled = BundledRegistry()
        kept_in = settings.cache_directory
        self._cache = SchemaCache(kept_in, settings.url) if kept_in else None
        self._learned: dict[int, WriterSchema] = {}
        self._failures: dict[int, Failure] = {}
        self._outage: Failure | None = None

    def learn(self, ids: Iterable[int]) -> dict[int, str]:
        """Ask the registry for the ids that are neither bundled nor known, nor failed a short time ago.

        Nothing is raised for what a registry does. The call takes `RegistrySettings.timeout_seconds` at most. After an
        outage, none in the next `RegistrySettings.retry_after_seconds` takes any time.

        Returns
        -------
        The ids that stay unknown, each with the reason.
        """
        self._forget()
        unknown = sorted(schema_id for schema_id in set(ids) if self._find(schema_id) is None)
        self._ask([schema_id for schema_id in unknown if schema_id not in self._failures])
        return {schema_id: self._failures[schema_id].reason for schema_id in unknown if schema_id in self._failures}

    def by_id(self, schema_id: int, /) -> WriterSchema:
        """Look up the schema with this id, as `schemas.registry.Registry.by_id` promises."""
        found = self._find(schema_id)
        if found is None:
            failure = self._failures.get(schema_id)
            why = failure.reason if failure else f"the registry at {self._settings.url} hasn't been asked for it"
            raise UnknownSchemaError(f"no schema has the id {schema_id}: it isn't bundled, and {why}")
        return found

    def _find(self, schema_id: int) -> WriterSchema | None:
        """Bundled, in memory or on disk. What is bundled is never learned, so looking in memory first is the same."""
        if schema_id in self._learned:
            return self._learned[schema_id]
        try:
            return self._bundled.by_id(schema_id)
        except UnknownSchemaError:
            kept = self._cache.read(schema_id) if self._cache else None
        if kept:
            self._learned[schema_id] = kept
        return kept

    def _forget(self) -> None:
        """Drop the failures that are long enough ago for another attempt."""
        oldest = time.monotonic() - self._settings.retry_after_seconds
        self._failures = {schema_id: failure for schema_id, failure in self._failures.items() if failure.at > oldest}
        if self._outage and self._outage.at <= oldest:
            self._outage = None

    def _ask(self, ids: Sequence[int]) -> None:
        if self._outage:
            self._failures |= dict.fromkeys(ids, self._outage)
            return
        for schema_id, answer in _answers(self._settings, ids):
            if isinstance(answer, WriterSchema):
                self._take(schema_id, answer)
            else:
                self._remember(schema_id, answer)

    def _take(self, schema_id: int, schema: WriterSchema) -> None:
        self._learned[schema_id] = schema
        LOG.info("schema %d is %s, says the registry at %s", schema_id, schema.record_name, self._settings.url)
        if self._cache:
            self._cache.write(schema_id, schema)

    def _remember(self, schema_id: int, failure: "Failure") -> None:
        self._failures[schema_id] = failure
        LOG.warning("schema %d can't be learned: %s", schema_id, failure.reason)
        if failure.outage:
            self._outage = failure


def _answers(settings: RegistrySettings, ids: Sequence[int]) -> Iterator[tuple[int, "Answer"]]:
    if ids:
        from schemas._registry_calls import ask

        yield from ask(settings, ids)
