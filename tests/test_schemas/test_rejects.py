"""Every reason for which a packet is rejected, each with its own words; and what an object container may do."""

import json
import zlib
from io import BytesIO
from typing import Any

import fastavro
import pytest
from cramjam import snappy

from schemas import _containers, _inflate
from schemas._record_reader import UnreadableError
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import BundledRegistry, WriterSchema

NAME = "lsst.v10_0.alert"
SOURCE = {"midpointMjdTai": 60000.0, "ra": 10.0, "dec": -5.0}
ELASTICC = "elasticc.v0_9_1.alert"


@pytest.fixture(scope="module")
def good(make_packet: Any) -> bytes:
    payload: bytes = make_packet.wire(NAME, make_packet.record(NAME, diaSource=SOURCE, cutoutDifference=b"12345"))
    return payload


@pytest.fixture(scope="module")
def several(make_packet: Any) -> list[dict[str, Any]]:
    """Ten ELAsTiCC records, told apart by their alertId."""
    source = {"midPointTai": 60000.0, "ra": 1.0, "decl": 2.0, "filterName": "r", "psFlux": 1.0, "psFluxErr": 1.0}
    return [make_packet.record(ELASTICC, alertId=number, diaSource=source) for number in range(10)]


def read(payload: bytes, registry: BundledRegistry) -> Decoded:
    return decode(packets([("here", payload)]), registry)


def reason(payload: bytes, registry: BundledRegistry) -> str:
    decoded = read(payload, registry)
    assert len(decoded.alerts) == 0
    assert decoded.rejects["payload"].to_pylist() == [payload]
    assert decoded.rejects["origin"].to_pylist() == ["here"]
    return str(decoded.rejects["reason"][0].as_py())


def test_the_good_packet_is_good(good: bytes, registry: BundledRegistry) -> None:
    assert len(read(good, registry).alerts) == 1


def test_empty(registry: BundledRegistry) -> None:
    assert reason(b"", registry) == "empty: 0 bytes, expected an alert packet"


def test_neither_framing(registry: BundledRegistry) -> None:
    assert reason(b"{'a': 1}, more", registry) == (
        "unknown framing: starts with bytes 7b 27 61 27 3a 20 31 7d, expected 00 and a schema id (Confluent) or "
        "4f 62 6a 01 (Avro object container)"
    )


def test_short_header(registry: BundledRegistry) -> None:
    assert reason(b"\0\0\0", registry).startswith("truncated: 3 bytes, expected a header of 5 bytes")


def test_unknown_schema_id(registry: BundledRegistry) -> None:
    given = reason(b"\0\0\0\1\1abc", registry)
    assert given.startswith("unknown schema: no schema has the id 257; known ids: 700, 701")


def test_truncated(good: bytes, registry: BundledRegistry) -> None:
    given = reason(good[:-4], registry)
    assert given.startswith(f"truncated: the bytes end after {len(good) - 4} in field 'cutoutDifference' of a {NAME}")
    assert "'diaSource'" in reason(good[:30], registry)


def test_trailing_bytes(good: bytes, registry: BundledRegistry) -> None:
    given = reason(good + b"xyz", registry)
    assert given == f"trailing bytes: the {NAME} record ends at byte {len(good)}, and 3 more bytes follow"


def test_unreadable(registry: BundledRegistry, make_packet: Any) -> None:
    payload = make_packet.wire(NAME, make_packet.record(NAME, target_name="xyz", diaSource=SOURCE))
    given = reason(payload.replace(b"xyz", b"\xff\xfe\xfd"), registry)
    assert given.startswith("not a readable record: text that isn't UTF-8 before byte ")
    assert "in field 'target_name'" in given


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"ra": float("nan")}, "ra is null or not finite, expected a number from 0 to 360"),
        ({"dec": float("inf")}, "dec is null or not finite, expected a number from -90 to 90"),
        ({"dec": -91.0}, "dec is -91.0, expected a number from -90 to 90"),
        ({"midpointMjdTai": float("nan")}, "mjd is null or not finite, expected a number from 0 to 200000"),
        ({"midpointMjdTai": 1e300}, "mjd is 1e+300, expected a number from 0 to 200000"),
    ],
)
def test_absurd_position_or_time(
    wrong: dict[str, float], expected: str, registry: BundledRegistry, make_packet: Any
) -> None:
    payload = make_packet.wire(NAME, make_packet.record(NAME, diaSource=SOURCE | wrong))
    assert reason(payload, registry) == f"lsst 10.0 alert: {expected}"


