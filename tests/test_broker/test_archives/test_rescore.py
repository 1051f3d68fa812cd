"""Alerts scored again from an annotation table: with the same model the same rows, bit for bit."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from broker import pipeline
from broker.archives.annotation_tables import AnnotationTables
from broker.archives.found import Found, Input, Rules, Tally
from broker.outgoing.destinations import Content, Destination
from broker.outgoing.messages import Sources, encode
from broker.pipeline import process, rescore
from broker.stored_alerts import COLUMNS, LATER, alerts_of
from schemas.decode import decode
from schemas.packets import packets


@pytest.fixture(scope="module")
def annotated(sample_packets, registry, bundle, filters):
    return process(packets(sample_packets), registry, bundle, filters).annotations


def as_stored(table, path):
    """Through Parquet, as a run keeps it."""
    pq.write_table(table, path)
    return pq.read_table(path, columns=list(COLUMNS))


def test_the_alerts_are_those_that_were_decoded(sample_packets, registry, annotated, tmp_path):
    alerts = decode(packets(sample_packets), registry).alerts
    assert alerts_of(as_stored(annotated, tmp_path / "t.parquet")).table.equals(alerts.table)


def test_with_the_same_model_the_annotations_are_the_same_to_the_last_bit(annotated, bundle, filters, tmp_path):
    outcome = rescore(as_stored(annotated, tmp_path / "t.parquet"), bundle, filters)
    assert outcome.annotations.equals(annotated, check_metadata=True)
    assert (outcome.received, outcome.rejects.num_rows) == (annotated.num_rows, 0)
    for name in ("pSNIa", "probability", "novelty"):
        ours, theirs = (table[name].combine_chunks().buffers()[1] for table in (outcome.annotations, annotated))
        assert ours == theirs


def test_a_table_of_a_version_without_visits_is_scored_too(annotated, bundle, tmp_path):
    older = annotated.drop_columns(sorted(LATER))
    pq.write_table(older, tmp_path / "older.parquet")
    found, tally = Found(Input(0, "older", str(tmp_path / "older.parquet")), "", tmp_path, Rules()), Tally()
    (portion,) = AnnotationTables().portions(found, tally)
    stored = pa.concat_tables([each.rows for each in AnnotationTables().read(found, portion)])
    outcome = rescore(stored, bundle)
    assert (tally.packets, outcome.rejects.num_rows) == (annotated.num_rows, 0)
    again = outcome.annotations
    for name in LATER:
        assert again[name].null_count == again.num_rows
    same = [*LATER, "matchedFilters"]
    assert again.drop_columns(same).equals(annotated.drop_columns(same))


def test_other_filters_match_other_rows_and_nothing_else_changes(annotated, bundle, filters, tmp_path):
    outcome = rescore(as_stored(annotated, tmp_path / "t.parquet"), bundle, filters[:1])
    assert {name for row in outcome.annotations["matchedFilters"].to_pylist() for name in row} <= {filters[0].name}
    assert outcome.annotations.drop_columns("matchedFilters").equals(annotated.drop_columns("matchedFilters"))


def test_a_row_s_answer_doesn_t_depend_on_the_others(annotated, bundle, filters, tmp_path):
    stored = as_stored(annotated, tmp_path / "t.parquet")
    one_by_one = [rescore(stored.slice(k, 1), bundle, filters).annotations for k in range(0, stored.num_rows, 4)]
    assert pa.concat_tables(one_by_one).equals(annotated.take(list(range(0, stored.num_rows, 4))))


def test_an_alert_that_breaks_a_stage_is_rejected_by_its_origin_without_bytes(annotated, bundle, tmp_path, monkeypatch):
    poison, working = annotated["alertId"][3].as_py(), pipeline.predict

    def breaks(alerts, *rest):
        if poison in alerts.table["alert_id"].to_pylist():
            raise ValueError("out of range")
        return working(alerts, *rest)

    monkeypatch.setattr(pipeline, "predict", breaks)
    outcome = rescore(as_stored(annotated, tmp_path / "t.parquet"), bundle)
    (reject,) = outcome.rejects.to_pylist()
    assert (reject["origin"], reject["stage"], reject["payload"]) == (annotated["origin"][3].as_py(), "classify", b"")
    assert outcome.received == annotated.num_rows == outcome.annotations.num_rows + 1


def test_nothing_stored_gives_nothing(annotated, bundle, filters):
    outcome = rescore(annotated.slice(0, 0).select(list(COLUMNS)), bundle, filters)
    assert outcome == replace(outcome, received=0)
    assert outcome.annotations.num_rows == 0


def test_a_message_that_must_hold_the_packet_can_t_be_made(annotated, bundle, sample_packets):
    lsst = annotated.filter(pa.compute.equal(annotated["schemaId"], 1000)).slice(0, 2)
    wanted = [Destination("*BrokerMessage", "packets", Content.DESC_MESSAGE)]
    rescored = rescore(lsst.select(list(COLUMNS)), bundle).annotations
    for payloads, lacks in (({}, True), (dict(sample_packets), False)):
        records = encode(rescored, wanted, Sources(payloads, {}, 0)).to_pylist()
        assert [record["value"] is None for record in records] == [lacks, lacks]
