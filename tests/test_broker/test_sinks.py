"""What sinks write for subscribers, though it is encoded once for many, is what each would get alone."""

import hashlib
import json
from io import BytesIO

import fastavro
import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.deadletter import DEADLETTER
from broker.filters.definition import load_filters
from broker.run_directory import RunDirectory
from broker.sinks import avro, jsonl
from broker.sinks.sink import MicroBatch
from schemas.annotation import DELIVERED_TO
from schemas.delivery import delivery_avro_schema, delivery_records

STEM = "part-0123abcd-00000000"
FILTERS = {
    "a": "",
    "b": "version: größer\n",
    "c": "outputs: {columns: [band, nPoints]}\n",
    "d": "outputs: {formats: [jsonl]}\n",
    "e": "outputs: {formats: [avro], columns: [band, nPoints]}\n",
    "nothing": "",
}


@pytest.fixture(scope="module")
def batch(tmp_path_factory, bundle, outcomes):
    """Every alert a few times, so that files have several blocks; `a` is sent all, the others fewer."""
    folder, schema = tmp_path_factory.mktemp("filters"), schema_for(bundle.manifest)
    for name, more in FILTERS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\nowner: me\ncondition: nPoints >= 0\n{more}")
    rows = pa.concat_tables([outcome.annotations for outcome in outcomes] * 3)
    names = [[name for k, name in enumerate("abcde", 1) if row % k == 0] for row in range(rows.num_rows)]
    annotations = rows.append_column(DELIVERED_TO, pa.array(names, DELIVERED_TO.type))
    return MicroBatch(STEM, annotations, DEADLETTER.empty_table(), load_filters(folder, schema))


@pytest.fixture(scope="module")
def run(tmp_path_factory, batch):
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    for sink in (avro, jsonl):
        sink.write(batch, run)
    return run


def alone(batch, wanted):
    """The records of one filter, made for it alone."""
    mine = [row for row, names in enumerate(batch.annotations["deliveredTo"].to_pylist()) if wanted.name in names]
    return delivery_records(batch.annotations.take(pa.array(mine, pa.int64())), wanted.stamp, wanted.columns)


def test_each_filter_has_the_files_that_it_asked_for(run):
    found = {str(file.relative_to(run.subscribers)) for file in run.subscribers.rglob("*") if file.is_file()}
    wanted = {f"{name}/{STEM}.{form}" for name in "abc" for form in ("avro", "jsonl")}
    assert found == wanted | {f"d/{STEM}.jsonl", f"e/{STEM}.avro"}


def test_a_line_is_the_alert_s_json(run, batch):
    for wanted in batch.filters:
        file = run.subscribers / wanted.name / f"{STEM}.jsonl"
        if file.exists():
            lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in alone(batch, wanted)]
            assert file.read_text(encoding="utf-8") == "".join(lines)


def test_a_container_is_what_fastavro_would_write(run, batch):
    marker = hashlib.sha256(STEM.encode()).digest()[:16]
    for wanted in batch.filters:
        file = run.subscribers / wanted.name / f"{STEM}.avro"
        if file.exists():
            schema, twin = delivery_avro_schema(batch.annotations.schema, wanted.columns), BytesIO()
            fastavro.writer(twin, schema, alone(batch, wanted), codec="deflate", sync_marker=marker)
            assert file.read_bytes() == twin.getvalue()
            assert wanted.name != "a" or twin.getvalue().count(marker) > 3
