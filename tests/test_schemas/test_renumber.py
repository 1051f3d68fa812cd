"""Packets with other ids: the ids are new, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas._framing import Alert, unwrap
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry
from schemas.renumber import SHORTEST_ID, IdsStayError, Template, _varint, new_id

Pairs = list[tuple[str, bytes]]
ZTF = "ztf.v3_2.alert"
ELASTICC = "elasticc.v0_9_1.alert"
LSST = "lsst.v10_0.alert"


def records(payload: bytes, registry: BundledRegistry) -> list[dict[str, Any]]:
    return [entry.record for entry in unwrap("", payload, registry) if isinstance(entry, Alert)]


def ids(payload: bytes, registry: BundledRegistry) -> list[tuple[int, int]]:
    table = decode(packets([("", payload)]), registry).alerts.table
    return list(zip(table["alert_id"].to_pylist(), table["source_id"].to_pylist(), strict=True))


def exchanged(value: Any, new: dict[int, int]) -> Any:
    """The value with these integers exchanged for others; NaN as text, so that it equals itself."""
    if isinstance(value, dict):
        return {key: exchanged(inner, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [exchanged(inner, new) for inner in value]
    if isinstance(value, float):
        return repr(value)
    return new.get(value, value) if isinstance(value, int) else value


def check(payload: bytes, registry: BundledRegistry, first: int) -> bytes:
    """The renumbered packet, which decodes to the same records but for the ids."""
    made = Template.of(payload, registry).numbered(first)
    before, after = ids(payload, registry), ids(made, registry)
    new = {old: now for olds, nows in zip(before, after, strict=True) for old, now in zip(olds, nows, strict=True)}
    assert exchanged(records(payload, registry), new) == exchanged(records(made, registry), {})
    assert not set(before) & set(after)
    assert len(set(after)) == len(set(before))
    return made


def test_a_real_packet_decodes_to_the_same_record_but_for_the_ids(
    sample_packets: Pairs, registry: BundledRegistry
) -> None:
    for _, payload in sample_packets:
        made = check(payload, registry, 1_700_000_000_000_000_000)
        assert len(made) == len(payload)


def test_the_same_number_gives_the_same_bytes_and_another_gives_other_ids(
    sample_packets: Pairs, registry: BundledRegistry
) -> None:
    template = Template.of(sample_packets[-1][1], registry)
    made = [template.numbered(number) for number in range(100)]
    assert made[7] == template.numbered(7)
    assert len({pair for payload in made for pair in ids(payload, registry)}) == 100


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_every_alert_of_a_container_gets_ids_of_its_own(
    codec: str, make_packet: Any, registry: BundledRegistry
) -> None:
    known = [10**15 + 7 * k for k in range(5)]
    alerts = [make_packet.record(ZTF, candid=n, candidate={"candid": n, "jd": 2458000.5, "fid": 1}) for n in known]
    made = check(make_packet.container(ZTF, *alerts, codec=codec, sync_interval=500), registry, 12345)
    assert len(set(ids(made, registry))) == 5


def test_alerts_that_share_a_long_id_get_a_new_one_together(make_packet: Any, registry: BundledRegistry) -> None:
    """All alerts of an ELAsTiCC sample have one alertId, and the ids of their sources are short."""
    alerts = [
        make_packet.record(ELASTICC, alertId=1231321321, diaSource={"diaSourceId": n, "midPointTai": 60000.0})
        for n in (2262001, 2268001)
    ]
    made = check(make_packet.container(ELASTICC, *alerts, codec="deflate"), registry, 99)
    assert [source for _, source in ids(made, registry)] == [2262001, 2268001]


def test_a_short_id_stays(make_packet: Any, registry: BundledRegistry) -> None:
    record = make_packet.record(ELASTICC, alertId=7, diaSource={"diaSourceId": 2262001, "midPointTai": 60000.0})
    with pytest.raises(IdsStayError, match="the ids 7 and 2262001 take fewer than 5 bytes"):
        Template.of(make_packet.container(ELASTICC, record), registry)


def test_an_id_whose_bytes_stand_for_something_else_too_stays(make_packet: Any, registry: BundledRegistry) -> None:
    number = 170112044540887132
    source = {"diaSourceId": number, "midpointMjdTai": 61000.0, "band": "g"}
    record = make_packet.record(LSST, diaSourceId=number, diaSource=source)
    check(make_packet.wire(LSST, record), registry, 3)
    record["cutoutScience"] = b"..." + _varint(number)
    with pytest.raises(IdsStayError, match="stand for something else"):
        Template.of(make_packet.wire(LSST, record), registry)


@pytest.mark.parametrize("payload", [b"", b"not an alert", b"\0\0\0\3\xe8", b"Obj\x01\x04"])
def test_what_can_t_be_decoded_stays(payload: bytes, registry: BundledRegistry) -> None:
    with pytest.raises(IdsStayError, match="it can't be decoded: "):
        Template.of(payload, registry)


@given(st.integers(min_value=0), st.integers(SHORTEST_ID, 10))
def test_a_new_id_has_its_size_and_is_a_long(number: int, size: int) -> None:
    made = new_id(number, size)
    assert len(_varint(made)) == size
    assert 0 < made < 2**63
    assert made != new_id(number + 1, size)
