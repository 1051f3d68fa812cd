"""The column that says why: what it holds, and that nothing else changes with it or without it."""

import io
import json
import pickle

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from broker.annotate import schema_for
from broker.commit import Committer, Settings
from broker.config import Config, DirectorySource
from broker.explanation.column import check_explains
from broker.filters.definition import Filter
from broker.filters.read import read_file
from broker.harvest import Harvest
from broker.outgoing.destinations import Topics, destinations
from broker.outgoing.schema_ids import local_id
from broker.pipeline import process, rescore
from broker.run_directory import RunDirectory
from broker.service import Model
from broker.sources.intake import KafkaReader
from broker.spark.worker import HARVEST, Worker, unpack
from broker.tables.dataset import annotations_at
from broker.tables.parquet import ParquetAnnotations
from classifiers.bundle import Bundle, BundleError
from classifiers.predict import feature_array
from classifiers.why.contributions import contributions
from schemas.annotation import EXPLANATION
from schemas.delivery import annotation_avro_schema, annotation_records
from schemas.packets import packets

MOST = 5


@pytest.fixture(scope="module")
def without(sample_packets, registry, bundle, filters) -> pa.Table:
    return process(packets(sample_packets), registry, bundle, filters).annotations


@pytest.fixture(scope="module")
def explained(sample_packets, registry, bundle, filters) -> pa.Table:
    return process(packets(sample_packets), registry, bundle, filters, explain=MOST).annotations


def test_nothing_else_changes_and_without_it_there_is_no_such_column(without, explained, bundle):
    assert EXPLANATION.name not in without.schema.names
    assert without.schema == schema_for(bundle.manifest)
    assert explained.schema.equals(schema_for(bundle.manifest, explained=True), check_metadata=True)
    assert explained.drop_columns(EXPLANATION.name).equals(without)


def test_it_holds_the_strongest_contributions_to_the_best_class(explained, bundle):
    classified = pc.is_null(explained["notClassifiedReason"]).to_numpy()
    assert 0 < classified.sum() < len(classified)
    best = [[node.id for node in bundle.classes].index(k) for k in explained["classId"].to_numpy()[classified]]
    rows = explained.filter(pa.array(classified))
    told = contributions(feature_array(rows, bundle.feature_names), np.array(best), bundle).features
    for row, said in zip(rows.to_pylist(), told, strict=True):
        found = row[EXPLANATION.name]
        order = np.argsort(-np.abs(said), kind="stable")[:MOST]
        assert [each["feature"] for each in found] == [bundle.feature_names[k] for k in order]
        assert [each["contribution"] for each in found] == said[order].tolist()
        assert [each["value"] for each in found] == [row[each["feature"]] for each in found]


def test_it_is_null_where_an_alert_is_not_classified(explained):
    reasons = explained["notClassifiedReason"]
    assert pc.is_valid(reasons).equals(pc.is_null(explained[EXPLANATION.name]))


def test_more_features_than_there_are_is_all_of_them_that_say_something(lsst_packets, registry, bundle):
    table = process(packets(lsst_packets[:3]), registry, bundle, explain=10_000).annotations
    for found in table[EXPLANATION.name].to_pylist():
        assert MOST < len(found) <= len(bundle.feature_names)
        assert all(each["contribution"] for each in found)


def test_an_alert_alone_is_explained_as_in_a_batch_bit_for_bit(sample_packets, registry, bundle, filters, explained):
    for size in (1, 4):
        parts = [
            process(packets(sample_packets[k : k + size]), registry, bundle, filters, explain=MOST).annotations
            for k in range(0, len(sample_packets), size)
        ]
        assert pa.concat_tables(parts).combine_chunks().equals(explained.combine_chunks())


def test_no_alerts_give_the_column_without_rows(registry, bundle):
    table = process(packets([]), registry, bundle, explain=MOST).annotations
    assert table.schema == schema_for(bundle.manifest, explained=True)


def test_alerts_that_a_table_keeps_are_explained_as_their_packets_were(explained, without, bundle, filters):
    for stored in (explained, without):
        assert rescore(stored, bundle, filters, explain=MOST).annotations.equals(explained)
    assert rescore(explained, bundle, filters).annotations.equals(without)


def test_an_alert_that_cannot_be_explained_goes_to_the_dead_letter_alone(sample_packets, registry, bundle, monkeypatch):
    whole = contributions
    poison = feature_array(process(packets(sample_packets), registry, bundle).annotations, bundle.feature_names)[2]

    def failing(rows, classes, given):
        if (rows.view(np.int32) == poison.view(np.int32)).all(axis=1).any():
            raise RuntimeError("too hard")
        return whole(rows, classes, given)

    monkeypatch.setattr("broker.explanation.column.contributions", failing)
    outcome = process(packets(sample_packets), registry, bundle, explain=MOST)
    (failed,) = outcome.rejects.to_pylist()
    assert (failed["origin"], failed["stage"]) == (sample_packets[2][0], "classify")
    assert "too hard" in failed["reason"]
    assert outcome.annotations.num_rows == outcome.received - 1


@pytest.fixture(scope="module")
def asking(bundle: Bundle, tmp_path_factory) -> Filter:
    """A filter that asks for the column."""
    file = tmp_path_factory.mktemp("filters") / "why.yaml"
    file.write_text("name: why\nowner: me\ncondition: nPoints > 0\noutputs: {columns: [explanation]}\n")
    found = read_file(file, schema_for(bundle.manifest, explained=True))
    assert found.filter, found.findings
    refused = read_file(file, schema_for(bundle.manifest))
    assert refused.filter is None
    assert "the key `explain`" in str(refused.findings[0])
    return found.filter


