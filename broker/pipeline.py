"""THE pure function: packets -> annotations with the filters they pass, and rejects.

The stream, the archive, a notebook, a filter's backtest and the tests all call `process`. It reads no clock and no
network, keeps nothing between calls, and a row of its answer depends on that row's packet alone. Who wants to know how
long its steps take measures them from outside (`measure`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import pyarrow as pa

from broker.annotate import annotate, schema_for
from broker.explanation.column import explain_column
from broker.filters.definition import Filter
from broker.filters.evaluate import Matches, evaluate, matched_names
from broker.stored_alerts import alerts_of, origins_of
from classifiers.bundle import Bundle
from classifiers.predict import Prediction, predict
from features.extract import extract
from schemas.alerts import AlertBatch
from schemas.decode import Decoded, decode
from schemas.packets import REJECTS, rejects
from schemas.registry import Registry

Result = TypeVar("Result")

Measure = Callable[[str], AbstractContextManager[None]]
"""Given a step's name (decode, features, classify, explain, annotate, filters), gives what lasts while it is done."""


def unmeasured(_step: str) -> AbstractContextManager[None]:
    """Nobody wants to know."""
    return nullcontext()


@dataclass(frozen=True)
class Outcome:
    """What became of a batch of packets.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`, in the order of the packets.
    rejects : columns of `schemas.packets.REJECTS`.
    received : number of alerts that the packets held, readable or not, counted before anything else is done.
    filter_errors : number of alerts for which a filter could not be evaluated, by filter; they don't pass it.
    """

    annotations: pa.Table
    rejects: pa.Table
    received: int
    filter_errors: Counter[str] = field(default_factory=Counter)

    def with_rejects(self, more: pa.Table) -> "Outcome":
        """The outcome with packets that could not even be read."""
        rejects = pa.concat_tables([self.rejects, more])
        return replace(self, rejects=rejects, received=self.received + more.num_rows)


@dataclass(frozen=True)
class _Stages:
    """The alerts that came through a stage, and the rejects so far."""

    alerts: AlertBatch
    origins: pa.Array
    features: pa.Table
    prediction: Prediction
    explanation: pa.Array | None


def process(
    packets: pa.Table,
    registry: Registry,
    bundle: Bundle,
    filters: Sequence[Filter] = (),
    measure: Measure = unmeasured,
    explain: int = 0,
) -> Outcome:
    """Decode, compute features, classify, annotate and match against every filter.

    Parameters
    ----------
    packets : columns of `schemas.packets.PACKETS`.
    registry : finds the writer schema of a packet.
    bundle : the classifiers.
    filters : the subscribers' filters.
    measure : is told of each step; no part of the answer.
    explain : how many features each annotation says why by; without the column that says it if 0.
    """
    with measure("decode"):
        decoded = decode(packets, registry)
    return _annotated(decoded, packets["payload"], filters, _Scoring(bundle, measure, explain))


def rescore(
    annotations: pa.Table,
    bundle: Bundle,
    filters: Sequence[Filter] = (),
    measure: Measure = unmeasured,
    explain: int = 0,
) -> Outcome:
    """The same from the alerts that an annotation table keeps, light curves and all, in place of packets.

    With the bundle that made the annotations they come out as they are, but for the filters that they match.

    Parameters
    ----------
    annotations : as `broker.stored_alerts.alerts_of` takes them.
    bundle, filters, measure, explain : as for `process`.
    """
    rows = np.arange(annotations.num_rows)
    decoded = Decoded(alerts_of(annotations), origins_of(annotations), REJECTS.empty_table(), rows)
    nothing = pa.chunked_array([pa.repeat(pa.scalar(b"", pa.large_binary()), len(rows))])
    return _annotated(decoded, nothing, filters, _Scoring(bundle, measure, explain))


@dataclass(frozen=True)
class _Scoring:
    """How alerts are scored."""

    bundle: Bundle
    measure: Measure
    explain: int


def _annotated(decoded: Decoded, payloads: pa.ChunkedArray, filters: Sequence[Filter], how: _Scoring) -> Outcome:
    received, bundle = len(decoded.alerts) + decoded.rejects.num_rows, how.bundle
    scored, failed = _score(decoded, payloads, how)
    with how.measure("annotate"):
        annotations = [annotate(s.alerts, s.origins, s.features, s.prediction, bundle, s.explanation) for s in scored]
        schema = schema_for(bundle.manifest, explained=how.explain > 0)
        table = pa.concat_tables(annotations) if annotations else schema.empty_table()
    with how.measure("filters"):
        matches = evaluate(filters, table)
        matched = _with_matches(table, matches)
    errors = Counter(dict.fromkeys(matches.errors, table.num_rows))
    return Outcome(matched, pa.concat_tables([decoded.rejects, failed]), received, errors)


def _with_matches(table: pa.Table, matches: Matches) -> pa.Table:
    if not matches.table.num_columns:
        return table
    index = table.schema.get_field_index("matchedFilters")
    column = table.schema.field(index)
    return table.set_column(index, column, matched_names(matches).cast(column.type))


def _score(decoded: Decoded, payloads: pa.ChunkedArray, how: _Scoring) -> tuple[list[_Stages], pa.Table]:
    """Features and probabilities of the whole batch; alert by alert where the batch fails, to find the culprit."""
    alerts, origins = decoded.alerts, decoded.origins
    if not len(alerts):
        return [], REJECTS.empty_table()
    try:
        return [_score_batch(alerts, origins, how)], REJECTS.empty_table()
    except _StageError:
        return _score_one_by_one(decoded, payloads, how)


def _score_batch(alerts: AlertBatch, origins: pa.Array, how: _Scoring) -> _Stages:
    bundle, explanation = how.bundle, None
    with how.measure("features"):
        features = _guard("features", lambda: extract(alerts, bundle.feature_names))
    with how.measure("classify"):
        prediction = _guard("classify", lambda: predict(alerts, features, bundle))
    if how.explain:
        with how.measure("explain"):
            explanation = _guard("classify", lambda: explain_column(features, prediction, bundle, how.explain))
    return _Stages(alerts, origins, features, prediction, explanation)


def _score_one_by_one(decoded: Decoded, payloads: pa.ChunkedArray, how: _Scoring) -> tuple[list[_Stages], pa.Table]:
    scored, failed = [], []
    for k in range(len(decoded.alerts)):
        alert, origin = AlertBatch(decoded.alerts.table.slice(k, 1)), decoded.origins.slice(k, 1)
        try:
            scored.append(_score_batch(alert, origin, how))
        except _StageError as error:
            payload = payloads[int(decoded.rows[k])].as_py()
            failed.append(_reject(alert, origin[0].as_py(), error, payload))
    return scored, rejects(failed)


def _reject(alert: AlertBatch, origin: str, error: "_StageError", payload: bytes) -> tuple[str, str, str, bytes]:
    """The packet that held the alert, with the reason why it could not be annotated."""
    row = alert.to_rows()[0]
    reason = f"{error} (survey {row['survey']}, alert {row['alert_id']})"
    return origin, error.stage, reason, payload


class _StageError(Exception):
    """A stage failed on some alert of the batch."""

    def __init__(self, stage: str, error: BaseException) -> None:
        super().__init__(f"{stage} failed with {type(error).__name__}: {error}")
        self.stage = stage


def _guard(stage: str, compute: Callable[[], Result]) -> Result:
    """Run one stage; whatever it raises concerns an alert, and a native library's panic is no `Exception`."""
    try:
        return compute()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise _StageError(stage, error) from error
