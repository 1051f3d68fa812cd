"""What subscribers get: the same in JSON and Avro, ids as text, units told."""

from io import BytesIO

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas._avro_types import avro_field
from schemas.annotation import annotation_schema, column
from schemas.delivery import DELIVERY, annotation_records, avro_records, delivery_avro_schema, delivery_records

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


points = st.lists(
    st.fixed_dictionaries(
        {
            "mjd": st.floats(),
            "flux": st.floats(),
            "flux_err": st.floats(),
            "band": st.sampled_from("ugrizy"),
            "detected": st.booleans(),
        }
    ),
    max_size=70,  # a count of two bytes
)


@given(st.lists(points, max_size=5), st.data())
def test_the_bytes_of_a_light_curve_are_fastavros(curves, data):
    field = SCHEMA.field("lightCurve")
    table = pa.table({field.name: pa.array(curves, field.type)}, schema=pa.schema([field]))
    cut = data.draw(st.integers(0, len(curves)))
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    kind = fastavro.parse_schema(avro_field(field)["type"])
    for record, curve in zip(avro_records(table), curves, strict=True):
        out = BytesIO()
        fastavro.schemaless_writer(out, kind, curve)
        assert record == {"lightCurve": out.getvalue()}


def test_a_band_of_more_letters_is_left_to_fastavro(annotations):
    (record,) = avro_records(annotations)
    assert record == annotation_records(annotations)[0]
    assert record["lightCurve"][0]["band"] == "text"


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
