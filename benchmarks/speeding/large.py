"""Packets as large as they come: one of 4 MB, and one with a light curve of 20,000 points."""

from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from schemas.registry import BundledRegistry
from schemas.wire_ids import HEADER_SIZE, WIRE_MAGIC

LARGE_BYTES = 4_000_000
MANY_POINTS = 20_000
CUTOUTS = ("cutoutDifference", "cutoutScience", "cutoutTemplate")
VERSION = "10.0"

ORIGINAL = Path(__file__).parents[2] / "tests" / "data" / "packets" / "lsst" / "v10_0_170112044540887132.avro"


def large_packets() -> dict[str, bytes]:
    """Both, by what they are; each is a real packet to which the rest was added."""
    schema = BundledRegistry().by_version("lsst", VERSION)
    payload = ORIGINAL.read_bytes()
    head = payload[:HEADER_SIZE]
    if not head.startswith(WIRE_MAGIC) or int.from_bytes(head[1:], "big") != schema.id:
        raise RuntimeError(f"{ORIGINAL} isn't a packet of {schema.name}")

    def record() -> dict[str, Any]:
        return dict(fastavro.schemaless_reader(BytesIO(payload[HEADER_SIZE:]), schema.parsed))

    def packet(content: dict[str, Any]) -> bytes:
        out = BytesIO()
        fastavro.schemaless_writer(out, schema.parsed, content)
        return head + out.getvalue()

    return {"4-MB": packet(_padded(record(), 1)), "20000-points": packet(_lengthened(record(), 2))}


def _padded(record: dict[str, Any], number: int) -> dict[str, Any]:
    """With larger cutouts."""
    return {**_renumbered(record, number), **dict.fromkeys(CUTOUTS, bytes(LARGE_BYTES // len(CUTOUTS)))}


def _lengthened(record: dict[str, Any], number: int) -> dict[str, Any]:
    """With forced photometry of 20,000 visits, an hour apart."""
    first, sample = record["diaSource"]["midpointMjdTai"] - MANY_POINTS / 24 - 1, record["prvDiaForcedSources"][0]
    forced = [
        {**sample, "diaForcedSourceId": k, "visit": k, "midpointMjdTai": first + k / 24}
        for k in range(1, MANY_POINTS + 1)
    ]
    return {**_renumbered(record, number), "prvDiaForcedSources": forced}


def _renumbered(record: dict[str, Any], number: int) -> dict[str, Any]:
    """Under an id that no other packet has."""
    source = {**record["diaSource"], "diaSourceId": number}
    return {**record, "diaSourceId": number, "diaSource": source}
