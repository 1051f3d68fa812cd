"""Micro-batches: how many alerts, how long they take and at what, how long alerts have been on their way."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from broker._stopwatch import together
from broker._utc import unix_seconds
from broker.commit import Taken
from broker.metrics.catalogue import BY_NAME
from broker.metrics.family import Family, Tally
from broker.metrics.histogram import Histogram
from broker.metrics.labels import Labels
from broker.metrics.state import State
from broker.sources.kafka import published


def _empty(name: str) -> Histogram:
    return Histogram.of(BY_NAME[name].buckets)


class Batches(Tally):
    """Micro-batches since the start."""

    name = "batches"

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.seconds, self.alerts = _empty("boreal_batch_seconds"), _empty("boreal_batch_alerts")
        self.stages: dict[str, float] = {}
        self.last: float | None = None

    def take(self, taken: Taken) -> None:
        """Count it."""
        self.seconds = self.seconds.with_values([self.state.pulse.batch_age])
        self.alerts = self.alerts.with_values([taken.page.entry.received])
        self.stages = together([self.stages, taken.harvest.seconds, taken.seconds])
        self.last = taken.delivered

    def to_json(self) -> Any:
        """When the last one was done."""
        return self.last

    def restore(self, found: Any) -> None:
        """When the last one of an earlier run was done."""
        self.last = None if found is None else float(found)


class Latencies(Tally):
    """How long alerts have been on their way when they are annotated, and when they are delivered."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self.observation: Mapping[Labels, Histogram] = {}
        self.kafka, self.delivery = _empty("boreal_kafka_latency_seconds"), _empty("boreal_delivery_latency_seconds")

    def take(self, taken: Taken) -> None:
        """Take the alerts' times."""
        annotations = taken.written.annotations
        if not annotations.num_rows:
            return
        self._observed(annotations.select(["survey", "mjdTai"]), taken.counted)
        if taken.harvest.messages.num_rows:
            stamps = _stamps(annotations["origin"], published(taken.harvest.messages))
            sent = pc.list_value_length(annotations["deliveredTo"]).to_numpy() > 0
            self.kafka = self.kafka.with_values(_since(stamps, taken.counted))
            self.delivery = self.delivery.with_values(_since(stamps[sent], taken.delivered))

    def _observed(self, times: pa.Table, now: float) -> None:
        told = dict(self.observation)
        for survey in pc.unique(times["survey"]).to_pylist():
            mjd = times["mjdTai"].filter(pc.equal(times["survey"], survey)).to_numpy()
            known = told.get((survey,)) or _empty("boreal_observation_latency_seconds")
            told[survey,] = known.with_values(_since(unix_seconds(mjd), now))
        self.observation = told


def _since(times: NDArray[np.float64], now: float) -> NDArray[np.float64]:
    """Seconds until now; 0 where a clock elsewhere is ahead."""
    return np.maximum(now - times, 0.0)


def _stamps(origins: pa.ChunkedArray, stamps: dict[str, int]) -> NDArray[np.float64]:
    """Kafka's time stamp of each alert's packet [s since 1970, UTC]; NaN where it isn't known."""
    found = (stamps.get(origin.partition("#")[0], np.nan) for origin in origins.to_pylist())
    return np.fromiter(found, dtype=np.float64, count=len(origins)) / 1000.0


FAMILY = Family(
    {
        "boreal_batch_seconds": lambda state: state.tally(Batches).seconds,
        "boreal_batch_alerts": lambda state: state.tally(Batches).alerts,
        "boreal_stage_seconds_total": lambda state: {
            (stage,): seconds for stage, seconds in state.tally(Batches).stages.items()
        },
        "boreal_last_batch_timestamp_seconds": lambda state: state.tally(Batches).last,
        "boreal_batch_age_seconds": lambda state: state.pulse.batch_age,
        "boreal_observation_latency_seconds": lambda state: state.tally(Latencies).observation,
        "boreal_kafka_latency_seconds": lambda state: state.tally(Latencies).kafka,
        "boreal_delivery_latency_seconds": lambda state: state.tally(Latencies).delivery,
    },
    (Batches, Latencies),
)
