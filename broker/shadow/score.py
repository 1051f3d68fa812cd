"""What a second bundle says of alerts that the first one annotated: a pure function of their annotations.

An annotation holds the alert and its features, so nothing is decoded again, and of the features only those are computed
that the first bundle doesn't read. Whatever goes wrong is data about the shadow, never about the alert.
"""

from collections.abc import Callable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from broker.annotate import verdict
from broker.shadow.model import ShadowModel
from broker.shadow.probabilities import by_class, distances, without_names
from broker.shadow.rows import FIRST, IDENTITY, SHADOW
from broker.shadow.sample import chosen
from broker.stored_alerts import alerts_of
from classifiers.bundle import Bundle, BundleError
from classifiers.predict import NO_NUMBER, predict_some
from features.extract import extract
from schemas.alerts import AlertBatch

ANSWER = {
    "shadowClassId": "classId",
    "shadowClassName": "className",
    "shadowProbability": "probability",
    "shadowNovelty": "novelty",
    "shadowClassifications": "classifications",
}
"""The columns of the shadow's answer, and of which annotation columns they take the place."""

CALLS = 24
"""The most calls of the bundle on alerts that come together; one culprit among 1,024 is found with 21."""


def compare(annotations: pa.Table, model: ShadowModel, load: Callable[[], Bundle]) -> pa.Table:
    """Classify a share of the annotated alerts with the shadow's bundle.

    A row depends on its own annotation only, bit for bit.

    Parameters
    ----------
    annotations : columns of `broker.annotate.schema_for`; they stay as they are.
    model : the shadow.
    load : gives its bundle; one that is no longer what was checked at the start fails on every alert.

    Returns
    -------
    pyarrow.Table
        Columns of `broker.shadow.rows.SHADOW`.
    """
    rows = chosen(annotations, model.fraction)
    if not len(rows):
        return SHADOW.empty_table()
    given = annotations if len(rows) == annotations.num_rows else annotations.take(pa.array(rows))
    answer = _answered(given, model, load)
    first = without_names(given["classifications"])
    apart = distances(by_class(first), by_class(answer["shadowClassifications"]))
    columns = {
        "row": pa.array(rows),
        **{field.name: given[field.name] for field in (*IDENTITY, *FIRST) if field.name in given.column_names},
        "bundleSha256": pc.struct_field(given["classifier"], "bundleSha256"),
        "classifications": first,
        "shadowBundleSha256": pa.repeat(model.sha256, len(rows)),
        **{name: answer[name] for name in answer.column_names},
        "distance": pa.array(apart, from_pandas=True),  # NaN, where the shadow failed, as null
        "seconds": pa.nulls(len(rows), pa.float32()),
    }
    return pa.table([columns[name] for name in SHADOW.names], schema=SHADOW)


def _answered(given: pa.Table, model: ShadowModel, load: Callable[[], Bundle]) -> pa.Table:
    """Columns of `ANSWER` and the failures."""
    try:
        bundle = _expected(load(), model)
    except BaseException as error:  # noqa: BLE001  what a library raises when it loads a model is its own business
        return _failed(given, error)
    return _told_apart(given, bundle)


def _told_apart(given: pa.Table, bundle: Bundle) -> pa.Table:
    """The answers; of alerts that fail together each half is tried anew, so that a culprit takes few with it.

    So many calls are made at most: a model that always fails mustn't hold the others up.
    """
    done: dict[int, pa.Table] = {}
    waiting, calls = [(0, given.num_rows)], 0
    while waiting:
        start, length = waiting.pop()
        part, calls = given.slice(start, length), calls + 1
        try:
            done[start] = _answers(part, bundle)
        except BaseException as error:  # noqa: BLE001  a native library's panic is no `Exception`
            half = length // 2
            if half and calls + len(waiting) + 2 <= CALLS:
                waiting += [(start, half), (start + half, length - half)]
            else:
                done[start] = _failed(part, error)
    return pa.concat_tables([done[start] for start in sorted(done)])


def _answers(given: pa.Table, bundle: Bundle) -> pa.Table:
    alerts = alerts_of(given)
    prediction = predict_some(alerts, _features(given, alerts, bundle), bundle)
    made = verdict(prediction, bundle.classes)
    made["classifications"] = without_names(pa.chunked_array([made["classifications"]]))
    failed = pa.array(prediction.failed)
    answer = {name: pc.if_else(failed, None, made[of]) for name, of in ANSWER.items()}
    return _typed({**answer, "failure": pc.if_else(failed, NO_NUMBER, None)}, given.num_rows)


def _features(given: pa.Table, alerts: AlertBatch, bundle: Bundle) -> pa.Table:
    """The features that the bundle reads: from the annotations those that are there, computed the others."""
    known = frozenset(given.column_names)
    made = given.select([name for name in bundle.feature_names if name in known])
    missing = [name for name in bundle.feature_names if name not in known]
    for name, column in zip(missing, extract(alerts, missing).columns if missing else (), strict=True):
        made = made.append_column(name, column)
    return made


def _failed(given: pa.Table, error: BaseException) -> pa.Table:
    _let_through(error)
    return _typed({"failure": pa.repeat(f"{type(error).__name__}: {error}", given.num_rows)}, given.num_rows)


def _typed(columns: Mapping[str, pa.Array], n: int) -> pa.Table:
    fields = [SHADOW.field(name) for name in (*ANSWER, "failure")]
    arrays = [columns[field.name] if field.name in columns else pa.nulls(n, field.type) for field in fields]
    return pa.table(arrays, schema=pa.schema(fields))


def _expected(bundle: Bundle, model: ShadowModel) -> Bundle:
    if bundle.sha256 != model.sha256:
        raise BundleError(
            f"expected the bundle {model.sha256[:12]} at {model.path}, as at the start of the run, found "
            f"{bundle.sha256[:12]}; start again to use that"
        )
    return bundle


def _let_through(error: BaseException) -> None:
    """Raise again what isn't about the model, but about the process."""
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        raise error
