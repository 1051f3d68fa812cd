"""Why does a filter not send an alert? Its limits, its regions, or the parts of its condition that aren't true."""

from collections.abc import Iterator

import pyarrow as pa

from broker.filters.definition import Filter
from broker.filters.explain import Part, Seen, explain
from broker.filters.needed import columns_needed, columns_of

LONGEST = 60
"""Characters of a part that are shown."""

LIMITS = "its limits hold it back"


def columns_for(wanted: Filter) -> list[str]:
    """The columns that `reasons` reads."""
    saved = (columns_of(each.term) for each in wanted.values)
    return sorted(columns_needed(wanted).union(*saved))


def reasons(wanted: Filter, alert: pa.Table) -> tuple[str, ...]:
    """What keeps an alert from being sent.

    Parameters
    ----------
    wanted : the filter.
    alert : one row that it doesn't send, with the columns of `columns_for`.

    Returns
    -------
    tuple of str
        The parts joined by AND that are false or unknown, with the values that they saw; that it lies in no region; or,
        for an alert that passes, that limits hold it back.
    """
    made = explain(wanted, alert)
    if made.error:
        return (f"it can't be evaluated: {made.error}",)
    if made.passes:
        return (LIMITS,)
    failing = [_told(part) for part in _failing(made.condition)]
    if made.regions and not any(place.inside for place in made.regions):
        failing.append("it lies in none of the regions")
    return tuple(failing)


def _failing(part: Part) -> Iterator[Part]:
    if part.joins == "AND":
        for below in part.parts:
            yield from _failing(below)
    elif not part.outcome:
        yield part


def _told(part: Part) -> str:
    text = part.text if len(part.text) <= LONGEST else f"{part.text[: LONGEST - 3]}..."
    seen = ", ".join(_value(each) for each in part.seen)
    return f"`{text}` is {'unknown' if part.outcome is None else 'false'}" + (f" ({seen})" if seen else "")


def _value(seen: Seen) -> str:
    if seen.value is None:
        return f"{seen.text} unknown"
    return f"{seen.text} {seen.value:.4g}" if isinstance(seen.value, float) else f"{seen.text} {seen.value}"
