"""Kafka's records become packets whose origin tells their place."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.sources.enough import ENOUGH_BYTES, ENOUGH_PACKETS
from broker.sources.intake import KafkaReader
from broker.sources.kafka import messages_of, packets_of, partition_names, partitions_of, published, split_partition
from schemas.packets import PACKETS

topics = st.from_regex(r"[A-Za-z0-9._-]{1,30}", fullmatch=True)
payloads = st.lists(st.binary(max_size=20) | st.none(), max_size=5)


@given(topics, st.integers(0, 2**31 - 1), st.integers(0, 2**62), payloads)
def test_every_record_is_a_packet_and_its_origin_leads_back_to_it(
    kafka_records, topic, partition, first, given_payloads
):
    records = pa.Table.from_batches([kafka_records(given_payloads, topic, partition, first)])
    packets, messages = packets_of(records), messages_of(records)
    assert packets.schema.equals(PACKETS)
    assert packets["payload"].to_pylist() == [payload or b"" for payload in given_payloads]
    assert messages["size"].to_pylist() == [len(payload or b"") for payload in given_payloads]
    names = {f"{topic}/{partition}"} if given_payloads else set()
    assert set(partitions_of(packets["origin"]).to_pylist()) == set(partition_names(messages).to_pylist()) == names
    assert list(published(messages)) == packets["origin"].to_pylist()
    assert all(split_partition(name) == (topic, partition) for name in names)


@pytest.mark.parametrize(
    ("origin", "partition"),
    [
        ("alerts/0/7", "alerts/0"),
        ("alerts/0/7#3", "alerts/0"),
        ("alerts/0/7#3#0", "alerts/0"),
        ("lsst.v10-0_x/12/7", "lsst.v10-0_x/12"),
        ("night.tar.gz!member/0/7", None),
        ("a/b/0/7", None),
        ("alerts/0/7.avro", None),
        ("alerts/0", None),
        ("0/7", None),
        ("", None),
    ],
)
def test_only_a_place_in_kafka_has_a_partition(origin, partition):
    assert partitions_of(pa.array([origin])).to_pylist() == [partition]


@pytest.mark.parametrize("name", ["", "alerts", "alerts/x", "/1", "alerts/"])
def test_what_is_no_partition(name):
    with pytest.raises(ValueError, match="isn't topic/partition"):
        split_partition(name)


def test_a_batch_without_records_is_no_intake(kafka_records):
    intakes = list(KafkaReader()([kafka_records([]), kafka_records([b"a", b"b"]), kafka_records([])]))
    assert [intake.packets.num_rows for intake in intakes] == [2]
    assert intakes[0].unread.num_rows == 0
    assert list(KafkaReader()([kafka_records([])])) == []


@given(st.lists(st.integers(0, 3 * ENOUGH_PACKETS // 2), max_size=8), st.integers(0, 5))
def test_batches_are_gathered_until_there_are_enough(kafka_records, sizes, passed_over):
    batches = [kafka_records([b"x"] * (passed_over + size))[passed_over:] for size in sizes]
    intakes = list(KafkaReader()(batches))
    offsets = [offset for intake in intakes for offset in intake.messages["offset"].to_pylist()]
    assert offsets == [offset for batch in batches for offset in batch["offset"].to_pylist()]
    rows = [intake.packets.num_rows for intake in intakes]
    assert all(n >= ENOUGH_PACKETS for n in rows[:-1])
    assert all(0 < n < ENOUGH_PACKETS + max(sizes) for n in rows)


def counted(batches, asked):
    """The batches, with the number of messages of each written down when it is asked for."""
    for batch in batches:
        asked.append(batch.num_rows)
        yield batch


def test_an_intake_is_given_as_soon_as_there_is_enough_and_shares_its_batches_bytes(kafka_records):
    big, small = b"x" * (ENOUGH_BYTES // 2), [b"y"] * (ENOUGH_PACKETS - 1)
    asked: list[int] = []
    batches = [kafka_records(payloads) for payloads in ([big], [big], small, [b"y"], [b"z"])]
    before = pa.total_allocated_bytes()
    intakes = KafkaReader()(counted(batches, asked))
    assert next(intakes).packets["payload"].to_pylist() == [big, big]
    assert asked == [1, 1]
    assert pa.total_allocated_bytes() - before < ENOUGH_BYTES // 10
    assert next(intakes).packets["payload"].to_pylist() == [*small, b"y"]
    assert asked == [1, 1, ENOUGH_PACKETS - 1, 1]
    assert [intake.packets["payload"].to_pylist() for intake in intakes] == [[b"z"]]
