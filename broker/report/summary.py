"""What does the page say of the run? The books, the counts and the reasons, ready to be shown."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.books.ledger import Entry, Ledger
from broker.report.rejected import Rejected, read_rejected
from broker.report.tally import Tally
from broker.run_directory import RunDirectory


@dataclass(frozen=True)
class Count:
    """How many alerts there are of something, and which part of the whole that is.

    Parameters
    ----------
    name : of what.
    alerts : how many.
    share : part of the whole, 0 to 1.
    """

    name: str
    alerts: int
    share: float


@dataclass(frozen=True)
class ClassCount(Count):
    """Alerts by their best class."""

    class_id: int


@dataclass(frozen=True)
class Subscriber:
    """What a filter's subscriber got.

    Parameters
    ----------
    name : of the filter.
    delivered : alerts sent.
    held_back : alerts that were not sent: by limit, and those for which the filter could not be evaluated.
    """

    name: str
    delivered: int
    held_back: dict[str, int]


@dataclass(frozen=True)
class SurveyCount:
    """Annotated alerts of one survey and schema version.

    Parameters
    ----------
    survey, version : of the packets.
    alerts : how many.
    nights : on how many observing nights.
    first, last : the first and the last of these, yyyymmdd.
    """

    survey: str
    version: str
    alerts: int
    nights: int
    first: str
    last: str


@dataclass(frozen=True)
class Summary:
    """The run as the page tells it.

    Parameters
    ----------
    books : the ledger's totals.
    differences : where the books contradict themselves, or the files the books, in words; empty when all agree.
    nights : alerts by observing night, the latest first; the share is that of the busiest night.
    surveys : alerts by survey and schema version.
    classes : alerts by best class, the most frequent first.
    subscribers : by name.
    rejected : reasons of the dead letter.
    not_classified : alerts without a class, by reason.
    software : versions that wrote the annotation table: ``Boreal 0.1.0``, ``model first 1``.
    """

    books: Entry
    differences: list[str]
    nights: list[Count]
    surveys: list[SurveyCount]
    classes: list[ClassCount]
    subscribers: list[Subscriber]
    rejected: list[Rejected]
    not_classified: list[Count]
    software: list[str]


def summarise(run: RunDirectory, found: Tally) -> Summary:
    """Bring together what the ledger, the dead letter and the annotation table say.

    Raises
    ------
    LedgerError
        If the ledger can't be read.
    """
    total = Ledger.read(run.ledger).total
    rejected = read_rejected(run)
    return Summary(
        books=total,
        differences=_differences(total, found, rejected),
        nights=_nights(found),
        surveys=_surveys(found),
        classes=[ClassCount(name, n, n / found.alerts, class_id) for (class_id, name), n in _frequent(found.classes)],
        subscribers=_subscribers(total, run),
        rejected=rejected,
        not_classified=_shares(total.not_classified),
        software=sorted(found.software),
    )


def _differences(total: Entry, found: Tally, rejected: Iterable[Rejected]) -> list[str]:
    accounted = total.annotated + total.duplicates + total.dead_lettered
    dead = sum(each.packets for each in rejected)
    checks = [
        (total.received == accounted, f"{total.received:,} alerts were received but {accounted:,} are accounted for"),
        (
            total.annotated == found.alerts,
            f"the ledger has {total.annotated:,} annotated alerts, the annotation table {found.alerts:,}",
        ),
        (
            total.dead_lettered == dead,
            f"the ledger has {total.dead_lettered:,} dead-lettered packets, the dead letter {dead:,}",
        ),
    ]
    return [message for agrees, message in checks if not agrees]


def _nights(found: Tally) -> list[Count]:
    nights: Counter[str] = Counter()
    for (night, _, _), n in found.groups.items():
        nights[night] += n
    most = max(nights.values(), default=1)
    return [Count(night, nights[night], nights[night] / most) for night in sorted(nights, reverse=True)]


def _surveys(found: Tally) -> list[SurveyCount]:
    made = []
    for survey, version in sorted({(survey, version) for _, survey, version in found.groups}):
        nights = {night: n for (night, s, v), n in found.groups.items() if (s, v) == (survey, version)}
        made.append(SurveyCount(survey, version, sum(nights.values()), len(nights), min(nights), max(nights)))
    return made


def _subscribers(total: Entry, run: RunDirectory) -> list[Subscriber]:
    folders = {path.name for path in run.subscribers.glob("*") if path.is_dir()}
    names = sorted({*folders, *total.filters})
    return [Subscriber(name, total.deliveries.get(name, 0), total.held_back(name)) for name in names]


def _frequent(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """The most frequent first, by name among equals."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _shares(counts: Counter[str]) -> list[Count]:
    whole = counts.total()
    return [Count(name, n, n / whole) for name, n in _frequent(counts)]
