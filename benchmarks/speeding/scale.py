"""How much is measured: the whole benchmark, or a short form that only shows that it works."""

from dataclasses import dataclass

from broker.sources.enough import ENOUGH_PACKETS


@dataclass(frozen=True)
class Scale:
    """How much of each.

    Parameters
    ----------
    rounds : how often each call is timed; the fastest counts.
    alerts : of a call to features, members and filters: as many as a run's workers gather for one.
    alone : of them, so many are also given one a call, as the baseline.
    points : lengths of the synthetic light curves.
    filters : how many conditions are evaluated in one pass, ascending.
    many_filters : how many a run has, beside one with the three examples.
    packets : through Kafka and Spark, for each run; None for four full micro-batches.
    cores : of Spark, the most first.
    rates : packets per second for which delays are measured.
    seconds : how long each rate is kept up.
    """

    rounds: int = 5
    alerts: int = ENOUGH_PACKETS
    alone: int = 16
    points: tuple[int, ...] = (10, 35, 100, 300, 1000)
    filters: tuple[int, ...] = (1, 10, 100, 1000)
    many_filters: int = 100
    packets: int | None = None
    cores: tuple[int, ...] = (2, 1)
    rates: tuple[float, ...] = (100, 400, 800)
    seconds: float = 60


QUICK = Scale(
    rounds=2,
    alerts=16,
    alone=2,
    points=(10, 35),
    filters=(1, 3, 30),
    many_filters=10,
    packets=200,
    cores=(2,),
    rates=(20,),
    seconds=5,
)
