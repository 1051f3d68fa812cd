"""How the pure function grows with the number of alerts, and that it takes what is large."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.large import large_packets
from benchmarks.speeding.runs import EXAMPLES
from benchmarks.timing import in_turns
from broker.errors import RunFailedError
from broker.filters.definition import load_filters
from broker.pipeline import Outcome, process
from broker.sources.gathered import Packet
from schemas.packets import packets

FACTOR = 10
MOST_TIMES = Goal("ratio", "<=", 10.5)


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds of one call with ten times the packets; milliseconds of a packet of 4 MB and of 20,000 points."""
    filters = load_filters(EXAMPLES, bench.annotations.schema)

    def call(pairs: list[Packet]) -> Outcome:
        return process(packets(pairs), bench.registry, bench.bundle, filters)

    few = _some(bench.packets, bench.scale.alerts)
    many = [(f"{time} {origin}", payload) for time in range(FACTOR) for origin, payload in few]
    call(few)
    once, tenfold = in_turns(bench.scale.rounds, lambda: call(few), lambda: call(many))
    baseline = Baseline(f"{len(few)} alerts", once.seconds)
    yield Figure("growth.process", tenfold.seconds, "s", baseline, MOST_TIMES, {"packets": len(many)})
    usual = Baseline("a packet among others", tenfold.seconds / len(many) * 1000)
    for name, payload in large_packets().items():
        (timed,) = in_turns(bench.scale.rounds, partial(call, [(name, payload)]))
        outcome: Outcome = timed.given
        if outcome.annotations.num_rows != 1 or outcome.rejects.num_rows:
            raise RunFailedError(f"the packet {name} didn't pass: {outcome.rejects['reason'].to_pylist()}")
        details = {"bytes": len(payload), "points": outcome.annotations["nPoints"][0].as_py()}
        yield Figure(f"growth.packet-{name}", timed.seconds * 1000, "ms", usual, details=details)


def _some(given: list[Packet], count: int) -> list[Packet]:
    """So many packets from all over the list."""
    chosen = (np.arange(count) * len(given) // count).tolist()
    return [(f"{number} {given[k][0]}", given[k][1]) for number, k in enumerate(chosen)]
