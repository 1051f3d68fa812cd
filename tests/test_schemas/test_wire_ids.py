"""The ids of a batch's packets, found without looking at one packet after the other."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from schemas.packets import packets
from schemas.wire_ids import schema_ids

PAYLOADS = st.lists(
    st.none() | st.binary(max_size=8) | st.binary(max_size=6).map(lambda rest: b"\0" + rest) | st.just(b"Obj\x01rest")
)


@given(PAYLOADS, PAYLOADS, st.integers(0, 3), st.sampled_from([pa.binary(), pa.large_binary()]))
def test_ids_are_those_of_the_headers(
    first: list[bytes | None], second: list[bytes | None], skipped: int, kind: pa.DataType
) -> None:
    chunks = [pa.array(payloads, kind)[skipped:] for payloads in (first, second)]
    every = [payload for payload in first[skipped:] + second[skipped:] if payload is not None]
    expected = {int.from_bytes(p[1:5], "big") for p in every if len(p) >= 5 and p[0] == 0}
    assert schema_ids(pa.chunked_array(chunks, kind)) == expected
    assert schema_ids(chunks[0]) | schema_ids(chunks[1]) == expected


def test_ids_of_real_packets(sample_packets: list[tuple[str, bytes]]) -> None:
    assert schema_ids(packets(sample_packets)["payload"]) == {704, 900, 1000}
