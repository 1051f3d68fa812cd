"""The parts of the benchmark, in the order in which they run; each can be run alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.figure import Figure
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.parts import decoding, features, filters, growth, handover, latency, members, whole


@dataclass(frozen=True)
class Part:
    """One part.

    Parameters
    ----------
    measure : gives its figures, as they are measured.
    live : whether it starts Kafka and Spark.
    """

    measure: Callable[[Bench], Iterator[Figure]]
    live: bool = False


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "decode": Part(decoding.measure),
        "features": Part(features.measure),
        "members": Part(members.measure),
        "filters": Part(filters.measure),
        "growth": Part(growth.measure),
        "handover": Part(handover.measure, live=True),
        "whole": Part(whole.measure, live=True),
        "latency": Part(latency.measure, live=True),
    }
)
