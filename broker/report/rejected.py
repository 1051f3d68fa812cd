"""Why was anything turned away? The dead letter's reasons, those that differ only in numbers taken together."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from broker.deadletter import waiting
from broker.run_directory import RunDirectory

SPECIFIC = re.compile(r"\S*\d\S*|'[^']*'|\"[^\"]*\"")
"""What tells one packet from another in a reason: words with a digit, and what is quoted."""


@dataclass(frozen=True)
class Rejected:
    """Packets that were turned away for one reason.

    Parameters
    ----------
    stage : the step that gave up.
    reason : as written for the example.
    origin : where the example came from: the first one, by name.
    packets : how many there are.
    """

    stage: str
    reason: str
    origin: str
    packets: int


def read_rejected(run: RunDirectory) -> list[Rejected]:
    """What waits in the dead-letter, by stage and reason, the most frequent first; raw bytes aren't read."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], tuple[str, str]] = {}
    for origin, stage, reason in _rows(run):
        kind = (stage, SPECIFIC.sub("…", reason))
        counts[kind] += 1
        examples[kind] = min(examples.get(kind, (origin, reason)), (origin, reason))
    found = [Rejected(kind[0], examples[kind][1], examples[kind][0], n) for kind, n in counts.items()]
    return sorted(found, key=lambda each: (-each.packets, each.stage, each.reason))


def _rows(run: RunDirectory) -> Iterator[tuple[str, str, str]]:
    columns = ("origin", "stage", "reason")
    for letters in waiting(run, columns):
        yield from zip(*(letters[name].to_pylist() for name in columns), strict=True)
