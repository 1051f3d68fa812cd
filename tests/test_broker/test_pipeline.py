"""The pure function: the same bytes whatever the company, and every alert accounted for."""

import json
import random
from io import BytesIO

import fastavro
import numpy as np
import pyarrow as pa
import pytest

from broker import pipeline
from broker.annotate import schema_for
from broker.filters._program import Program
from broker.pipeline import process
from schemas.packets import packets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mixed(sample_packets):
    """All real packets of all surveys and versions, and broken ones among them."""
    broken = [("broken/empty", b""), ("broken/cut", sample_packets[0][1][:5000]), ("broken/noise", b"\x00noise" * 99)]
    whole = [*sample_packets, *broken]
    random.Random(1).shuffle(whole)
    return whole


def rows_by_origin(table):
    """Each row as the bytes of its Arrow stream, so that equal means equal to the last bit."""
    order = np.argsort(table["origin"].to_pylist())
    return {table["origin"][int(k)].as_py(): row_bytes(table, int(k)) for k in order}


def row_bytes(table, k):
    row = table.take(pa.array([k])).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, row.schema) as stream:
        stream.write_table(row)
    return bytes(sink.getvalue())


@pytest.fixture(scope="module")
def expected(mixed, registry, bundle, filters):
    outcome = process(packets(mixed), registry, bundle, filters)
    return rows_by_origin(outcome.annotations), rows_by_origin(outcome.rejects)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_changes_nothing(mixed, registry, bundle, filters, expected, seed):
    shuffled = random.Random(seed).sample(mixed, len(mixed))
    outcome = process(packets(shuffled), registry, bundle, filters)
    assert (rows_by_origin(outcome.annotations), rows_by_origin(outcome.rejects)) == expected


@pytest.mark.parametrize("size", [1, 7, 17])
def test_the_cut_into_batches_changes_nothing(mixed, registry, bundle, filters, expected, size):
    outcomes = [process(packets(mixed[k : k + size]), registry, bundle, filters) for k in range(0, len(mixed), size)]
    annotated = pa.concat_tables([outcome.annotations for outcome in outcomes])
    rejected = pa.concat_tables([outcome.rejects for outcome in outcomes])
    assert (rows_by_origin(annotated), rows_by_origin(rejected)) == expected


def test_everything_received_is_annotated_or_rejected(mixed, registry, bundle):
    outcome = process(packets(mixed), registry, bundle)
    assert outcome.received == len(mixed) == outcome.annotations.num_rows + outcome.rejects.num_rows
    assert set(outcome.rejects["origin"].to_pylist()) == {"broken/empty", "broken/cut", "broken/noise"}


def test_nothing_in_gives_nothing_out(registry, bundle, filters):
    outcome = process(packets([]), registry, bundle, filters)
    assert (outcome.received, outcome.annotations.num_rows, outcome.rejects.num_rows) == (0, 0, 0)
    assert outcome.annotations.schema == schema_for(bundle.manifest)


def test_annotations_hold_what_they_promise(mixed, registry, bundle, filters):
    table = process(packets(mixed), registry, bundle, filters).annotations
    assert table.schema == schema_for(bundle.manifest)
    for row in table.to_pylist():
        classes = row["classifications"]
        assert sum(entry["probability"] for entry in classes) == pytest.approx(1, abs=1e-9)
        assert (row["classId"], row["className"], row["probability"]) == tuple(classes[0].values())
        assert [c["probability"] for c in classes] == sorted((c["probability"] for c in classes), reverse=True)
        assert (row["classId"] == 300) == (row["notClassifiedReason"] is not None)
        assert row["classifier"]["bundleSha256"] == bundle.sha256


def test_no_number_in_an_annotation_is_nan_or_infinite(mixed, registry, bundle):
    table = process(packets(mixed), registry, bundle).annotations
    for name in table.column_names:
        if pa.types.is_floating(table.schema.field(name).type):
            known = table[name].drop_null().to_numpy()
            assert np.isfinite(known).all(), name


