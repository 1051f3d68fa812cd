"""Why a streaming query failed: its first cause in one line, and what to do about those that are known."""

import re

_CAUSE = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)*([\w$]+(?:Error|Exception): .+)$", re.MULTILINE)
"""An exception in a trace, of Python or of Java."""

_QUERY = re.compile(r"^\[STREAM_FAILED\].* with exception: (?:[\w$]+\.)*(.+?)(?: SQLSTATE: \w+)?$", re.MULTILINE)
_LOST = re.compile(r"^Reason: (.+)$", re.MULTILINE)

_WHAT_TO_DO = (
    (
        "Some data may have been lost",
        "Kafka no longer has messages that were to be read: they expired, or a topic was deleted or made anew",
        "to go on without them and count them as skipped, set `source.on_expired: count`",
    ),
    (
        "TopicAuthorizationException",
        "the user has no right to read a topic of the source",
        "ask the cluster's operator for the right (an ACL) for this user",
    ),
    (
        "GroupAuthorizationException",
        "the user has no right to the consumer group",
        "set `source.group_prefix` to a prefix that the user may use, often the user's name",
    ),
    (
        "AuthenticationException",
        "Kafka refused the login",
        "check the user, and the password in the place that `source.security.password` names",
    ),
    ("ConfigException", "a setting of Kafka's client can't be used", "mend `source.options`"),
    (
        "UnknownTopicOrPartitionException",
        "a topic of the source is gone",
        "see whether it was deleted; without it, take it out of `source.topics`",
    ),
    (
        "TimeoutException",
        "Kafka didn't answer in time",
        "see that the brokers run, and start again: what was in hand is run again",
    ),
    (
        "No space left on device",
        "a disk is full",
        "make room where the results and `spark.local.dir` are, and start again: what was in hand is run again",
    ),
)
"""What stands in Spark's text, what it means, and what to do."""


def why(error: Exception, cause: Exception | None) -> str:
    """The first cause of a failed query, in one line.

    Parameters
    ----------
    error : of the query; its text holds traces of Java, and of Python where that failed.
    cause : what its Python part raised; None if it isn't the one that failed.
    """
    text = str(cause or error).strip()
    told = f"{type(cause).__name__}: {text.splitlines()[0]}" if cause and not _is_of_java(cause) else _last_cause(text)
    for sign, what, remedy in _WHAT_TO_DO:
        if sign in text:
            return f"{what} ({told}); {remedy}"
    return told


def _is_of_java(cause: Exception) -> bool:
    return type(cause).__name__ == "Py4JJavaError"


def _last_cause(text: str) -> str:
    """The cause of all others, which comes last."""
    causes = _LOST.findall(text) or _CAUSE.findall(text) or _QUERY.findall(text)
    found: str = causes[-1] if causes else text.splitlines()[0]
    return found
