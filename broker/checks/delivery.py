"""The topics that are delivered to: whether they are there, may be written to, and take what is sent."""

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AclOperation

from broker.checks.check import Outcome, failed, not_checked, ok, warning
from broker.checks.source import listed
from broker.checks.subject import Subject
from broker.kafka.admin import Rights
from broker.kafka.publisher import Publisher

NO_RIGHT = "ask the cluster's operator for the right (an ACL) for this user"


def brokers(subject: Subject) -> Outcome:
    """An answer: the name is known, somebody listens, encryption and login work."""
    return ok(f"{subject.delivery.brokers} answers, and shows {len(subject.delivery_visible)} topics")


def options(subject: Subject) -> Outcome:
    """The producer takes its settings."""
    to = subject.delivery
    try:
        Publisher(to, to.max_message_bytes).close()
    except KafkaException as error:
        return failed(error.args[0].str(), "mend `deliver.kafka.options`: they are librdkafka's settings of a producer")
    return ok(listed(f"{name}={value}" for name, value in to.options.items()))


def topics(subject: Subject) -> Outcome:
    """Each is there, or could be made."""
    wanted = subject.delivery_topics
    missing = _missing(subject)
    here = ", ".join(f"{name} ({whose})" for name, whose in wanted.items() if name not in missing)
    to_make = f"to be made: {', '.join(missing)}" if missing else ""
    if not missing:
        return ok(here or "no topics are wanted: there are no filters")
    if not subject.delivery.create_topics:
        return failed(
            f"there is no topic {', '.join(missing)}, or the user may not see it",
            "have them made, or set `deliver.kafka.create_topics`",
        )
    refusals = subject.delivery_admin.refusals(missing, subject.delivery.create_topics)
    if refusals:
        return failed(
            "\n".join(f"{name} can't be made: {error.str()}" for name, error in refusals.items()),
            "have them made, ask for the right to make them, or mend `deliver.kafka.create_topics`",
        )
    return ok("; ".join(part for part in (here, to_make) if part))


def rights(subject: Subject) -> Outcome:
    """Each topic may be written to; that includes the idempotent way, in Kafka 2.8 and later."""
    there = _there(subject)
    if not there:
        return not_checked("none of the topics is there yet")
    found = subject.delivery_admin.rights(there)
    closed = {name: _why(right) for name, right in found.items() if not _may_write(right)}
    if closed:
        return failed("; ".join(f"{name}: {why}" for name, why in closed.items()), NO_RIGHT)
    return ok(f"{listed(there)} may be written to")


def sizes(subject: Subject) -> Outcome:
    """What is sent fits into each topic."""
    there, largest = _there(subject), subject.delivery.max_message_bytes
    if not there:
        return not_checked("none of the topics is there yet")
    limits = subject.delivery_admin.limits(there)
    small = {name: limit for name, limit in limits.items() if limit is not None and limit < largest}
    untold = [name for name, limit in limits.items() if limit is None]
    if small:
        return failed(
            f"messages may have {largest:,} bytes, but {_sizes(small)}",
            "raise max.message.bytes of the topics, or lower `deliver.kafka.max_message_bytes`",
        )
    if untold:
        return warning(
            f"the user may not see max.message.bytes of {listed(untold)}",
            f"see that it is {largest:,} or more (`deliver.kafka.max_message_bytes`)",
        )
    return ok(f"messages may have {largest:,} bytes, and every topic takes them")


def _missing(subject: Subject) -> list[str]:
    return [name for name in subject.delivery_topics if name not in subject.delivery_visible]


def _there(subject: Subject) -> list[str]:
    return [name for name in subject.delivery_topics if name in subject.delivery_visible]


def _may_write(right: Rights | KafkaError) -> bool:
    return not isinstance(right, KafkaError) and bool(right & {AclOperation.WRITE, AclOperation.ALL})


def _why(right: Rights | KafkaError) -> str:
    return right.str() if isinstance(right, KafkaError) else "the user may not write to it"


def _sizes(limits: Mapping[str, int | None]) -> str:
    return ", ".join(f"{name} takes {limit:,}" for name, limit in limits.items())
