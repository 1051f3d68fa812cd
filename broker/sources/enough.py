"""How many packets are worth a call of the pure function? The same for every source."""

ENOUGH_PACKETS = 192
"""Whatever it is given, a call takes some 20 ms with a hundred filters, most of it to plan them. Sources come in
smaller pieces: Spark's batches of messages are small, because small ones cross from Java fastest."""

ENOUGH_BYTES = 48 * 2**20
"""Bytes that are worth a call however few packets they are: large packets shall not fill the memory."""


def enough(packets: int, size: int) -> bool:
    """Whether so many packets of so many bytes in all are worth a call."""
    return packets >= ENOUGH_PACKETS or size >= ENOUGH_BYTES
