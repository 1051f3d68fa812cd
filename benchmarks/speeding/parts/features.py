"""How long features take, by the length of the light curves and by family."""

from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.figure import Baseline, Figure
from benchmarks.speeding.bench import Bench
from benchmarks.speeding.lots import Lot, figure_of
from benchmarks.timing import in_turns
from features.extract import extract
from features.families import discover
from features.family import Compute, FeatureInput
from schemas.alerts import AlertBatch


def measure(bench: Bench) -> Iterator[Figure]:
    """Microseconds an alert of the features that the model reads; then, of the first lot, the share of each family."""
    names = bench.bundle.feature_names
    figures = []
    for lot in bench.lots:
        # A batch that nothing was asked of yet: its light curves are made flat within the time.
        figures.append(figure_of("features", lot, bench.scale.rounds, lambda b: extract(AlertBatch(b.table), names)))
        yield figures[-1]
    yield from _families(bench.lots[0], figures[0], bench.scale.rounds)


def _families(lot: Lot, whole: Figure, rounds: int) -> Iterator[Figure]:
    given = [FeatureInput.from_alerts(batch) for batch in lot.alerts]
    alerts = sum(map(len, lot.alerts))
    for family in discover():
        (timed,) = in_turns(rounds, partial(_compute, family.compute, given))
        name = f"features.{lot.name}.{family.name}"
        yield Figure(name, timed.seconds / alerts * 1e6, "us/alert", Baseline("all families", whole.value))


def _compute(compute: Compute, given: Sequence[FeatureInput]) -> None:
    for one in given:
        compute(one)