def test_numbers_beyond_any_measurement_get_an_honest_answer(make_packet, registry, bundle, filters):
    """A container may carry a schema of its own, with room for any number; under pytest a warning is an error."""
    name, text = "elasticc.v0_9_1.alert", json.dumps(registry.by_name("elasticc.v0_9_1.alert").json)
    wide = json.loads(text.replace('"float"', '"double"'))
    place = {"ra": 1.0, "decl": 2.0, "filterName": "r"}
    out = BytesIO()
    absurd = [(1e308, 1e-308, 1.0), (5e-324, 1.0, 1.0), (1.0, 5e-324, 1.0), (1e30, 1e-30, 1e308), (-1e30, 1e30, 1e39)]
    records = []
    for number, (flux, error, host) in enumerate(absurd):
        times = [{"midPointTai": 60000.0 + k, "psFlux": flux, "psFluxErr": error, **place} for k in range(5)]
        about = {"hostgal_zphot": host, "hostgal_zphot_err": host, "mwebv": host, "mwebv_err": host}
        made = {"alertId": number, "diaSource": times[0], "prvDiaSources": times[1:], "diaObject": about}
        records.append(make_packet.record(name, **made))
    fastavro.writer(out, wide, records)
    outcome = process(packets([("absurd", out.getvalue())]), registry, bundle, filters)
    assert outcome.rejects.num_rows == 0
    for row in outcome.annotations.to_pylist():
        assert (row["classId"] == 300) == (row["notClassifiedReason"] is not None) == (row["nPoints"] == 0)
        assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))


def test_what_a_packet_doesn_t_have_is_null(lsst_packets, registry, bundle):
    table = process(packets(lsst_packets), registry, bundle).annotations
    assert table["hostPhotoz"].null_count == table.num_rows
    assert table["milkyWayEbv"].null_count == table.num_rows


@pytest.mark.parametrize("stage", ["extract", "predict"])
def test_an_alert_that_breaks_a_stage_is_rejected_and_the_rest_goes_on(
    mixed, registry, bundle, filters, expected, monkeypatch, stage
):
    poison = process(packets(mixed), registry, bundle).annotations["alertId"][3].as_py()
    working = getattr(pipeline, stage)

    class Panic(BaseException):
        """A native library's panic is no Exception."""

    def breaks(alerts, *rest):
        if poison in alerts.table["alert_id"].to_pylist():
            raise Panic("index out of bounds")
        return working(alerts, *rest)

    monkeypatch.setattr(pipeline, stage, breaks)
    outcome = process(packets(mixed), registry, bundle, filters)
    failed = [row for row in outcome.rejects.to_pylist() if row["stage"] not in ("schema", "decode")]
    assert [row["stage"] for row in failed] == ["features" if stage == "extract" else "classify"]
    assert "failed with Panic: index out of bounds (survey" in failed[0]["reason"]
    assert f"alert {poison})" in failed[0]["reason"]
    assert failed[0]["payload"] == dict(mixed)[failed[0]["origin"]]
    assert outcome.received == len(mixed) == outcome.annotations.num_rows + outcome.rejects.num_rows
    kept = rows_by_origin(outcome.annotations)
    assert kept == {origin: row for origin, row in expected[0].items() if origin != failed[0]["origin"]}


def test_a_filter_that_can_t_be_evaluated_is_counted_and_disturbs_no_other(
    mixed, registry, bundle, filters, expected, monkeypatch
):
    run, bad = Program.run, filters[0].name

    def breaks(program, table):
        if any(answer.meta.output_name() == f"answer:{bad}" for answer in program.answers):
            raise RuntimeError("the engine's fault")
        return run(program, table)

    monkeypatch.setattr(Program, "run", breaks)
    outcome = process(packets(mixed), registry, bundle, filters)
    assert outcome.filter_errors == {bad: outcome.annotations.num_rows}
    names = [set(row) for row in outcome.annotations["matchedFilters"].to_pylist()]
    assert all(bad not in row for row in names)
    assert any(names)
    assert len(expected[0]) == outcome.annotations.num_rows
