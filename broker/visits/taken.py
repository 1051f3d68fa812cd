"""What the books say of each visit: when its alerts were taken in, and how many had come before."""

from collections.abc import Iterable

import polars as pl

from broker.books.ledger import Page

TAKEN = {
    "survey": pl.String, "visit": pl.Int64, "counted": pl.Int64, "duplicates": pl.Int64, "timed": pl.Int64,
    "firstTaken": pl.Int64, "lastTaken": pl.Int64, "takenSum": pl.Int64,
}  # fmt: skip
"""A row a visit: alerts annotated, and duplicates, as the books count them. Of the annotated ones whose time is known:
how many, when the first and the last was taken in [ms since 1970, UTC], the sum of these times since `EPOCH`."""

EPOCH = 1_600_000_000_000
"""Times are added up since then [ms since 1970, UTC], so that the sum of many fits 64 bits."""


def taken_in(pages: Iterable[Page]) -> pl.DataFrame:
    """Add up pages of the books, by visit, in the columns of `TAKEN`."""
    found: dict[tuple[str, int], list[int | None]] = {}
    for page in pages:
        for count in page.visits:
            sums = found.setdefault((count.survey, count.visit), [0, 0, 0, None, None, 0])
            _add(sums, count.annotated, count.duplicates, page.taken)
    rows = [(*key, *sums) for key, sums in sorted(found.items())]
    return pl.DataFrame(rows, schema=TAKEN, orient="row")


def _add(sums: list[int | None], annotated: int, duplicates: int, taken: int | None) -> None:
    counted, repeated, timed, first, last, total = sums
    sums[:2] = (counted or 0) + annotated, (repeated or 0) + duplicates
    if annotated and taken is not None:
        sums[2] = (timed or 0) + annotated
        sums[3] = taken if first is None else min(first, taken)
        sums[4] = taken if last is None else max(last, taken)
        sums[5] = (total or 0) + annotated * (taken - EPOCH)
