"""Where the books end, and where the source's topics begin and end now."""

from broker.books.ledger import Span
from broker.checks.check import Outcome, failed, not_checked, ok, warning
from broker.checks.source import NO_TOPIC
from broker.checks.subject import Subject


def waiting(subject: Subject) -> Outcome:
    """What waits, and whether something was lost since the books ended."""
    bounds, positions = subject.bounds, subject.ledger.positions
    if not bounds:
        return not_checked(NO_TOPIC)
    ahead = [name for name, span in bounds.items() if name in positions and positions[name].next > span.next]
    if ahead:
        name = ahead[0]
        return failed(
            f"{len(ahead)} partitions end before the ledger does: {name} ends at {bounds[name].next:,}, and the ledger "
            f"has read it up to {positions[name].next:,}; the topic was made anew, or it is another cluster",
            "write to another directory (`to`)",
        )
    lost = {name: gap for name, span in bounds.items() if (gap := _gap(span, positions.get(name))) > 0}
    if lost:
        return _expired(lost, subject.source.on_expired == "count")
    here = {name: _waiting(subject, name, span) for name, span in bounds.items()}
    began = "from where the ledger ends" if positions else f"from the {subject.source.start} on"
    return ok(f"{sum(here.values()):,} messages wait in {len(here)} partitions, {began}")


def _gap(span: Span, position: Span | None) -> int:
    return span.first - position.next if position else 0


def _expired(lost: dict[str, int], counted: bool) -> Outcome:
    worst = max(lost, key=lambda name: lost[name])
    found = (
        f"{sum(lost.values()):,} messages are gone from {len(lost)} partitions since the ledger ends, "
        f"{lost[worst]:,} of them from {worst}"
    )
    if counted:
        return warning(found, "a run counts them as skipped; have Kafka keep messages longer")
    return failed(found, "to count them as skipped and go on: `source.on_expired: count`")


def _waiting(subject: Subject, partition: str, span: Span) -> int:
    positions = subject.ledger.positions
    if partition in positions:
        return span.next - positions[partition].next
    return 0 if subject.source.start == "latest" and not positions else span.next - span.first