def test_a_container_of_no_survey(registry: BundledRegistry, make_packet: Any) -> None:
    name = "elasticc.v0_9_1.brokerClassification"
    given = reason(make_packet.container(name, make_packet.record(name)), registry)
    assert given == (
        "unknown survey: the schema is that of 'elasticc.v0_9_1.brokerClassfication', "
        "expected the alert of one of elasticc, lsst, ztf"
    )


def test_an_empty_container(registry: BundledRegistry, make_packet: Any) -> None:
    assert reason(make_packet.container(ELASTICC), registry) == "empty: the container holds no records"


class OtherSurvey:
    """A registry whose only schema is of no survey that Boreal knows."""

    def by_id(self, schema_id: int, /) -> WriterSchema:
        schema = {"type": "record", "name": "other.alert", "fields": []}
        return WriterSchema("other.alert", "other", "1", schema_id, schema)


def test_a_registry_may_know_schemas_of_no_survey() -> None:
    decoded = decode(packets([("here", b"\0\0\0\0\1")]), OtherSurvey())
    assert decoded.rejects["reason"].to_pylist()[0].startswith("unknown survey: the schema is that of 'other.alert'")


def test_each_record_of_a_container_is_an_alert(
    several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any
) -> None:
    decoded = read(make_packet.container(ELASTICC, *several), registry)
    assert decoded.origins.to_pylist() == [f"here#{number}" for number in range(10)]
    assert decoded.alerts.table["alert_id"].to_pylist() == list(range(10))
    single = read(make_packet.container(ELASTICC, several[3]), registry)
    assert single.origins.to_pylist() == ["here"]


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "snappy", "zstandard", "lz4", "xz"])
def test_every_codec(codec: str, several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any) -> None:
    payload = make_packet.container(ELASTICC, *several, codec=codec, sync_interval=150)
    decoded = read(payload, registry)
    assert decoded.alerts.table["alert_id"].to_pylist() == list(range(10))
    for cut in range(len(payload) - 1, len(payload) // 2, -37):
        decoded = read(payload[:cut], registry)
        assert decoded.alerts.table["alert_id"].to_pylist() == list(range(len(decoded.alerts)))
        assert decoded.rejects.num_rows <= 1


def test_snappy_blocks_are_held_to_their_checksum() -> None:
    good = bytes(snappy.compress_raw(b"light curve")) + zlib.crc32(b"light curve").to_bytes(4, "big")
    assert _inflate.inflate("snappy", good, 100, whole=True) == b"light curve"
    with pytest.raises(UnreadableError, match="checksum"):
        _inflate.inflate("snappy", good.replace(b"curve", b"Curve"), 100, whole=True)


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_cut_off_container_yields_what_can_be_read_and_one_reject(
    codec: str, several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any
) -> None:
    payload = make_packet.container(ELASTICC, *several, codec=codec, sync_interval=150)
    decoded = read(payload[:-20], registry)
    n = len(decoded.alerts)
    assert 0 < n < 10 or codec == "deflate"
    assert decoded.origins.to_pylist() == [f"here#{number}" for number in range(n)]
    assert decoded.rejects["origin"].to_pylist() == [f"here#{n}"]
    assert decoded.rejects["reason"][0].as_py().startswith("truncated: the block at byte")
    rest = decoded.rejects["payload"][0].as_py()
    assert len(rest) < len(payload)
    # The rest is a container itself: completed, it yields what was lost, and little that wasn't.
    again = read(rest + payload[-20:], registry)
    ids = again.alerts.table["alert_id"].to_pylist()
    assert again.rejects.num_rows == 0
    assert ids[-1] == 9
    assert set(range(n, 10)) <= set(ids)


def test_one_bad_record_of_many_is_rejected_alone(
    several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any
) -> None:
    bad = {**several[4], "diaSource": {**several[4]["diaSource"], "ra": float("nan")}}
    payload = make_packet.container(ELASTICC, *several[:4], bad, *several[5:], codec="deflate")
    decoded = read(payload, registry)
    assert decoded.alerts.table["alert_id"].to_pylist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert decoded.rejects["origin"].to_pylist() == ["here#4"]
    alone = BytesIO(decoded.rejects["payload"][0].as_py())
    records = list(fastavro.reader(alone))
    assert [record["alertId"] for record in records] == [4]


def test_a_container_with_a_broken_block_keeps_the_blocks_before(
    several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any
) -> None:
    payload = make_packet.container(ELASTICC, *several, sync_interval=150)
    broken = payload[:-16] + bytes(16)
    decoded = read(broken, registry)
    assert 0 < len(decoded.alerts) < 10
    assert "doesn't end in the container's sync marker" in decoded.rejects["reason"][0].as_py()


def test_a_bomb_is_stopped_at_the_cap(
    registry: BundledRegistry, make_packet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_inflate, "MAX_INFLATED_BYTES", 10_000)
    monkeypatch.setattr(_containers, "MAX_INFLATED_BYTES", 10_000)
    name = "ztf.v4_02.alert"
    cutout = {"fileName": "x", "stampData": bytes(10_000_000)}
    bomb = make_packet.record(name, schemavsn="4.02", cutoutScience=cutout)
    for codec in ("null", "deflate", "bzip2", "snappy", "zstandard", "lz4", "xz"):
        payload = make_packet.container(name, bomb, codec=codec)
        assert "inflates to more than 10000 bytes" in reason(payload, registry), codec


def test_an_unknown_codec(several: list[dict[str, Any]], registry: BundledRegistry, make_packet: Any) -> None:
    payload = make_packet.container(ELASTICC, *several[:1], codec="deflate").replace(b"\x0edeflate", b"\x0edeflute")
    assert "codec is 'deflute'; known codecs: null, deflate" in reason(payload, registry)


def embedded(schema: str, body: bytes, count: int = 1) -> bytes:
    """An object container of one block with a schema of one's own."""
    out = BytesIO()
    fastavro.schemaless_writer(
        out, _containers._HEADER, {"magic": b"Obj\x01", "meta": {"avro.schema": schema.encode()}, "sync": bytes(16)}
    )
    fastavro.schemaless_writer(out, _containers.BLOCK_HEAD, {"count": count, "size": len(body)})
    return out.getvalue() + body + bytes(16)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ('{"name": "a", "type": {"type": "array", "items": "null"}}', "array whose items take no bytes"),
        ('{"name": "a", "type": ["null", "ztf.alert"]}', "contains itself"),
        ('{"name": "a", "type": "nonsense"}', "schema can't be read"),
    ],
)
def test_schemas_that_are_traps_are_refused(fields: str, expected: str, registry: BundledRegistry) -> None:
    schema = f'{{"type": "record", "name": "ztf.alert", "fields": [{fields}]}}'
    assert expected in reason(embedded(schema, bytes(40)), registry)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ('{"type": "record", "name": "lsst.v10_0.alert", "fields": []}', "its records take no bytes"),
        ('{"type": "record", "name": "ztf.alert", "fields": [{"name": "a", "type": "null"}]}', "records take no bytes"),
        ('{"type": "enum", "name": "ztf.alert", "symbols": ["a"]}', "it isn't that of a record"),
        ('{"type": "fixed", "name": "ztf.alert", "size": 4}', "it isn't that of a record"),
    ],
)
def test_a_container_must_hold_records_of_some_size(schema: str, expected: str, registry: BundledRegistry) -> None:
    """A block may claim any number of records: of records without bytes it would hold them all."""
    assert expected in reason(embedded(schema, b"", count=2**40), registry)
    assert expected in reason(embedded(schema, bytes(4)), registry)


