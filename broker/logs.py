"""What happens, for programs: one JSON object a line on standard error, with no secret in it.

Each has ``time`` (UTC), ``level``, ``logger`` and ``message``, and the fields of what it tells.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

from broker.secrets import without_values

LogForm = Literal["text", "json"]

FIELDS = "fields"
"""The name under which a record carries its fields: ``LOG.info("...", extra={FIELDS: {...}})``."""

LOG = logging.getLogger("boreal")

_NOT_TOLD = ("broker.kafka.librdkafka",)
"""While a broker is away it says the same many times a second; see `broker.kafka.errors`."""

_TOLD = ("broker", "schemas", "boreal")
"""Loggers of Boreal's own, which tell what goes well, too."""


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with every secret that was read replaced by asterisks."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return line_of(told)


def line_of(told: dict[str, Any]) -> str:
    """An object as a line; what is no JSON in it is told as text."""
    return json.dumps(_hidden(told), default=str)


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's name
        """Nobody reads it any more: the run goes on, since its results don't depend on it."""


def set_up(form: LogForm) -> None:
    """Tell what happens in this form from now on."""
    if form == "text":
        return
    handler = _Handler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in _TOLD:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _NOT_TOLD:
        logging.getLogger(name).propagate = False
    logging.captureWarnings(True)
    sys.excepthook = _tell_uncaught
    threading.excepthook = _tell_of_thread


def is_json() -> bool:
    """Whether programs read what happens."""
    return any(isinstance(handler, _Handler) for handler in logging.getLogger().handlers)


def _tell_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    LOG.error("unexpected %s: %s", kind.__name__, error, exc_info=(kind, error, trace))


def _tell_of_thread(given: threading.ExceptHookArgs) -> None:
    if given.exc_value is not None:
        _tell_uncaught(given.exc_type, given.exc_value, given.exc_traceback)


def _hidden(told: Any) -> Any:
    """The same without the values of secrets, wherever they stand in it."""
    if isinstance(told, str):
        return without_values(told)
    if isinstance(told, dict):
        return {without_values(str(key)): _hidden(value) for key, value in told.items()}
    return [_hidden(each) for each in told] if isinstance(told, list | tuple) else told
