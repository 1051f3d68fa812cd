"""What is known of a run at work: what metrics are told from."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from broker.books.ledger import Ledger
from broker.config import Config
from broker.metrics.lag import Lag
from broker.metrics.machine import is_alive
from broker.metrics.pulse import Pulse
from broker.metrics.settings import MetricsSettings
from broker.run_directory import RunDirectory
from broker.service import Model, Service

if TYPE_CHECKING:
    from broker.metrics.family import Tally

Seen = TypeVar("Seen", bound="Tally")


@dataclass
class State:
    """A run at work. Anything of it may be read from any thread.

    Parameters
    ----------
    config, model, run : of the run.
    settings : of its metrics.
    pulse : whether it makes progress.
    lag : the ends of Kafka's partitions; None for other sources.
    service : what works on micro-batches; None before it is there.
    java : number of Spark's Java process; None before it is there.
    started : when the run started [s since 1970, UTC].
    """

    config: Config
    model: Model
    run: RunDirectory
    settings: MetricsSettings
    pulse: Pulse
    lag: Lag | None = None
    service: Service | None = None
    java: int | None = None
    started: float = field(default_factory=time.time)
    _before: Ledger = field(default_factory=Ledger)
    _tallies: Mapping[type, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = Ledger.read(self.run.ledger)

    @property
    def ledger(self) -> Ledger:
        """The books as they are now."""
        return self.service.committer.ledger if self.service else self._before

    @property
    def unhealthy(self) -> str | None:
        """Why the run should be restarted; None where it is well."""
        if self.java is not None and not is_alive(self.java):
            return "Spark's Java process is gone"
        return self.pulse.unhealthy

    @property
    def unready(self) -> str | None:
        """Why the stream takes no micro-batches; None where it does."""
        return self.pulse.unready

    def see_with(self, tallies: Iterable["Tally"]) -> None:
        """Have these see every micro-batch."""
        self._tallies = {type(tally): tally for tally in tallies}

    @property
    def tallies(self) -> Iterable["Tally"]:
        """What sees every micro-batch."""
        return self._tallies.values()

    def tally(self, kind: type[Seen]) -> Seen:
        """The tally of a class."""
        found: Seen = self._tallies[kind]
        return found
