"""A backtest tells what the stream sends: on every alert, with every condition and every limit."""

import re
import tempfile
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker._derive import night_of
from broker.annotate import schema_for
from broker.backtest.backtest import backtest
from broker.backtest.passed import Passed, find_passing
from broker.backtest.places import alerts_of
from broker.commit import order_of
from broker.filters.definition import Filter
from broker.filters.evaluate import evaluate, matched_names
from broker.filters.limits import Limits
from broker.pipeline import Outcome, process
from broker.tables._file import write_file
from schemas.annotation import CLASSIFIER, PROVENANCE
from schemas.packets import REJECTS, packets

SPEC = spec_from_file_location("random_conditions", Path(__file__).parents[1] / "test_filters_evaluate.py")
assert SPEC
assert SPEC.loader
random_conditions = module_from_spec(SPEC)
SPEC.loader.exec_module(random_conditions)
make, conditions, rows_of = random_conditions.make, random_conditions.conditions, random_conditions.rows_of

MATCHED = next(field for field in PROVENANCE if field.name == "matchedFilters")
SCHEMA = pa.schema(
    [
        pa.field("survey", pa.utf8()),
        pa.field("schemaVersion", pa.utf8()),
        pa.field("alertId", pa.int64()),
        pa.field("diaSourceId", pa.int64()),
        pa.field("objectId", pa.utf8()),
        pa.field("mjdTai", pa.float64()),
        pa.field("night", pa.int32()),
        pa.field("origin", pa.utf8()),
        pa.field("classId", pa.int32()),
        pa.field("className", pa.utf8()),
        pa.field("notClassifiedReason", pa.utf8()),
        pa.field("classifier", CLASSIFIER),
        *random_conditions.RANDOM,
    ]
)

BUNDLE = {"name": "first", "version": "1", "bundleSha256": "ab" * 32}

who = st.fixed_dictionaries(
    {
        "survey": st.sampled_from(["lsst", "ztf"]),
        "schemaVersion": st.just("1"),
        "alertId": st.integers(1, 12),
        "diaSourceId": st.just(2**53 + 1),
        "objectId": st.sampled_from(["A", "B", None]),
        "mjdTai": st.integers(0, 12).map(lambda k: 61000.0 + k / 4),
        "classId": st.just(111),
        "className": st.just("SN Ia"),
        "notClassifiedReason": st.none(),
    }
)
alerts = st.lists(st.tuples(who, rows_of.map(lambda rows: rows[0])), min_size=1, max_size=20)
limits = st.builds(
    Limits, st.none() | st.integers(1, 3), st.none() | st.integers(1, 3), st.none() | st.sampled_from([0.25, 0.6, 2.0])
)


