"""What Java, and the workers that it starts, write to their output, as log lines of this process."""

import json
import logging
import os
import re
from threading import Thread
from typing import Any

from broker.logs import FIELDS

LOG = logging.getLogger("spark")

_LEVELS = {"WARN": logging.WARNING, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL, "DEBUG": logging.DEBUG}
_KNOWN = ("time", "level", "logger", "message")
_BAD = re.compile(r"error|exception|fatal|traceback", re.IGNORECASE)


class JavaLog:
    """A pipe for the output of a process that is about to be started; `started` when it is.

    What is written before that is kept by the pipe, and a process that doesn't start is heard, too.
    """

    def __init__(self) -> None:
        self._reading, writing = os.pipe()
        self.options: dict[str, Any] = {"stdout": writing, "stderr": writing}
        self._writing = writing
        Thread(target=self._relay, name="java-log", daemon=True).start()

    def started(self) -> None:
        """Let go of the pipe's end that the process has."""
        os.close(self._writing)

    def _relay(self) -> None:
        with os.fdopen(self._reading, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                relay(line.rstrip())


def relay(line: str) -> None:
    """Log a line: as what it says of itself where it is an object, else as text."""
    told = _object(line)
    if told is None:
        if line:
            LOG.log(logging.ERROR if _BAD.search(line) else logging.WARNING, "%s", line)
        return
    level = _LEVELS.get(str(told["level"]), logging.INFO)
    fields = {key: value for key, value in told.items() if key not in _KNOWN and value}
    LOG.log(level, "%s", told["message"], extra={FIELDS: {"time": told["time"], "logger": told["logger"], **fields}})


def _object(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and all(key in told for key in _KNOWN) else None
