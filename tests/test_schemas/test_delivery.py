"""What subscribers get: the same in JSON and Avro, ids as text, units told."""

from io import BytesIO

import fastavro
import pyarrow as pa
import pytest

from schemas.annotation import annotation_schema, column
from schemas.delivery import DELIVERY, delivery_avro_schema, delivery_records

SCHEMA = annotation_schema(
    [column("pSNIa", pa.float64(), "", "probability of SN Ia")], [column("flux_max_g", pa.float32(), "nJy", "peak")]
)
STAMP = {"name": "kilonovae", "version": "2"}


def value(field):
    kind = field.type
    if pa.types.is_list(kind):
        return [value(kind.value_field)]
    if pa.types.is_struct(kind):
        return {child.name: value(child) for child in kind}
    return {"string": "text", "bool": True, "double": 1.5, "float": 0.5, "int32": 7, "int64": 2**62 + 1}[str(kind)]


@pytest.fixture(params=["full", "sparse"])
def annotations(request):
    row = {f.name: None if request.param == "sparse" and f.nullable else value(f) for f in SCHEMA}
    return pa.Table.from_pylist([row], schema=SCHEMA)


EXTRA = ("band", "flux_max_g", "isDipole", "lightCurve", "psfFlux")


def test_avro_carries_what_json_carries(annotations):
    records = delivery_records(annotations, STAMP, EXTRA)
    schema = delivery_avro_schema(SCHEMA, EXTRA)
    out = BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records)
    out.seek(0)
    assert list(fastavro.reader(out)) == records


def test_64_bit_ids_are_text(annotations):
    (record,) = delivery_records(annotations, STAMP, ())
    assert record["alertId"] == str(2**62 + 1)
    assert record["diaSourceId"] == str(2**62 + 1)


def test_every_record_has_the_promised_fields_in_order(annotations):
    (record,) = delivery_records(annotations, STAMP, ("band", "className"))
    assert list(record) == [*DELIVERY, "band", "filter"]
    assert record["filter"] == STAMP


def test_units_and_meanings_reach_the_avro_schema():
    fields = {field["name"]: field for field in delivery_avro_schema(SCHEMA, EXTRA)["fields"]}
    assert fields["psfFlux"]["doc"] == "difference flux of the triggering source [nJy]"
    assert fields["survey"]["type"] == "string"
    assert fields["schemaId"]["type"] == ["null", "int"]


def test_every_column_says_what_it_means():
    assert all(field.metadata[b"meaning"] for field in SCHEMA)
