"""Watches a run at work: sees its micro-batches, asks Kafka for the lag, and answers over HTTP.

Nothing here stops or slows the run: what goes wrong is logged once, and counted.
"""

import logging
from contextlib import ExitStack
from threading import Event, Thread
from typing import Self

from broker.commit import Taken
from broker.config import Config
from broker.kafka.run_settings import KafkaSource
from broker.metrics import memory
from broker.metrics.exposition import StateCollector
from broker.metrics.family import Tally, discover
from broker.metrics.lag import Lag
from broker.metrics.pulse import Pulse
from broker.metrics.server import MetricsServer
from broker.metrics.settings import MetricsSettings
from broker.metrics.state import State
from broker.run_directory import RunDirectory
from broker.service import Model, Service

LOG = logging.getLogger(__name__)

END_SECONDS = 5.0
"""So long the end of a run waits for a question to Kafka."""


class Monitor:
    """What watches a run; where its configuration has no `metrics`, only its pulse is felt.

    Parameters
    ----------
    config, model, run : of the run; the caller holds the directory's lock.

    Raises
    ------
    WrongInputError
        If nobody can listen on the port.
    """

    def __init__(self, config: Config, model: Model, run: RunDirectory) -> None:
        settings = config.metrics
        self.pulse = Pulse(settings.stuck_after_seconds) if settings else Pulse()
        self._cleanup = ExitStack()
        self._ending, self._news = Event(), Event()
        self._failed: set[type[Tally]] = set()
        self._state = self._watched(config, model, run, settings) if settings else None

    def attach(self, service: Service) -> None:
        """See the micro-batches that a service takes in, and ask for the lag from now on."""
        if self._state:
            self._state.service = service
            service.committer.observers.append(self._take)
            keeper = Thread(target=self._keep, args=(self._state,), name="lag", daemon=True)
            keeper.start()
            self._cleanup.callback(self._end, keeper)

    def java(self, process: int | None) -> None:
        """Know Spark's Java process."""
        if self._state:
            self._state.java = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _watched(self, config: Config, model: Model, run: RunDirectory, settings: MetricsSettings) -> State:
        lag = Lag(config.source) if isinstance(config.source, KafkaSource) else None
        state = State(config, model, run, settings, self.pulse, lag)
        state.see_with(kind(state) for family in discover() for kind in family.tallies)
        memory.restore(state)
        server = MetricsServer(
            settings.address,
            settings.port,
            StateCollector(state),
            lambda: state.unhealthy,
            lambda: state.unready,
        )
        self._cleanup.callback(server.close)
        LOG.info("metrics are at http://%s:%d/metrics", settings.address, server.port)
        return state

    def _take(self, taken: Taken) -> None:
        """Show a micro-batch to every tally; one that fails is told once, and takes no other with it."""
        for tally in self._state.tallies if self._state else ():
            try:
                tally.take(taken)
            except Exception:
                if type(tally) not in self._failed:
                    LOG.exception("%s can't take in a micro-batch", type(tally).__name__)
                self._failed.add(type(tally))
        self._news.set()

    def _keep(self, state: State) -> None:
        """Ask for the lag and write down what is remembered, now and then, until the run ends."""
        while True:
            try:
                if state.lag:
                    state.lag.ask()
                self._save(state)
            except Exception:  # another round may go better
                LOG.exception("the lag can't be asked for")
            if self._ending.wait(state.settings.lag_every_seconds):
                return

    def _save(self, state: State) -> None:
        if self._news.is_set():
            self._news.clear()
            memory.save(state)

    def _end(self, keeper: Thread) -> None:
        self._ending.set()
        keeper.join(END_SECONDS)
        if self._state:
            self._save(self._state)
