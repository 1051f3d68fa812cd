"""The source: whether its topics are there and may be read."""

import os
from collections.abc import Iterable

from confluent_kafka import KafkaError

from broker.checks.check import Outcome, failed, not_checked, ok, warning
from broker.checks.subject import Subject
from broker.config import DirectorySource
from broker.errors import KafkaFailedError
from broker.findings import did_you_mean

SHOWN = 20
"""Names that one finding tells."""

NO_TOPIC = "none of the source's topics can be seen"


def directory(subject: Subject) -> Outcome:
    """Files to read."""
    source = subject.config.source
    assert isinstance(source, DirectorySource)  # noqa: S101  # for the type checker: the check applies to no other
    files = (name for _, _, names in os.walk(source.path) for name in names)
    if next(files, None) is None:
        return warning(f"{source.path} holds no files", "put packets there; a run without --once waits for them")
    return ok(f"{source.path} holds files")


def brokers(subject: Subject) -> Outcome:
    """An answer: the name is known, somebody listens, encryption and login work."""
    return ok(f"{subject.source.brokers} answers, and shows {len(subject.visible)} topics")


def topics(subject: Subject) -> Outcome:
    """Every topic is there, or the pattern matches one."""
    source, seen = subject.source, subject.visible
    here = f"topics here: {listed(seen)}"
    if source.pattern is not None and not subject.source_topics:
        return failed(f"no topic matches {source.pattern!r}; {here}", "mend `source.pattern`")
    missing = [name for name in source.topics or () if name not in seen]
    if missing:
        why = subject.source_admin.rights(missing)
        told = [f"{name}: {_absence(why[name])}" for name in missing]
        hints = [hint for name in missing if (hint := did_you_mean(name, seen))]
        remedy = "; ".join(["mend `source.topics`, or have the topics made or shown to the user", *hints])
        return failed(f"{', '.join(told)}; {here}", remedy)
    sizes = subject.source_admin.limits(subject.source_topics)
    return ok(listed(f"{name} ({_described(seen[name], sizes[name])})" for name in subject.source_topics))


def rights(subject: Subject) -> Outcome:
    """Messages are really fetched. Spark joins no consumer group, so no right to one is needed."""
    found = subject.newest
    if not found:
        return not_checked(NO_TOPIC)
    errors = [str(answer) for answer in found.values() if isinstance(answer, KafkaFailedError)]
    if errors:
        whats, _, remedy = errors[0].rpartition("; ")
        more = [error.rpartition("; ")[0] for error in errors[1:]]
        return failed("\n".join([whats, *more]), remedy)
    return ok(f"{listed(found)} can be read")


def listed(names: Iterable[str]) -> str:
    """Names in a row, not too many."""
    all_names = list(names)
    more = len(all_names) - SHOWN
    return (", ".join(all_names[:SHOWN]) or "none") + (f" and {more} more" if more > 0 else "")


def _absence(error: object) -> str:
    refused = isinstance(error, KafkaError) and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    return "there is no such topic, or the user has no right to see it" if refused else "there is no such topic"


def _described(partitions: int, largest: int | None) -> str:
    size = "" if largest is None else f", messages up to {largest:,} bytes"
    return f"{partitions} partition{'s' * (partitions != 1)}{size}"
