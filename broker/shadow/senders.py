"""What each filter would have sent with the shadow in place of the first bundle.

The filters are evaluated on the annotations as they are, and on the same with the shadow's answers in them; limits are
applied to both, in the order of time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from broker.annotate import schema_for, verdict
from broker.backtest.alerts import KEYS
from broker.backtest.backtest import backtest
from broker.backtest.difference import Change, difference
from broker.backtest.passed import Passed, Read
from broker.backtest.table_alerts import TableAlerts
from broker.commit import order_of
from broker.compare.answers import KEY
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate
from broker.filters.needed import columns_needed
from broker.filters.read import FilterRead, read_file
from broker.shadow.probabilities import IDS, by_class
from broker.shadow.stored import StoredShadow
from broker.tables.dataset import Annotations
from classifiers.manifest import Manifest
from classifiers.predict import Prediction
from classifiers.taxonomy import NOT_CLASSIFIED, TAXONOMY, ClassNode

REASON = "notClassifiedReason"
SIDES = ("first", "second")


@dataclass(frozen=True)
class Sender:
    """What a filter would have sent.

    Parameters
    ----------
    name : of the filter.
    change : what it sends with the shadow only (gained), with the first bundle only (lost), and with both.
    """

    name: str
    change: Change


@dataclass(frozen=True)
class Senders:
    """What the filters would have sent.

    Parameters
    ----------
    alerts : that both bundles answered on, and that are in the annotation table.
    filters : those that could be tried, by name.
    refused : filters that could not be used any more with the shadow as the run's bundle, and why.
    untried : filters that the annotation table lacks a column for, and which.
    """

    alerts: int = 0
    filters: tuple[Sender, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    untried: dict[str, str] = field(default_factory=dict)


def senders(
    table: Annotations, stored: StoredShadow, files: Sequence[Path], first: Manifest, second: Manifest
) -> Senders:
    """Try filters with both bundles; memory grows with the largest night, and with the alerts that pass one.

    Parameters
    ----------
    table : the run's annotation table.
    stored : what the shadow said.
    files : a filter each; those that are wrong today are left out.
    first, second : the manifests of the two bundles.
    """
    today = {file: read.filter for file in files if (read := read_file(file, schema_for(first, explained=True))).filter}
    later = {file: read_file(file, schema_for(second, explained=True)) for file in today}
    refused = {each.name: _why(later[file]) for file, each in today.items() if each and not later[file].filter}
    wanted = [each for each in today.values() if each and each.name not in refused]
    untried = {each.name: missing for each in wanted if (missing := _missing(each, table.dataset.schema))}
    tried = [each for each in wanted if each.name not in untried]
    pieces = list(_pieces(table, stored, tried, second.class_nodes)) if tried else []
    if not pieces:
        return Senders(0, (), refused, untried)
    passed = _passed(pieces, tried)
    return Senders(passed.read.alerts, tuple(_sender(each, passed) for each in tried), refused, untried)


def _why(read: FilterRead) -> str:
    return next((finding.message for finding in read.findings if not finding.warning), "")


def _missing(wanted: Filter, schema: pa.Schema) -> str:
    return next((name for name in sorted(columns_needed(wanted)) if name not in (*schema.names, "night")), "")


@dataclass(frozen=True)
class _Piece:
    """Alerts that both bundles answered on: who they are, and which filters they pass with each."""

    alerts: int
    nights: Counter[int]
    rows: pa.Table
    matches: pa.Table


def _pieces(
    table: Annotations, stored: StoredShadow, filters: Sequence[Filter], classes: tuple[ClassNode, ...]
) -> Iterator[_Piece]:
    columns = list(dict.fromkeys([*KEYS, REASON, *(name for each in filters for name in sorted(columns_needed(each)))]))
    fragments = table.fragments_by_night()
    for night, files in stored.files().items():
        rows = stored.read(night, files)
        known = rows.filter(pc.is_null(rows["failure"]))
        for annotated in _annotations(table, fragments.get(night, []), columns):
            ours, theirs = _joined(annotated, known)
            yield _piece(ours, with_answers(ours, theirs, classes), filters)


def _annotations(table: Annotations, fragments: Sequence[ds.Fragment], columns: list[str]) -> Iterator[pa.Table]:
    """The rows of a night's files, a piece at a time."""
    if fragments:
        found = table.dataset
        night = ds.FileSystemDataset(list(fragments), found.schema, fragments[0].format, fragments[0].filesystem)
        for piece in TableAlerts.of(table.name, night).pieces(columns):
            yield piece.rows


