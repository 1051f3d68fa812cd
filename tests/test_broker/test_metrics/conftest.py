"""A run's state without a run: a committer that takes in real outcomes, and what watches it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from broker.commit import Committer, Taken
from broker.config import Config
from broker.filters.definition import Filter
from broker.harvest import Harvest
from broker.metrics.exposition import StateCollector, all_figures
from broker.metrics.family import discover
from broker.metrics.pulse import Pulse
from broker.metrics.settings import MetricsSettings
from broker.metrics.state import State
from broker.pipeline import Outcome
from broker.run_directory import RunDirectory
from broker.service import Model

Series = dict[tuple[str, ...], float]


class Watched:
    """A committer that takes in micro-batches, with the tallies of every family attached."""

    def __init__(self, folder: Path, filters: tuple[Filter, ...] = (), **settings: Any) -> None:
        config = Config.model_validate(
            {"source": {"kind": "directory", "path": str(folder)}, "to": str(folder / "out"), "metrics": settings}
        )
        model = Model(folder, "ab" * 32, "1.0", pa.schema([]))
        self.run = RunDirectory(config.to)
        assert isinstance(config.metrics, MetricsSettings)
        self.state = State(config, model, self.run, config.metrics, Pulse())
        self.state.see_with(kind(self.state) for family in discover() for kind in family.tallies)
        self.committer = Committer(self.run, filters)
        service: Any = SimpleNamespace(committer=self.committer, filters=filters, refused_filters=2)
        self.state.service = service
        self.taken: list[Taken] = []
        self.committer.observers += [self.taken.append, *(tally.take for tally in self.state.tallies)]

    def take(self, number: int, outcome: Outcome, messages: pa.Table | None = None) -> None:
        harvest = Harvest(outcome, seconds={"decode": 0.5})
        self.committer.commit(number, harvest if messages is None else replace(harvest, messages=messages))

    def series(self, name: str) -> Series:
        """The samples of a metric by the values of its labels, as Prometheus gets them."""
        collector = StateCollector(self.state, {name: all_figures()[name]})
        samples = [sample for metric in collector.collect() for sample in metric.samples]
        return {tuple(s.labels.values()): s.value for s in samples if s.name.startswith(name.removesuffix("_total"))}


@pytest.fixture
def watched(tmp_path: Path, filters: tuple[Filter, ...]) -> Callable[..., Watched]:
    """Make a watched run in one directory: made again, it is the next start."""
    return lambda **settings: Watched(tmp_path, filters, **settings)
