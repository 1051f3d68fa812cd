"""Filters that ask for the same columns share what is encoded, and each signs for itself."""

import json
from io import BytesIO

import fastavro
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.annotate import schema_for
from broker.filters.definition import load_filters
from broker.outgoing import deliveries as module
from broker.outgoing.alike import rows_by_filter
from broker.outgoing.deliveries import deliveries
from broker.outgoing.destinations import Topics, destinations
from broker.outgoing.schema_ids import local_id
from schemas.delivery import delivery_records

FILTERS = {
    "a": "",
    "b": "version: '7'\n",
    "c": "outputs: {columns: [band, nPoints]}\n",
    "d": "outputs: {formats: [jsonl]}\n",
    "e": "version: größer\noutputs: {formats: [jsonl]}\n",
}


@pytest.fixture(scope="module")
def to(tmp_path_factory, bundle):
    folder, schema = tmp_path_factory.mktemp("filters"), schema_for(bundle.manifest)
    for name, more in FILTERS.items():
        (folder / f"{name}.yaml").write_text(f"name: {name}\nowner: me\ncondition: nPoints >= 0\n{more}")
    made = destinations(load_filters(folder, schema), schema, Topics("{filter}"), lambda _, avro: local_id(avro))
    return {each.name: each for each in made}


@pytest.fixture(scope="module")
def annotations(outcomes):
    return outcomes[0].annotations


def matched(annotations, names):
    index = annotations.schema.get_field_index("matchedFilters")
    return annotations.set_column(
        index, annotations.schema.field(index), pa.array(names, annotations.schema[index].type)
    )


def read(to, value):
    if to.avro is None:
        return json.loads(value)
    body = BytesIO(value)
    assert body.read(5) == b"\0" + to.schema_id.to_bytes(4, "big")
    record = fastavro.schemaless_reader(body, to.parsed, None)
    assert body.read() == b""
    return record


def test_each_gets_the_alerts_that_it_matched_under_its_own_name(annotations, to):
    names = [[name for k, name in enumerate(FILTERS, 1) if row % k == 0] for row in range(1, annotations.num_rows + 1)]
    given = matched(annotations, names)
    found = {name: {} for name in to}
    for row, name, value in deliveries(given, list(to.values())):
        found[name][row] = read(to[name], value)
    for name, each in to.items():
        rows = [row for row, here in enumerate(names) if name in here]
        wanted = delivery_records(given.take(pa.array(rows)), each.filter.stamp, each.filter.columns)
        assert found[name] == dict(zip(rows, wanted, strict=True))
    assert {record["filter"]["version"] for record in found["e"].values()} == {"größer"}


def test_an_alert_is_encoded_once_for_all_that_ask_alike(annotations, to, monkeypatch):
    encoded = []
    encodable = module.encodable
    monkeypatch.setattr(module, "encodable", lambda *args: encoded.append(1) or encodable(*args))
    given = matched(annotations, [["a", "b", "c", "d", "e"]] * annotations.num_rows)
    assert len(list(deliveries(given, list(to.values())))) == 5 * annotations.num_rows
    assert len(encoded) == 3 * annotations.num_rows


@given(st.lists(st.lists(st.sampled_from("abcdefg"), unique=True), max_size=8))
def test_rows_are_found_by_filter(names):
    table = pa.table({"matchedFilters": pa.chunked_array([names[:3], names[3:]], pa.list_(pa.utf8()))})
    found = rows_by_filter(table["matchedFilters"])
    wanted = {name: [row for row, here in enumerate(names) if name in here] for name in "abcdefg"}
    assert {name: rows.tolist() for name, rows in found.items()} == {n: rows for n, rows in wanted.items() if rows}
    assert all(rows.dtype == np.int64 for rows in found.values())
