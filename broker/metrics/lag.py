"""How far Kafka is ahead of the books: the ends of its partitions, asked for now and then."""

import logging
import time
from collections.abc import Mapping

from broker.books.ledger import Span
from broker.errors import KafkaFailedError, WrongInputError
from broker.kafka.admin import Admin
from broker.kafka.client import partition_list
from broker.kafka.run_settings import KafkaSource

LOG = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0


class Lag:
    """The ends of the partitions that a run reads.

    Parameters
    ----------
    source : where it reads.
    """

    def __init__(self, source: KafkaSource) -> None:
        self._source = source
        self._admin: Admin | None = None
        self._first_seen: Mapping[str, int] = {}
        self.ends: Mapping[str, Span] = {}
        self.asked: float | None = None
        self.answered: float | None = None

    @property
    def up(self) -> bool:
        """Whether Kafka answered when it was asked last."""
        return self.answered is not None and self.answered == self.asked

    def ask(self) -> None:
        """Ask Kafka. It may take `TIMEOUT_SECONDS` a question, so this has a thread of its own."""
        now = time.time()
        try:
            self._admin = self._admin or Admin(self._source, TIMEOUT_SECONDS)
            self.ends = self._admin.bounds(partition_list(self._admin.topics(), self._source.wants))
        except (KafkaFailedError, WrongInputError) as error:
            self._admin = None  # what it was told stays with it
            if self.up or self.asked is None:
                LOG.warning("the lag isn't known: %s", error)
            self.asked = now
        else:
            self._first_seen = {**{name: span.next for name, span in self.ends.items()}, **self._first_seen}
            self.asked = self.answered = now

    def behind(self, positions: Mapping[str, Span]) -> dict[str, int]:
        """Offsets of each partition that aren't in the books yet; those that have expired aren't waited for.

        Parameters
        ----------
        positions : how far each partition was read, by the ledger.
        """
        return {name: max(0, span.next - self._start(name, span, positions)) for name, span in self.ends.items()}

    def _start(self, name: str, span: Span, positions: Mapping[str, Span]) -> int:
        if name in positions:
            return max(positions[name].next, span.first)
        return span.first if self._source.start == "earliest" else self._first_seen[name]
