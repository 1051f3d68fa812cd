"""How long an alert takes from Kafka's time stamp to its delivery's, at a steady rate."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.course import watch
from broker.run_directory import RunDirectory

QUANTILES = ("p50", "p90", "p99")
AIMED_RATE, LONGEST = 400, Goal("value", "<=", 10)


def measure(bench: Bench) -> Iterator[Figure]:
    """Seconds, by rate, against the lowest rate; every packet must be in the books and every delivery in its topic."""
    slowest: dict[str, float] = {}
    for rate in bench.scale.rates:
        bench.say(f"delays at {rate:g} packets/s")
        found = _at(bench, rate)
        name = f"latency.{rate:g}-per-s"
        yield Figure(f"{name}.sent", found["packetsPerSecond"], "packets/s", Baseline("asked for", rate))
        yield Figure(f"{name}.packet", found["meanBytes"] / 1000, "kB")
        for quantile in QUANTILES:
            against = slowest.setdefault(quantile, found[quantile])
            yield Figure(
                f"{name}.{quantile}",
                found[quantile],
                "s",
                Baseline(f"{bench.scale.rates[0]:g}/s", against) if rate != bench.scale.rates[0] else None,
                LONGEST if rate == AIMED_RATE and quantile == "p99" else None,
                found,
            )


def _at(bench: Bench, rate: float) -> dict[str, Any]:
    folder, figures = bench.folder / f"live-{rate:g}", bench.folder / f"live-{rate:g}.json"
    command = [sys.executable, "-m", "benchmarks.live", "--to", str(folder), "--packets", str(bench.directory)]
    pace = ["--rate", str(rate), "--seconds", str(bench.scale.seconds), "--json", str(figures)]
    journal = RunDirectory(folder / "results").journal
    course = watch([*command, *pace], journal, bench.folder / f"live-{rate:g}.log")
    return {**json.loads(figures.read_text(encoding="utf-8")), "peakBytes": course.peak, "cpuMsPerAlert": course.cpu}
