"""What a micro-batch holds of each visit, for the books."""

import pyarrow as pa
import pyarrow.compute as pc

from broker.books.ledger import VisitCount


def visit_counts(came: pa.Table, annotated: pa.Table) -> tuple[VisitCount, ...]:
    """Count alerts by visit, by survey and number; those whose survey doesn't number visits are left out.

    Parameters
    ----------
    came : the alerts that could be read, with ``survey`` and ``visit``.
    annotated : those of them that are no duplicates.
    """
    new = _by_visit(annotated)
    return tuple(
        VisitCount(survey, visit, new.get((survey, visit), 0), n - new.get((survey, visit), 0))
        for (survey, visit), n in sorted(_by_visit(came).items())
    )


def _by_visit(alerts: pa.Table) -> dict[tuple[str, int], int]:
    if "visit" not in alerts.column_names:  # alerts that were stored by a version that didn't know visits
        return {}
    numbered = alerts.select(["survey", "visit"]).filter(pc.is_valid(alerts["visit"]))
    counts = numbered.group_by(["survey", "visit"]).aggregate([([], "count_all")])
    return {(row["survey"], row["visit"]): row["count_all"] for row in counts.to_pylist()}
