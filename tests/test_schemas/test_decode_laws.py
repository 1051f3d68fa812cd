"""Laws: batch = loop, order and company don't matter, nothing is lost, nothing raises."""

import random
import tracemalloc
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertBatch
from schemas.decode import _RECORDS_AT_ONCE, Decoded, decode
from schemas.packets import PACKETS, packets
from schemas.registry import BundledRegistry

Pairs = list[tuple[str, bytes]]
BROKEN: Pairs = [
    ("empty", b""),
    ("text", b"not an alert"),
    ("unknown id", b"\0\0\0\1\1rest"),
    ("header only", b"\0\0\0\3\xe8"),
    ("cut container", b"Obj\x01\x04"),
]


@pytest.fixture(scope="module")
def small_packets(sample_packets: Pairs) -> Pairs:
    return [pair for pair in sample_packets if len(pair[1]) < 135_000]


def ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


def by_origin(decoded: Decoded) -> dict[str, bytes]:
    rows = decoded.alerts.table
    return {origin.as_py(): ipc(rows.slice(i, 1).take([0])) for i, origin in enumerate(decoded.origins)}


def test_batch_equals_loop_and_order_does_not_matter(small_packets: Pairs, registry: BundledRegistry) -> None:
    together = by_origin(decode(packets(small_packets), registry))
    alone = {}
    for pair in small_packets:
        alone |= by_origin(decode(packets([pair]), registry))
    shuffled = random.Random(7).sample(small_packets, len(small_packets))
    decoded = decode(packets(shuffled), registry)
    assert together == alone
    assert by_origin(decoded) == alone
    assert decoded.origins.to_pylist() == [origin for origin, _ in shuffled]


def test_more_packets_than_are_converted_at_once(small_packets: Pairs, registry: BundledRegistry) -> None:
    pairs = [(f"{origin} {copy}", payload) for copy in range(6) for origin, payload in small_packets]
    decoded = decode(packets(pairs), registry)
    assert decoded.origins.to_pylist() == [origin for origin, _ in pairs]
    once = decode(packets(small_packets), registry).alerts
    assert decoded.alerts.table.equals(AlertBatch.concat([once] * 6).table)


def test_broken_packets_touch_no_other(small_packets: Pairs, registry: BundledRegistry) -> None:
    mixed = list(small_packets)
    for place, pair in enumerate(BROKEN):
        mixed.insert(3 * place, pair)
    decoded = decode(packets(mixed), registry)
    assert ipc(decoded.alerts.table) == ipc(decode(packets(small_packets), registry).alerts.table)
    assert decoded.rejects.drop_columns(["reason", "stage"]).to_pylist() == [
        {"origin": origin, "payload": payload} for origin, payload in BROKEN
    ]
    assert decoded.rejects["stage"].to_pylist() == ["decode", "decode", "schema", "decode", "decode"]
    assert len(set(decoded.rejects["reason"].to_pylist())) == len(BROKEN)


@pytest.mark.parametrize("n", [_RECORDS_AT_ONCE - 1, _RECORDS_AT_ONCE, _RECORDS_AT_ONCE + 1, 2 * _RECORDS_AT_ONCE])
def test_as_many_packets_as_are_converted_at_once(n: int, small_packets: Pairs, registry: BundledRegistry) -> None:
    decoded = decode(packets([(str(copy), small_packets[0][1]) for copy in range(n)]), registry)
    assert decoded.origins.to_pylist() == [str(copy) for copy in range(n)]
    assert decoded.rejects.num_rows == 0


def test_no_packets_give_an_empty_batch(registry: BundledRegistry) -> None:
    decoded = decode(packets([]), registry)
    assert (len(decoded.alerts), len(decoded.origins), decoded.rejects.num_rows) == (0, 0, 0)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_packets_in_any_chunks_are_the_same(
    data: st.DataObject, small_packets: Pairs, registry: BundledRegistry
) -> None:
    pairs = data.draw(st.permutations(BROKEN + small_packets))
    table = packets([("before", b"\0"), *pairs])
    cuts = data.draw(st.lists(st.integers(1, len(table)), max_size=9).map(sorted))
    chunks = [table.slice(start, end - start) for start, end in pairwise([1, *cuts, len(table)])]
    one, cut = decode(packets(pairs), registry), decode(pa.concat_tables(chunks), registry)
    assert ipc(cut.alerts.table) == ipc(one.alerts.table)
    assert cut.origins.equals(one.origins)
    assert ipc(cut.rejects) == ipc(one.rejects)


