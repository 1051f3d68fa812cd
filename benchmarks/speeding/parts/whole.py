"""How many alerts a second go the whole way, and what the processes take for it."""

from collections.abc import Iterator

from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.course import Course
from benchmarks.speeding.runs import Finished, From

OF_HANDOVER = Goal("ratio", ">=", 0.6)
MOST_MEMORY = Goal("value", "<=", 4.0)
GIB = 2**30
SOURCES: tuple[From, ...] = ("kafka", "files")


def measure(bench: Bench) -> Iterator[Figure]:
    """From Kafka to Kafka and from files to files, with three filters and with many, against the hand-over alone."""
    for cores in bench.scale.cores:
        handover = bench.runs.counted(cores)
        for few in (True, False):
            for source in SOURCES:
                name = f"whole.{source}.{cores}-cores.{3 if few else bench.scale.many_filters}-filters"
                yield from _figures(name, source, bench.runs.whole(source, cores, few=few), handover)


def _figures(name: str, source: From, run: Finished, handover: Course) -> Iterator[Figure]:
    course, total = run.course, run.ledger.total
    details = {
        "alerts": course.alerts,
        "seconds": course.seconds,
        "microBatches": len(course.commits),
        "deliveries": sum(total.deliveries.values()),
        "received": total.received,
        "annotated": total.annotated,
        "undeliverable": sum(total.undeliverable.values()),
    }
    alone = Baseline("hand-over alone", handover.rate)
    yield Figure(name, course.rate, "alerts/s", alone, OF_HANDOVER if source == "kafka" else None, details)
    for kind, spent in course.cpu.items():
        if source == "kafka" or kind != "kafka":  # a run from files has no broker, though one may idle beside it
            yield Figure(f"{name}.cpu.{kind}", spent, "ms/alert", Baseline("hand-over alone", handover.cpu[kind]))
    peak = Baseline("hand-over alone", handover.peak / GIB)
    more = {"secondHalfOverFirst": course.growth}
    yield Figure(f"{name}.memory", course.peak / GIB, "GiB", peak, MOST_MEMORY, more)
