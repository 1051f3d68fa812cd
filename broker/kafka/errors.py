"""What Kafka's errors mean, and what to do about them."""

import logging
from collections.abc import Mapping

from confluent_kafka import KafkaError

from broker.kafka.settings import Cluster

LIBRARY_LOG = logging.getLogger("broker.kafka.librdkafka")
"""What librdkafka logs by itself: while a broker is away, the same line many times. Its errors come another way and are
told once, so nobody hears these lines who hasn't set up logging."""
LIBRARY_LOG.addHandler(logging.NullHandler())

LOGIN_FAILED = (KafkaError._AUTHENTICATION, KafkaError._SSL)  # noqa: SLF001  # librdkafka's own codes have such names
"""What waiting doesn't mend."""

_LOGIN = "check the user, and the password in the place that `security.password` names"
_MISSING = "create it; a run makes its topics if `deliver.kafka.create_topics` is set"
_RIGHTS = "ask the cluster's operator for the right (an ACL) for this user"

_WHAT_TO_DO: Mapping[int, tuple[str, str]] = {
    KafkaError._AUTHENTICATION: ("the login was refused", _LOGIN),  # noqa: SLF001  # librdkafka's own codes have such names
    KafkaError.SASL_AUTHENTICATION_FAILED: ("the login was refused", _LOGIN),
    KafkaError._SSL: ("the encrypted connection failed", "check `security.tls` and `security.ca_file`"),  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED: ("the user has no right to the topic", _RIGHTS),
    KafkaError.GROUP_AUTHORIZATION_FAILED: (
        "the user has no right to the consumer group",
        "set `source.group_prefix` to a prefix that the user may use, often the user's name",
    ),
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: ("the user has no right to write idempotently", _RIGHTS),
    KafkaError.UNKNOWN_TOPIC_OR_PART: ("there is no such topic", _MISSING),
    KafkaError._UNKNOWN_TOPIC: ("there is no such topic", _MISSING),  # noqa: SLF001
    KafkaError.MSG_SIZE_TOO_LARGE: (
        "a message is larger than the topic allows",
        "raise the topic's max.message.bytes; a run sends nothing above its `deliver.kafka.max_message_bytes`",
    ),
    KafkaError._MSG_TIMED_OUT: (  # noqa: SLF001
        "no broker took a message in time",
        "see that the brokers run and can be reached; what wasn't sent is sent at the next start",
    ),
    KafkaError._ALL_BROKERS_DOWN: ("no broker can be reached", "see that the brokers run, and their addresses"),  # noqa: SLF001
    KafkaError._TRANSPORT: ("a broker can't be reached", "see that the brokers run, and their addresses"),  # noqa: SLF001
    KafkaError._RESOLVE: ("a broker's name can't be resolved", "check the addresses in `brokers`"),  # noqa: SLF001
    KafkaError._TIMED_OUT: ("no broker answered in time", "see that the brokers run, and their addresses"),  # noqa: SLF001
}


def explain(error: KafkaError, cluster: Cluster, topic: str = "") -> str:
    """An error in words: which cluster and topic, what it is, what to do; librdkafka's own text behind it."""
    what, remedy = _WHAT_TO_DO.get(error.code(), ("the request was refused", "see the brokers' log"))
    user = f" as {cluster.security.user}" if cluster.security.user else ""
    where = f"Kafka at {cluster.brokers}{user}" + (f", topic {topic}" if topic else "")
    return f"{where}: {what} ({error.name()}: {error.str()}); {remedy}"
