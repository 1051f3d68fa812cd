"""The comparison of a run's two bundles as plain data: what `--json` prints, and terminal and page show."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from broker.compare.changes import STEPS
from broker.shadow.agreement import DAYS, DETECTIONS, Agreement, Group
from broker.shadow.probabilities import IDS, Floats, distances
from broker.shadow.report import Report
from broker.shadow.senders import Senders
from classifiers.manifest import Manifest
from classifiers.taxonomy import BY_ID


def facts(found: Report) -> dict[str, Any]:
    """The comparison by camelCase key; ids are text, since JSON readers round 64-bit integers."""
    agreement = found.agreement
    return {
        "run": str(found.run.path),
        "first": _bundle(found.first, found.pair.first),
        "shadow": _bundle(found.second, found.pair.second),
        **_group(agreement.total),
        "failures": sum(agreement.failures.values()),
        "failureReasons": agreement.reasons,
        "secondsPerAlert": agreement.seconds / agreement.timed if agreement.timed else None,
        "classes": _classes(agreement),
        "moves": [
            {"first": BY_ID[one].name, "shadow": BY_ID[other].name, "alerts": n}
            for (one, other), n in sorted(agreement.moves.items(), key=lambda move: (-move[1], move[0]))
        ],
        "distances": _distances(agreement),
        "detections": _spans(agreement.detections, DETECTIONS),
        "days": [
            *_spans(agreement.days[:-1], DAYS), {"from": None, "to": None, **_group(agreement.days[-1])},
        ],
        "novelty": _novelty(agreement),
        "nights": [
            {"night": night, **_group(each.both), "failures": each.failures, **drift}
            for (night, each), drift in zip(sorted(agreement.nights.items()), _drifts(agreement), strict=True)
        ],
        "filters": _filters(found.senders),
        "mostDifferent": [_alert(each) for each in agreement.most],
    }  # fmt: skip


def _bundle(manifest: Manifest | None, sha256: str) -> dict[str, Any]:
    known = {"name": manifest.name, "version": manifest.version} if manifest else {"name": None, "version": None}
    return {**known, "sha256": sha256}


def _group(group: Group) -> dict[str, Any]:
    return {
        "alerts": group.alerts,
        "same": group.same,
        "agreement": group.agreement,
        "meanDistance": group.mean_distance,
    }


def _classes(agreement: Agreement) -> list[dict[str, Any]]:
    """Every class that has a probability or was the best of some alert, by classId."""
    means = {class_id: pair for class_id, *pair in agreement.means()}
    rows = []
    for class_id in sorted({*means, *(class_id for move in agreement.moves for class_id in move)}):
        first = sum(n for (one, _), n in agreement.moves.items() if one == class_id)
        second = sum(n for (_, other), n in agreement.moves.items() if other == class_id)
        group, (mean_first, mean_second) = agreement.classes.get(class_id, Group()), means.get(class_id, (0.0, 0.0))
        rows.append(
            {
                "classId": class_id,
                "name": BY_ID[class_id].name,
                "first": first,
                "shadow": second,
                "same": group.same,
                "agreement": group.agreement,
                "meanDistance": group.mean_distance,
                "meanProbabilityFirst": mean_first,
                "meanProbabilityShadow": mean_second,
            }
        )
    return rows


def _distances(agreement: Agreement) -> list[dict[str, Any]]:
    return [
        {"above": low, "upTo": high, "alerts": int(n)}
        for low, high, n in zip([None, *STEPS[:-1]], STEPS, agreement.distances, strict=True)
    ]


def _spans(groups: Sequence[Group], edges: Sequence[float]) -> list[dict[str, Any]]:
    """Groups between edges: from the one up to, but without, the next."""
    limits = zip([0, *edges], [*edges, None], groups, strict=True)
    return [{"from": low, "to": high, **_group(group)} for low, high, group in limits]


def _novelty(agreement: Agreement) -> dict[str, Any]:
    n = agreement.novelty_known
    (first, first_above), (second, second_above) = agreement.novelty.tolist()
    return {
        "alerts": n,
        "meanFirst": first / n if n else None,
        "meanShadow": second / n if n else None,
        "above1First": int(first_above),
        "above1Shadow": int(second_above),
    }


def _drifts(agreement: Agreement) -> Iterator[dict[str, float | None]]:
    """How far each night's mean probabilities lie from those of all nights, for either bundle."""
    nights = [each for _, each in sorted(agreement.nights.items())]
    whole = [sum((getattr(each, side) for each in nights), np.zeros(len(IDS))) for side in ("first", "second")]
    for each in nights:
        pairs = zip(("driftFirst", "driftShadow"), (each.first, each.second), whole, strict=True)
        yield {name: _apart(night, total) if each.both.alerts else None for name, night, total in pairs}


def _apart(one: Floats, other: Floats) -> float:
    return float(distances(one[None, :] / one.sum(), other[None, :] / other.sum())[0])


def _filters(found: Senders | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "alerts": found.alerts,
        "sent": [
            {
                "filter": each.name,
                "first": each.change.same.alerts + each.change.lost.alerts,
                "shadow": each.change.same.alerts + each.change.gained.alerts,
                **{what: count.alerts for what, count in each.change._asdict().items()},
                **{f"{what}Objects": count.objects for what, count in each.change._asdict().items()},
            }
            for each in found.filters
        ],
        "refused": found.refused,
        "untried": found.untried,
    }


def _alert(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "alertId": str(row["alertId"]), "diaSourceId": str(row["diaSourceId"])}
