"""What is told of a failed query: its first cause, and what to do, never a trace."""

import pytest

from broker.spark.causes import why

HEAD = "[STREAM_FAILED] Query [id = 3141731b, runId = eb584f4a] terminated with exception: "
PLAN = """
=== Streaming Query ===
Identifier: [id = 3141731b, runId = eb584f4a]
Current Available Offsets: {KafkaV2[Subscribe[alerts]]: {"alerts":{"0":2}}}
"""


def in_a_task(cause):
    """As a failed task looks from Python."""
    return f"""An error occurred while calling o115.getResult.
: org.apache.spark.SparkException: Exception thrown in awaitResult:
\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:70)
Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 failed 4 times: {cause}
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:2935)
Caused by: {cause}
\t... 1 more
"""


class Py4JJavaError(Exception):
    """As py4j's, which wants a Java process."""


@pytest.mark.parametrize(
    ("error", "cause", "wanted"),
    [
        (
            (
                f"{HEAD}Some data may have been lost because they are not available in Kafka any more;\n"
                f"Reason: Partition alerts-0 offset was changed from 5 to 2.\n... SQLSTATE: XXKST{PLAN}"
            ),
            None,
            (
                "Kafka no longer has messages that were to be read: they expired, or a topic was deleted or made anew "
                "(Partition alerts-0 offset was changed from 5 to 2.); to go on without them and count them as "
                "skipped, set `source.on_expired: count`"
            ),
        ),
        (
            (
                f"{HEAD}org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. "
                f"Call: listNodes SQLSTATE: XXKST{PLAN}"
            ),
            None,
            (
                "Kafka didn't answer in time (TimeoutException: Timed out waiting for a node assignment. Call: "
                "listNodes); see that the brokers run, and start again: what was in hand is run again"
            ),
        ),
        (
            HEAD,
            in_a_task("org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized: [alerts]"),
            (
                "the user has no right to read a topic of the source (TopicAuthorizationException: Not authorized: "
                "[alerts]); ask the cluster's operator for the right (an ACL) for this user"
            ),
        ),
        (
            HEAD,
            in_a_task("org.apache.kafka.common.config.ConfigException: Invalid value many for fetch.max.bytes"),
            (
                "a setting of Kafka's client can't be used (ConfigException: Invalid value many for fetch.max.bytes); "
                "mend `source.options`"
            ),
        ),
        (
            HEAD,
            in_a_task("org.apache.spark.api.python.PythonException: Traceback (most recent call last):")
            + '  File "worker.py", line 1\nValueError: not this\n',
            "ValueError: not this",
        ),
    ],
)
def test_the_first_cause_in_one_line(error, cause, wanted):
    told = why(RuntimeError(error), Py4JJavaError(cause) if cause else None)
    assert told == wanted


def test_what_python_raised_is_told_as_it_is():
    full = OSError(28, "No space left on device", "out/outbox/part")
    assert why(RuntimeError(HEAD), full) == (
        "a disk is full (OSError: [Errno 28] No space left on device: 'out/outbox/part'); make room where the "
        "results and `spark.local.dir` are, and start again: what was in hand is run again"
    )
    assert why(RuntimeError(HEAD), ValueError("this\nand more")) == "ValueError: this"