def test_an_array_of_items_of_negative_size_is_refused(registry: BundledRegistry) -> None:
    items = '{"type": "fixed", "name": "f", "size": -2}'
    fields = f'{{"name": "a", "type": {{"type": "array", "items": {items}}}}}'
    schema = f'{{"type": "record", "name": "ztf.alert", "fields": [{fields}]}}'
    assert "array whose items take no bytes" in reason(embedded(schema, bytes(40)), registry)


def test_small_records_are_read_up_to_a_limit_of_their_number(
    registry: BundledRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_containers, "MAX_INFLATED_BYTES", 20_000)
    schema = '{"type": "record", "name": "ztf.alert", "fields": [{"name": "candid", "type": "long"}]}'
    decoded = read(embedded(schema, bytes(60), count=60), registry)
    *missing, last = decoded.rejects["reason"].to_pylist()
    assert last == "the container's records need more than 20000 bytes"
    assert 10 < len(missing) < 20


def test_a_reason_may_quote_half_a_character(registry: BundledRegistry) -> None:
    schema = '{"type": "record", "name": "ztf.alert", "fields": [{"name": "a", "type": "x\\ud800"}]}'
    assert "x\\ud800" in reason(embedded(schema, bytes(40)), registry)


def test_a_long_reason_is_cut(registry: BundledRegistry) -> None:
    schema = json.dumps({"type": "record", "name": "x" * 100_000, "fields": [{"name": "a", "type": "int"}]})
    given = reason(embedded(schema, bytes(40)), registry)
    assert given.startswith("unknown survey: the schema is that of 'xxx")
    assert len(given) < 3000


