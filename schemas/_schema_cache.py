"""Schemas of a registry on disk: a file an id, there whole or not at all."""

import json
import logging
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from schemas._foreign_schema import writer_schema
from schemas.registry import WriterSchema

LOG = logging.getLogger(__name__)


class SchemaCache:
    """The schemas of one registry. Another registry may give the same ids to others, so each has its own folder.

    Parameters
    ----------
    directory : holds the folders of all registries.
    url : the registry.
    """

    def __init__(self, directory: Path, url: str) -> None:
        digest = sha256(url.rstrip("/").encode()).hexdigest()[:16]
        self._folder = directory / f"{urlsplit(url).hostname}-{digest}"

    def read(self, schema_id: int) -> WriterSchema | None:
        """The schema of this id; None where it isn't kept or its file is broken."""
        try:
            return writer_schema(schema_id, self._path(schema_id).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def write(self, schema_id: int, schema: WriterSchema) -> None:
        """Keep a schema. Where that can't be done, the next process asks the registry again."""
        path = self._path(schema_id)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=".", dir=self._folder) as ours:
                written = Path(ours, path.name)
                written.write_text(json.dumps(schema.json), encoding="utf-8")
                written.replace(path)
        except OSError as error:
            LOG.warning("schema %d can't be kept in %s: %s", schema_id, path, error.strerror)

    def _path(self, schema_id: int) -> Path:
        return self._folder / f"{schema_id}.avsc"