def test_packets_without_chunks_give_an_empty_batch(registry: BundledRegistry) -> None:
    decoded = decode(pa.Table.from_batches([], schema=PACKETS), registry)
    assert (len(decoded.alerts), len(decoded.origins), decoded.rejects.num_rows) == (0, 0, 0)


def test_another_table_is_refused(registry: BundledRegistry) -> None:
    with pytest.raises(ValueError, match="expected packets with the columns"):
        decode(pa.table({"payload": pa.array([], pa.binary())}), registry)


@pytest.mark.parametrize("kind", ["lsst/v9_0_396895612567654", "ztf/v4_02_3005140370015010009"])
def test_truncation_anywhere_gives_one_reject(kind: str, sample_packets: Pairs, registry: BundledRegistry) -> None:
    payload = dict(sample_packets)[f"{kind}.avro"]
    step = len(payload) // 150
    cuts = [*range(20), *range(20, len(payload), step), *range(len(payload) - 20, len(payload))]
    decoded = decode(packets([(str(cut), payload[:cut]) for cut in cuts]), registry)
    assert [origin.split("#")[0] for origin in decoded.rejects["origin"].to_pylist()] == [str(cut) for cut in cuts]
    # Only the marker that ends a container may be missing for its record to be readable nonetheless.
    whole = range(len(payload) - 16, len(payload)) if kind.startswith("ztf") else ()
    assert decoded.origins.to_pylist() == [f"{cut}#0" for cut in cuts if cut in whole]


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=400), start=st.sampled_from([b"", b"\0\0\0\3\xe8", b"\0\0\0\2\xc0", b"Obj\x01"]))
def test_random_bytes_never_raise(body: bytes, start: bytes) -> None:
    decoded = decode(packets([("here", start + body)]), BundledRegistry())
    assert len(decoded.alerts) + decoded.rejects.num_rows == 1


@pytest.mark.parametrize("kind", ["lsst/v10_0_170112073820274840", "lsst/v7_4_58804319650054150", "ztf/v3_2", "ztf/v4"])
def test_damaged_packets_never_raise_and_none_is_lost(
    kind: str, sample_packets: Pairs, registry: BundledRegistry
) -> None:
    payload = next(payload for origin, payload in sample_packets if origin.startswith(kind))
    rng = random.Random(kind)
    damaged = []
    for number in range(150):
        bytes_ = bytearray(payload)
        # Most of a packet is cutouts, so damage mostly what comes before them.
        for _ in range(rng.randint(1, 4)):
            bytes_[rng.randrange(min(len(bytes_), rng.choice([64, 2000, len(bytes_)])))] = rng.randrange(256)
        damaged.append((str(number), bytes(bytes_)))
    decoded = decode(packets(damaged), registry)
    origins = {o.split("#")[0] for o in decoded.origins.to_pylist() + decoded.rejects["origin"].to_pylist()}
    assert origins == {origin for origin, _ in damaged}


def test_a_wrong_length_allocates_nothing_like_it(registry: BundledRegistry, make_packet: Any) -> None:
    record = make_packet.record("lsst.v10_0.alert", target_name="x" * 40)
    payload = make_packet.wire("lsst.v10_0.alert", record)
    at = payload.index(b"x" * 40)
    # The length before the string becomes 2 ** 40 bytes, or -1, as an Avro long.
    for length in (b"\x80\x80\x80\x80\x80\x40", b"\x01"):
        tracemalloc.start()
        decoded = decode(packets([("here", payload[: at - 1] + length + payload[at:])]), registry)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert decoded.rejects.num_rows == 1
        assert peak < 50e6


def test_the_schema_of_packets_is_what_is_asked_for() -> None:
    assert packets([("a", b"b")]).schema.equals(PACKETS)