def test_a_record_from_a_registry_without_its_version() -> None:
    class Unfinished:
        """A registry whose ZTF schema lacks the field that tells the version."""

        def by_id(self, schema_id: int, /) -> WriterSchema:
            fields = [{"name": "candid", "type": "long"}]
            schema = {"type": "record", "name": "ztf.alert", "fields": fields}
            return WriterSchema("ztf.alert", "ztf", "", schema_id, schema)

    decoded = decode(packets([("here", b"\0\0\0\0\1\2")]), Unfinished())
    assert decoded.rejects["reason"].to_pylist() == ["missing field: the ztf record has no 'schemavsn'"]


def test_a_schema_is_parsed_for_its_first_reject_alone(
    good: bytes, registry: BundledRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'cutoutDifference'" in reason(good[:-4], registry)
    monkeypatch.delattr(fastavro, "parse_schema")
    assert "'diaSource'" in reason(good[:30], registry)


def test_deeply_nested_schemas_are_refused(registry: BundledRegistry) -> None:
    nested = '{"type": "array", "items": ' * 5000 + '"int"' + "}" * 5000
    schema = f'{{"type": "record", "name": "ztf.alert", "fields": [{{"name": "a", "type": {nested}}}]}}'
    assert "schema can't be read: RecursionError" in reason(embedded(schema, bytes(40)), registry)


def test_a_record_without_a_needed_field(registry: BundledRegistry) -> None:
    schema = '{"type": "record", "name": "ztf.alert", "fields": [{"name": "schemavsn", "type": "string"}]}'
    assert reason(embedded(schema, b"\x069.9"), registry) == (
        "ztf 9.9 alert: missing field: the record has no 'candidate'"
    )
    without = '{"type": "record", "name": "ztf.alert", "fields": [{"name": "candid", "type": "long"}]}'
    assert reason(embedded(without, b"\x02"), registry) == "missing field: the ztf record has no 'schemavsn'"


def test_an_id_that_is_no_integer(registry: BundledRegistry, make_packet: Any) -> None:
    schema = dict(BundledRegistry().by_name(ELASTICC).json)
    schema["fields"] = [{**f, "type": "double"} if f["name"] == "alertId" else f for f in schema["fields"]]
    record = make_packet.record(ELASTICC, diaSource={"midPointTai": 60000.0}) | {"alertId": 5.0}
    out = BytesIO()
    fastavro.writer(out, schema, [record])
    assert reason(out.getvalue(), registry).endswith("TypeError: an id that isn't an integer")


def test_a_version_that_is_not_bundled_decodes_from_its_own_schema(
    several: list[dict[str, Any]], registry: BundledRegistry
) -> None:
    schema = dict(registry.by_name(ELASTICC).json)
    out = BytesIO()
    new = {**schema, "name": "elasticc.v0_9_7.alert"}
    fastavro.writer(out, new, several[:1])
    alerts = read(out.getvalue(), registry).alerts
    assert alerts.table["schema_version"].to_pylist() == ["0.9.7"]
    assert alerts.table["alert_id"].to_pylist() == [0]