def table_of(rows: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> pa.Table:
    """Alerts in the order of time, as columns."""
    times = pa.array([alert["mjdTai"] for alert, _ in rows])
    nights = night_of(times.to_numpy()).tolist()
    plain = [
        {**alert, **values, "night": night, "origin": f"packet {k}", "classifier": BUNDLE}
        for k, ((alert, values), night) in enumerate(zip(rows, nights, strict=True))
    ]
    table = pa.Table.from_pylist(plain, schema=SCHEMA)
    return table.take(order_of(table))


def outcome_of(table: pa.Table, filters: Sequence[Filter]) -> Outcome:
    """What `process` makes of such alerts."""
    names = matched_names(evaluate(filters, table)).cast(MATCHED.type)
    return Outcome(table.append_column(MATCHED, names), REJECTS.empty_table(), table.num_rows)


def keys_of(passed: Passed, rows: Any) -> set[tuple[str, int, int]]:
    picked = passed.rows.select(["survey", "alertId", "diaSourceId"]).take(pa.array(rows, pa.int64()))
    return {tuple(row.values()) for row in picked.to_pylist()}  # type: ignore[misc]  # three values each


def try_on(path: Path, filters: Sequence[Filter]) -> tuple[Passed, dict[str, Any]]:
    passed = find_passing(alerts_of([str(path)], pytest.fail), filters)
    return passed, {each.name: backtest(each, passed) for each in filters}


@settings(max_examples=60)
@given(st.lists(st.tuples(conditions, limits), min_size=1, max_size=3), alerts, st.data())
def test_of_random_conditions_it_tells_what_a_run_delivers(commit_all, deliveries, asked, rows, data):
    filters = tuple(make(text, SCHEMA, f"f{k}", limits=limits_of) for k, (text, limits_of) in enumerate(asked))
    table = table_of(rows)
    cuts = sorted({0, table.num_rows, *data.draw(st.lists(st.integers(0, table.num_rows), max_size=3))})
    batches = [table.slice(start, end - start) for start, end in pairwise(cuts)]
    with tempfile.TemporaryDirectory() as name:
        committer = commit_all(Path(name) / "run", [outcome_of(batch, filters) for batch in batches], filters)
        sent, total = deliveries(committer), committer.ledger.total
        write_file(table, Path(name) / "raw.parquet")
        for place in ("run", "raw.parquet"):
            passed, tests = try_on(Path(name) / place, filters)
            assert passed.read.alerts == total.annotated
            assert passed.read.duplicates == (total.duplicates if place != "run" else 0)
            assert {each: keys_of(passed, test.sent.rows) for each, test in tests.items()} == sent
            assert {each: test.sent.cut for each, test in tests.items() if test.sent.cut} == total.cut
            stored = [row for names in committer.table.rows(["matchedFilters"]) for row in names.to_pylist()]
            matched = [name for row in stored for name in row["matchedFilters"]]
            assert {each: test.matched for each, test in tests.items()} == {f: matched.count(f) for f in tests}


REAL = {
    "b": "isDipole", "c": "isNegative", "i": "alertId", "j": "nDetections", "x": "hostPhotoz", "y": "snr", "t": "band",
    "u": "objectId",
}  # fmt: skip


@pytest.fixture(scope="module")
def few(sample_packets, tmp_path_factory):
    """A folder of real packets, small ones, of both surveys."""
    folder = tmp_path_factory.mktemp("few")
    chosen = sorted(sample_packets, key=lambda pair: len(pair[1]))[:8]
    for k, (_, payload) in enumerate(chosen):
        (folder / f"{k}.avro").write_bytes(payload)
    return folder


@settings(max_examples=15)
@given(st.lists(conditions, min_size=1, max_size=4))
def test_of_packets_it_tells_what_the_pure_function_matches(few, registry, bundle, texts):
    schema = schema_for(bundle.manifest)
    real = [re.sub(r"\b[bcijxytu]\b", lambda found: REAL[found[0]], text) for text in texts]
    filters = [make(text, schema, f"f{k}") for k, text in enumerate(real)]
    given = packets([(path.name, path.read_bytes()) for path in sorted(few.iterdir())])
    outcome = process(given, registry, bundle, filters)
    passed = find_passing(alerts_of([str(few)], lambda: bundle), filters)
    rows = outcome.annotations.select(["survey", "alertId", "diaSourceId", "matchedFilters"]).to_pylist()
    for each in filters:
        matched = {tuple(row.values())[:3] for row in rows if each.name in row["matchedFilters"]}
        assert keys_of(passed, passed.of(each.name)) == matched


def test_of_real_packets_all_ways_tell_the_same(
    commit_all, deliveries, filters, sample_packets, registry, bundle, tmp_path, data_dir
):
    """Packets, Parquet and Delta; the filters of examples/ with tight limits, and one that everything passes."""
    tight = tuple(
        Filter(f"{each.name}-{k}", each.owner, each.condition, each.term, regions=each.regions, limits=limits)
        for each in filters
        for k, limits in enumerate([Limits(), Limits(per_night=3), Limits(per_object=1, cooldown_days=0.1)])
    )
    in_time = process(packets(sample_packets), registry, bundle, tight)
    told = []
    for place, delta in (("parquet", False), ("delta", True)):
        committer = commit_all(tmp_path / place, [in_time], tight, delta=delta)
        sent = deliveries(committer)
        assert sent["everything-classified-1"] < sent["everything-classified-0"]
        passed, tests = try_on(tmp_path / place, tight)
        told.append({each: keys_of(passed, test.sent.rows) for each, test in tests.items()})
        assert told[-1] == sent
    passed = find_passing(alerts_of([str(data_dir / "packets")], lambda: bundle), tight)
    told.append({each.name: keys_of(passed, backtest(each, passed).sent.rows) for each in tight})
    assert told[0] == told[1] == told[2]