def _joined(annotated: pa.Table, known: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The annotations that the shadow answered on, and its answers in the same order."""
    left, right = (pl.DataFrame(pl.from_arrow(rows.select(KEY))).with_row_index() for rows in (annotated, known))
    pairs = left.join(right.unique(KEY, keep="first"), on=KEY, how="inner").sort("index")
    ours, theirs = (pa.array(pairs[name].to_numpy()) for name in ("index", "index_right"))
    return annotated.take(ours), known.take(theirs)


def with_answers(annotated: pa.Table, answers: pa.Table, classes: tuple[ClassNode, ...]) -> pa.Table:
    """Annotations with the shadow's verdict in place of the first bundle's; what only that one tells apart is null.

    Parameters
    ----------
    annotated : annotation columns, `notClassifiedReason` among them.
    answers : columns of `broker.shadow.rows.COMPARED`, a row for each of these, without failures.
    classes : the shadow's, in the order of its probabilities.
    """
    made = verdict(_prediction(annotated, answers, classes), classes)
    gone = {node.column for node in TAXONOMY} - set(made)
    columns = [
        pa.nulls(annotated.num_rows, field.type) if field.name in gone else made.get(field.name, annotated[field.name])
        for field in annotated.schema
    ]
    return pa.table(columns, names=annotated.column_names)


def _prediction(annotated: pa.Table, answers: pa.Table, classes: tuple[ClassNode, ...]) -> Prediction:
    places = np.searchsorted(IDS, [node.id for node in classes])
    probabilities = by_class(answers["shadowClassifications"])[:, places]
    probabilities[np.asarray(answers["shadowClassId"]) == NOT_CLASSIFIED] = np.nan
    novelty = np.asarray(pc.fill_null(answers["shadowNovelty"], np.nan))
    reasons = np.array(annotated[REASON].to_pylist(), dtype=object)
    return Prediction(probabilities, novelty, reasons)


def _piece(ours: pa.Table, theirs: pa.Table, filters: Sequence[Filter]) -> _Piece:
    """Only the alerts that a filter takes, with either bundle, are kept."""
    answers: dict[str, pa.ChunkedArray] = {}
    for side, rows in zip(SIDES, (ours, theirs), strict=True):
        matches = evaluate(filters, rows).table
        answers |= {_named(side, each.name): matches[each.name] for each in filters}
    matches = pa.table(answers)
    passing = np.zeros(ours.num_rows, dtype=np.bool_)
    for column in matches.columns:
        passing |= column.to_numpy()
    rows = pa.array(np.flatnonzero(passing))
    nights = Counter(ours["night"].to_pylist())
    return _Piece(ours.num_rows, nights, ours.select(KEYS).take(rows), matches.take(rows))


def _named(side: str, name: str) -> str:
    return f"{side}:{name}"


def _passed(pieces: Sequence[_Piece], filters: Sequence[Filter]) -> Passed:
    rows = pa.concat_tables([piece.rows for piece in pieces], promote_options="permissive")
    matches = pa.concat_tables([piece.matches for piece in pieces])
    order = order_of(rows)
    read = Read(sum(piece.alerts for piece in pieces), nights=sum((piece.nights for piece in pieces), Counter()))
    names = [_named(side, each.name) for side in SIDES for each in filters]
    return Passed(rows.take(order).combine_chunks(), matches.take(order).combine_chunks().select(names), read)


def _sender(wanted: Filter, passed: Passed) -> Sender:
    old, new = (backtest(replace(wanted, name=_named(side, wanted.name)), passed) for side in SIDES)
    return Sender(wanted.name, difference(old, new, passed).total)
