"""Which visits are complete, while they come in: an operator's view of the night, for metrics.

A visit is open from its first alert on. It is complete once no alert of it has come for `QUIET_SECONDS`, or once a
micro-batch had none of it and `LATER_VISITS` visits observed later are known. An alert that comes then is late.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

QUIET_SECONDS = 300.0
"""LSST takes a visit every 40 s, and sends its alerts about a minute later."""

LATER_VISITS = 20

REMEMBERED = 2000
"""So many complete visits are known again: two nights of LSST. What was observed before them is late, too."""

FAR_AHEAD_SECONDS = 86_400.0
"""What was observed that long after the present is a packet with an absurd date: it counts for no visit."""


@dataclass(frozen=True)
class Open:
    """A visit that alerts still come of.

    Parameters
    ----------
    alerts : how many came.
    detectors : which ones have alerts, as bits of a number.
    observed : when it was observed [s since 1970, UTC].
    last : when its last alert was annotated [s since 1970, UTC].
    whole : whether all of its alerts were seen; some may have come before a start.
    """

    alerts: int
    detectors: int
    observed: float
    last: float
    whole: bool = True

    def with_more(self, more: "Open") -> "Open":
        """With alerts of a later micro-batch."""
        return Open(
            self.alerts + more.alerts,
            self.detectors | more.detectors,
            min(self.observed, more.observed),
            max(self.last, more.last),
            self.whole and more.whole,
        )


@dataclass(frozen=True)
class Progress:
    """The visits of a survey.

    Parameters
    ----------
    open : visits that alerts come of, by number.
    closed : when the latest complete ones were observed [s since 1970, UTC], by number.
    late : alerts that came of complete visits.
    """

    open: Mapping[int, Open] = field(default_factory=dict)
    closed: Mapping[int, float] = field(default_factory=dict)
    late: int = 0

    @property
    def newest(self) -> int | None:
        """The open or complete visit that was observed last; None before the first."""
        observed = {**self.closed, **{number: visit.observed for number, visit in self.open.items()}}
        return max(observed, key=lambda number: (observed[number], number), default=None)

    def with_batch(self, came: Mapping[int, Open], now: float) -> "tuple[Progress, list[Open]]":
        """After a micro-batch.

        Parameters
        ----------
        came : the visits of its alerts.
        now : when it was annotated [s since 1970, UTC].

        Returns
        -------
        progress : as it is then.
        complete : the visits that became complete.
        """
        quiet, complete = self.as_of(now)
        known = {number: more for number, more in came.items() if more.observed < now + FAR_AHEAD_SECONDS}
        late = {number for number, more in known.items() if quiet.is_late(number, more)}
        opened = dict(quiet.open)
        for number, more in known.items():
            if number not in late:
                opened[number] = opened[number].with_more(more) if number in opened else more
        count = quiet.late + sum(known[number].alerts for number in late)
        progress, passed = replace(quiet, open=opened, late=count).closing(now, known)
        return progress, [*complete, *passed]

    def as_of(self, now: float) -> "tuple[Progress, list[Open]]":
        """As it is at a time without a micro-batch, with the visits that have become complete since the last one."""
        return self.closing(now, self.open)

    def is_late(self, number: int, more: Open) -> bool:
        """Whether alerts of a visit are late."""
        if number in self.open:
            return False
        before_all = len(self.closed) >= REMEMBERED and more.observed < min(self.closed.values())
        return number in self.closed or before_all

    def closing(self, now: float, present: Collection[int]) -> "tuple[Progress, list[Open]]":
        """As it is with complete visits closed, and these; only the quiet ones of those that are present."""
        times = sorted([*self.closed.values(), *(visit.observed for visit in self.open.values())])
        horizon = times[-LATER_VISITS - 1] if len(times) > LATER_VISITS else float("-inf")
        done = {
            number: visit
            for number, visit in self.open.items()
            if now - visit.last >= QUIET_SECONDS or (visit.observed <= horizon and number not in present)
        }
        if not done:
            return self, []
        still = {number: visit for number, visit in self.open.items() if number not in done}
        closed = {**self.closed, **{number: visit.observed for number, visit in done.items()}}
        kept = sorted(closed, key=lambda number: (closed[number], number))[-REMEMBERED:]
        progress = replace(self, open=still, closed={number: closed[number] for number in kept})
        return progress, [done[number] for number in sorted(done)]