def test_a_worker_sends_it_as_avro_and_as_json(bundle, asking, lsst_packets, kafka_records):
    schema = schema_for(bundle.manifest, explained=True)
    to = destinations((asking,), schema, Topics("x-{filter}", "all"), lambda _, avro: local_id(avro))
    made = Worker(KafkaReader(), bundle.path, (asking,), to, explain=MOST)
    worker = pickle.loads(pickle.dumps(made))  # noqa: S301  # our own
    records = kafka_records([payload for _, payload in lsst_packets[:6]])
    harvest = unpack(pa.Table.from_batches(worker(iter([records])), schema=HARVEST))
    assert harvest.seconds["explain"] > 0
    expected = harvest.outcome.annotations[EXPLANATION.name].to_pylist()
    assert sum(each is not None for each in expected) > 2
    named = {each.name: each for each in to}
    seen = set()
    for row, name, value in zip(*harvest.records.to_pydict().values(), strict=True):
        seen.add((row, name))
        if named[name].avro is None:
            sent = json.loads(value)
        else:
            sent = fastavro.schemaless_reader(io.BytesIO(value[5:]), json.loads(named[name].avro), None)
        assert sent[EXPLANATION.name] == expected[row]
    assert len({name for _, name in seen}) == 2


def test_it_crosses_avro_with_all_other_columns(explained):
    schema = fastavro.parse_schema(annotation_avro_schema(explained.schema))
    out = io.BytesIO()
    fastavro.writer(out, schema, annotation_records(explained))
    out.seek(0)
    found = [record[EXPLANATION.name] for record in fastavro.reader(out)]
    assert found == explained[EXPLANATION.name].to_pylist()


@pytest.mark.parametrize("kind", ["parquet", "delta"])
def test_a_run_goes_on_over_its_table_when_it_is_asked_for_and_when_no_longer(
    kind, tmp_path, sample_packets, registry, bundle
):
    run = RunDirectory(tmp_path / "out")

    def commit(number: int, part: slice, explain: int) -> int:
        if kind == "parquet":
            settings = Settings(table=ParquetAnnotations(run))
        else:
            from broker.tables.delta import DeltaAnnotations

            settings = Settings(table=DeltaAnnotations(run.annotations))
        outcome = process(packets(sample_packets[part]), registry, bundle, explain=explain)
        Committer(run, (), settings).commit(number, Harvest(outcome))
        return outcome.annotations.num_rows

    counts = [
        commit(0, slice(4), 0),
        commit(1, slice(4, 9), 2),
        commit(2, slice(9, 12), 7),
        commit(3, slice(12, 15), 0),
    ]
    table = annotations_at(tmp_path / "out").dataset.to_table(columns=["origin", EXPLANATION.name])
    assert table.num_rows == sum(counts)
    lengths = dict(
        zip(table["origin"].to_pylist(), pc.list_value_length(table[EXPLANATION.name]).to_pylist(), strict=True)
    )
    expected = [None] * 4 + [2] * 5 + [7] * 3 + [None] * 3
    for (origin, _), length in zip(sample_packets, expected, strict=False):
        assert lengths[origin] in (length, None)
    assert [sum(each == k for each in lengths.values()) > 1 for k in (2, 7)] == [True, True]


def test_a_model_has_it_where_the_configuration_asks_for_it(tmp_path, bundle):
    (tmp_path / "in").mkdir()
    config = Config(source=DirectorySource(kind="directory", path=tmp_path / "in"), to=tmp_path / "out", explain=3)
    model = Model.of(config)
    assert (model.explain, model.schema.names[-1]) == (3, EXPLANATION.name)
    plain = Model.of(config.model_copy(update={"explain": 0}))
    assert (plain.explain, plain.schema) == (0, schema_for(bundle.manifest))
    with pytest.raises(ValueError, match="explain"):
        Config(source=config.source, to=config.to, explain=-1)


def test_a_bundle_without_trees_is_told_at_the_start(bundle):
    members = tuple(entry for entry in bundle.manifest.members if entry.kind == "recurrent")
    manifest = bundle.manifest.model_copy(update={"members": members})
    check_explains(manifest, 0)
    with pytest.raises(BundleError, match="bundle first has recurrent; leave `explain` out"):
        check_explains(manifest, 1)


@pytest.mark.slow
def test_stream_and_archive_say_the_same_and_a_run_takes_the_key_at_its_next_start(
    tmp_path, live_run, data_dir, registry, bundle
):
    files = sorted((data_dir / "packets" / "lsst").glob("*.avro"))
    inputs = tmp_path / "in"
    inputs.mkdir()
    for file in files[:6]:
        (inputs / file.name).write_bytes(file.read_bytes())
    source = {"kind": "directory", "path": str(inputs)}
    run = live_run(tmp_path, source=source, table={"kind": "delta"})
    run.once()
    for file in files[6:]:
        (inputs / file.name).write_bytes(file.read_bytes())
    run.configure(explain=4)
    run.once()
    direct = process(
        packets([(file.name, file.read_bytes()) for file in files]), registry, bundle, explain=4
    ).annotations.to_pylist()
    expected = {row["origin"]: row[EXPLANATION.name] for row in direct}
    columns = pa.schema([pa.field("origin", pa.utf8()), EXPLANATION])
    found = {origin: row[EXPLANATION.name] for origin, row in run.table(columns).items()}
    assert found == {file.name: None if k < 6 else expected[file.name] for k, file in enumerate(files)}
    (tmp_path / "archive").mkdir()
    archives = {"kind": "archives", "inputs": [str(inputs)]}
    archive = live_run(tmp_path / "archive", source=archives, explain=4)
    archive.boreal("reprocess", archive.file)
    again = archive.table(columns)
    assert {origin.rpartition("!")[2]: row[EXPLANATION.name] for origin, row in again.items()} == expected
