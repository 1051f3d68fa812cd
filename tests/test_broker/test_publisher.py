"""How messages are taken out of their table for Kafka."""

import pyarrow as pa
import pytest

from broker.kafka.publisher import _rows
from broker.outgoing.outbox import OUTGOING


@pytest.mark.parametrize("size", [1, 3, 100])
def test_messages_are_those_of_the_table_however_it_is_cut(size):
    headers = [[("a", b"1"), ("a", b"2")], [], [("b", b"%d" % k) for k in range(3)]]
    rows = [{"topic": f"t{k % 2}", "key": f"{k}", "value": b"v" * k, "headers": headers[k % 3]} for k in range(10)]
    table = pa.Table.from_pylist(rows, schema=OUTGOING).slice(2)
    found = [message for batch in table.to_batches(max_chunksize=size) for message in _rows(batch)]
    assert found == [(row["topic"], row["value"], row["key"], row["headers"]) for row in rows[2:]]
