"""A comparison as plain data: what `boreal diff --json` prints, and what the terminal and the page show."""

from typing import Any

from broker.compare.answers import NAMES, Answers
from broker.compare.changes import STEPS, Changes, Spread
from broker.compare.comparison import Comparison, books_of
from broker.compare.most_changed import ChangedAlert
from classifiers.taxonomy import BY_ID


def facts(found: Comparison, most: list[ChangedAlert]) -> dict[str, Any]:
    """The comparison by camelCase key; ids are text, since JSON readers round 64-bit integers.

    Raises
    ------
    LedgerError
        If a run's ledger can't be read.
    """
    changes, names = found.changes, found.class_names
    return {
        "old": _run(found.old),
        "new": _run(found.new),
        "onlyOld": found.unmatched.old,
        "onlyNew": found.unmatched.new,
        "movedNight": found.unmatched.moved,
        "both": changes.both,
        "classChanged": changes.class_changed,
        "scoreChanged": changes.score_changed,
        "same": changes.both - changes.class_changed - changes.score_changed,
        "tolerance": changes.tolerance,
        "classes": _classes(changes, names),
        "migration": [
            {"old": names[old], "new": names[new], "alerts": n}
            for (old, new), n in sorted(changes.migration.items(), key=lambda move: (-move[1], move[0]))
        ],
        "distances": _distances(changes),
        "novelty": {**_spread(changes.novelty), **{key: changes.novelty_known[key] for key in ("gained", "lost")}},
        "filters": {column: _filters(changes, column) for column in NAMES},
        "nights": {str(night): {"both": n, "classChanged": m} for night, (n, m) in sorted(changes.nights.items())},
        "mostChanged": [_alert(each) for each in most],
    }


def _run(run: Answers) -> dict[str, Any]:
    books = books_of(run.annotations)
    keys = ("broker", "brokerVersion", "featuresSha256", "model", "modelVersion", "bundleSha256")
    return {
        "name": run.annotations.name,
        "alerts": run.rows,
        "repeated": run.repeated,
        "software": [
            {**dict(zip(keys, each, strict=True)), "files": files} for each, files in sorted(run.software.items())
        ],
        "books": None
        if books is None
        else {
            "received": books.received,
            "annotated": books.annotated,
            "duplicates": books.duplicates,
            "deadLettered": books.dead_lettered,
            "filters": books.filters,
        },
    }


def _classes(changes: Changes, names: dict[int, str]) -> list[dict[str, Any]]:
    """Every class that has a probability, or was the best of some alert, by classId."""
    rows = []
    for class_id in sorted({*changes.classes, *names}):
        moves = changes.migration
        same = moves[class_id, class_id]
        old = sum(n for (before, _), n in moves.items() if before == class_id)
        new = sum(n for (_, after), n in moves.items() if after == class_id)
        rows.append(
            {
                "classId": class_id,
                "name": names.get(class_id) or BY_ID[class_id].name,
                "old": old,
                "new": new,
                "same": same,
                "gained": new - same,
                "lost": old - same,
                "probability": _spread(changes.by_class.get(class_id, Spread())),
            }
        )
    return rows


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "alerts": spread.n,
        "meanDifference": spread.mean,
        "meanAbsoluteDifference": spread.mean_absolute,
        "largestDifference": spread.largest if spread.n else None,
    }


def _distances(changes: Changes) -> list[dict[str, Any]]:
    lower = [None, *STEPS[:-1]]
    return [
        {"above": low, "upTo": high, "alerts": int(n)}
        for low, high, n in zip(lower, STEPS, changes.distances, strict=True)
    ]


def _filters(changes: Changes, column: str) -> list[dict[str, Any]]:
    return [
        {"filter": name, "same": change.same, "gained": change.gained, "lost": change.lost}
        for name, change in sorted(changes.filters.get(column, {}).items())
    ]


def _alert(each: ChangedAlert) -> dict[str, Any]:
    old, new = each.old, each.new
    return {
        "survey": new["survey"],
        "alertId": str(new["alertId"]),
        "diaSourceId": str(new["diaSourceId"]),
        "objectId": new["objectId"],
        "night": int(each.night),
        "distance": each.distance,
        **{f"old{key[0].upper()}{key[1:]}": old[key] for key in ("className", "probability", "novelty")},
        **{f"new{key[0].upper()}{key[1:]}": new[key] for key in ("className", "probability", "novelty")},
        "origin": new["origin"],
    }
