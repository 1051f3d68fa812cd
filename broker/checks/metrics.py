"""The port that metrics are served on."""

from http.server import BaseHTTPRequestHandler

from broker.checks.check import Outcome, failed, ok, refused, warning
from broker.checks.results import is_locked
from broker.checks.subject import Subject
from broker.errors import WrongInputError
from broker.metrics.server import listening


def port(subject: Subject) -> Outcome:
    """A run could listen there."""
    settings = subject.config.metrics
    if settings is None:
        return failed("the configuration has no metrics", "give `metrics`, or leave this check out")
    place = f"{settings.address}:{settings.port}"
    try:
        listening(settings.address, settings.port, BaseHTTPRequestHandler).server_close()
    except WrongInputError as error:
        if is_locked(subject.run.path / ".lock"):
            return warning(f"{place} is in use, as it is while a run is at work", "stop the run before another starts")
        return refused(error)
    return ok(f"{place} is free")
