"""The alerts that are shown with all that is known of them, read a second time from where they are."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from broker.backtest.alerts import Alerts
from broker.backtest.passed import Passed
from broker.report.exemplar import COLUMNS, Curve, Exemplar

CURVE = "lightCurve"
SENT = "deliveredTo"
"""Here, the filters that would have been sent the alert."""

FACTS = [name for name in COLUMNS if name not in (CURVE, SENT)]


def read_shown(sources: Sequence[Alerts], passed: Passed, rows: Sequence[int]) -> dict[int, Exemplar]:
    """The alerts in these rows of `passed`, by row; only the pieces that hold them are read.

    Parameters
    ----------
    sources : those that `passed` was made with.
    passed : the alerts.
    rows : which of them.
    """
    found = read_rows(sources, passed, rows, [*FACTS, "night", CURVE])
    return {row: _exemplar(alert) for row, alert in found.items()}


def read_rows(
    sources: Sequence[Alerts], passed: Passed, rows: Sequence[int], columns: Sequence[str]
) -> dict[int, pa.Table]:
    """Columns of the same alerts, as far as a table has them: a table of one row for each."""
    found: dict[int, pa.Table] = {}
    for number, pieces in _places(passed, rows).items():
        source = sources[number]
        here = [name for name in columns if name in source.columns]
        for piece in source.pieces(here, pieces):
            found |= {row: piece.rows.slice(place, 1) for row, place in pieces[piece.number].items()}
    return found


def _places(passed: Passed, rows: Sequence[int]) -> dict[int, dict[int, dict[int, int]]]:
    """By source and piece: the row of the piece that each row is."""
    found: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    places = passed.rows.select(["source", "piece", "row"]).take(pa.array(rows, pa.int64()))
    for row, place in zip(rows, places.to_pylist(), strict=True):
        found[place["source"]][place["piece"]][row] = place["row"]
    return found


def _exemplar(row: pa.Table) -> Exemplar:
    """What a table hasn't got isn't known."""
    names = [name for name in row.column_names if name != CURVE]
    known: dict[str, Any] = dict.fromkeys(FACTS) | row.select(names).to_pylist()[0]
    facts = known | {"classifications": known["classifications"] or [], SENT: []}
    points = row[CURVE].combine_chunks().flatten() if CURVE in row.column_names else pa.array([], pa.struct([]))
    return Exemplar(facts, str(facts.pop("night")), _curve(points))


def _curve(points: pa.Array) -> Curve:
    from schemas.alerts import LIGHT_CURVE_POINT

    return Curve.from_points(points if len(points) else pa.array([], LIGHT_CURVE_POINT))
