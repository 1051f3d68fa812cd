"""What flows into the cluster, and what must have become of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.killing.packets import Flow
from broker.kafka.feed import Feed
from broker.kafka.settings import Cluster

NUMBERS = 1_000_000
"""Ids that each part of the flow may take."""


@dataclass
class Sender:
    """Sends packets part by part, no alert of one in another.

    Parameters
    ----------
    brokers, topic : where to.
    packets : directory of real ones, which are sent under new ids.
    rate : packets per second.
    parts : how many were begun.
    sent : all of them together.
    """

    brokers: str
    topic: str
    packets: Path
    rate: float
    parts: int = 0
    sent: Flow = field(default_factory=partial(Flow, 0, 0, 0))

    @contextmanager
    def sending(self, count: int) -> Iterator[None]:
        """Packets flow while the block does something, and have all been sent when it ends.

        Raises
        ------
        KafkaFailedError
            If Kafka doesn't take them.
        """
        part, failed = Flow.of(count), list[BaseException]()
        payloads = part.payloads(self.packets, self.parts, self.parts * NUMBERS)
        self.parts += 1
        self.sent = Flow(
            self.sent.packets + part.packets, self.sent.corrupt + part.corrupt, self.sent.repeated + part.repeated
        )

        def send() -> None:
            try:
                with Feed(Cluster(brokers=self.brokers), self.topic) as feed:
                    feed.send((("", payload) for payload in payloads), self.rate, lambda _: None)
            except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
                failed.append(error)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield
        thread.join()
        if failed:
            raise failed[0]
