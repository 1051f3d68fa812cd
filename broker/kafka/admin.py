"""Questions about a cluster that nothing has to be read or written for: topics, offsets, rights, limits."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from broker.books.ledger import Span
from broker.errors import KafkaFailedError
from broker.kafka.errors import LIBRARY_LOG, LOGIN_FAILED, explain
from broker.kafka.run_settings import NewTopics
from broker.kafka.settings import Cluster, librdkafka_settings
from broker.sources.kafka import split_partition

TIMEOUT_SECONDS = 10.0
PATIENCE_SECONDS = 3.0
"""How long a cluster is asked again when none of its brokers can be reached."""

_LOOK_SECONDS = 0.5
_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  # librdkafka's own codes have such names
_CUT = KafkaError._TRANSPORT  # noqa: SLF001

Rights = frozenset[AclOperation]
LIMIT = "max.message.bytes"


class Admin:
    """Asks a cluster; changes nothing in it.

    Parameters
    ----------
    cluster : which.
    timeout : seconds that one question may take.

    Raises
    ------
    WrongInputError
        If the password isn't where it should be.
    KafkaFailedError
        If the settings can't be used.
    """

    def __init__(self, cluster: Cluster, timeout: float = TIMEOUT_SECONDS) -> None:
        self._cluster, self._timeout = cluster, timeout
        self._told: list[KafkaError] = []
        told: dict[str, Any] = {"error_cb": self._told.append, "logger": LIBRARY_LOG}
        settings = {**librdkafka_settings(cluster), **told}
        try:
            self._admin = AdminClient(settings)
        except KafkaException as error:  # a file with certificates that can't be read, for one
            why = error.args[0].str()
            raise KafkaFailedError(
                f"the settings for Kafka at {cluster.brokers} can't be used: {why}; check `security`"
            ) from None

    def topics(self) -> Mapping[str, int]:
        """Every topic that the user may see, and its number of partitions; Kafka's own left out.

        Raises
        ------
        KafkaFailedError
            If the cluster can't be reached: why, as exactly as can be told, and as soon as it can.
        """
        started = time.monotonic()
        while True:
            try:
                found = self._admin.list_topics(timeout=_LOOK_SECONDS).topics
            except KafkaException as error:
                self._admin.poll(0)  # what was told beside it comes only now
                if self._is_hopeless(time.monotonic() - started):
                    raise self._unreachable(error.args[0]) from None
                time.sleep(0.1)  # some failures come at once
            else:
                return {
                    name: len(topic.partitions)
                    for name, topic in sorted(found.items())
                    if topic.error is None and not name.startswith("__")
                }

    def bounds(self, partitions: Sequence[str]) -> Mapping[str, Span]:
        """Of each ``topic/number`` the first offset that is still there, and the next that will be written.

        Raises
        ------
        KafkaFailedError
            If one of them isn't told.
        """
        first = self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # confluent's own
        following = self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {name: Span(first[name], following[name]) for name in partitions}

    def rights(self, topics: Iterable[str]) -> Mapping[str, Rights | KafkaError]:
        """What the user may do with each topic; the error where the topic isn't there or isn't shown."""
        names = list(topics)
        if not names:
            return {}
        asked = self._admin.describe_topics(
            TopicCollection(names), include_authorized_operations=True, request_timeout=self._timeout
        )
        answers = {name: _answer(asked[name]) for name in names}
        return {
            name: found if isinstance(found, KafkaError) else frozenset(found.authorized_operations or ())
            for name, found in answers.items()
        }

    def limits(self, topics: Iterable[str]) -> Mapping[str, int | None]:
        """The most bytes that a message of each topic may have; None where the user isn't told."""
        wanted = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
        if not wanted:
            return {}
        asked = self._admin.describe_configs(wanted, request_timeout=self._timeout)
        answers = {resource.name: _answer(future) for resource, future in asked.items()}
        return {
            name: None if isinstance(found, KafkaError) else int(found[LIMIT].value) for name, found in answers.items()
        }

    def refusals(self, names: Iterable[str], new: NewTopics) -> Mapping[str, KafkaError]:
        """Why topics with these names could not be made; nothing for those that could."""
        wanted = [NewTopic(name, new.partitions, new.replication) for name in names]
        if not wanted:
            return {}
        asked = self._admin.create_topics(wanted, request_timeout=self._timeout, validate_only=True)
        answers = {name: _answer(future) for name, future in asked.items()}
        return {name: found for name, found in answers.items() if isinstance(found, KafkaError)}

    def _offsets(self, partitions: Sequence[str], which: OffsetSpec) -> Mapping[str, int]:
        if not partitions:
            return {}
        wanted = {TopicPartition(*split_partition(name)): which for name in partitions}
        found = {}
        for place, future in self._admin.list_offsets(wanted, request_timeout=self._timeout).items():
            answer = _answer(future)
            if isinstance(answer, KafkaError):
                raise self._failed(answer, place.topic)
            found[f"{place.topic}/{place.partition}"] = int(answer.offset)
        return found

    def _is_hopeless(self, seconds: float) -> bool:
        codes = {told.code() for told in self._told}
        if codes.intersection(LOGIN_FAILED):
            return True
        return seconds > (PATIENCE_SECONDS if _DOWN in codes else self._timeout)

    def _unreachable(self, otherwise: KafkaError) -> KafkaFailedError:
        """Why: a refused login says more than a broken connection, and that more than that all are broken."""
        telling = [told for told in self._told if told.code() != _DOWN]
        if self._told and not telling:
            return KafkaFailedError(
                f"Kafka at {self._cluster.brokers} cuts connections off without a word, as where it expects encryption "
                "or a login and meets none; check `security`"
            )
        ranked = sorted(telling, key=lambda told: (told.code() not in LOGIN_FAILED, told.code() == _CUT))
        return self._failed((ranked or [otherwise])[0])

    def _failed(self, error: KafkaError, topic: str = "") -> KafkaFailedError:
        return KafkaFailedError(explain(error, self._cluster, topic))


def _answer(future: "Future[Any]") -> Any:
    """What came of a question, or the `KafkaError`."""
    try:
        return future.result()
    except KafkaException as error:
        return error.args[0]
