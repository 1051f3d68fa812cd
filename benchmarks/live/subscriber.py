"""A subscriber of all topics at once: shows some of what arrives, and keeps how long each delivery took."""

import json
import math
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
from confluent_kafka import Consumer, Message
from rich.table import Table

from schemas.wire_ids import HEADER_SIZE

SHOWN = 3
"""Of each filter's deliveries that arrive together, so many are shown at most."""


class Subscriber:
    """Reads every topic whose name begins with ``boreal-``.

    Parameters
    ----------
    brokers : ``host:port`` of the Kafka broker.
    schemas : the folder of Avro schemas in the run's results.
    show : is given a line to show.
    """

    def __init__(self, brokers: str, schemas: Path, show: Callable[[str], None]) -> None:
        self._read, self._show = cache(lambda number: _schema(schemas, number)), show
        self._consumer = Consumer(
            {
                "bootstrap.servers": brokers,
                "group.id": "live-demo",
                "auto.offset.reset": "earliest",
                "topic.metadata.refresh.interval.ms": 1000,  # topics are made when the run starts
            }
        )
        self._consumer.subscribe(["^boreal-.*"])
        self.delays: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def listen(self, seconds: float) -> int:
        """Take in what arrives within this time; give the number of deliveries."""
        arrived: dict[str, list[Message]] = defaultdict(list)
        for message in self._consumer.consume(500, seconds):
            if not message.error():
                arrived[_header(message, "filter")].append(message)
        for name, messages in arrived.items():
            for number, message in enumerate(messages):
                self._take(name, message, shown=number % ceil(len(messages) / SHOWN) == 0)
        return sum(map(len, arrived.values()))

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()

    def since(self, start: int) -> dict[str, list[float]]:
        """The delays [s] of packets that Kafka stored at `start` [ms since 1970, UTC] or later, by filter."""
        kept = {name: [late / 1000 for at, late in pairs if at >= start] for name, pairs in sorted(self.delays.items())}
        return {name: delays for name, delays in kept.items() if delays}

    def _take(self, name: str, message: Message, *, shown: bool) -> None:
        published = int(_header(message, "publishedMs"))
        delay = message.timestamp()[1] - published
        self.delays[name].append((published, delay))
        if shown:
            self._show(_line(name, self._record(message.value() or b""), delay))

    def _record(self, value: bytes) -> dict[str, Any]:
        """A delivery: Avro in Confluent's wire format, or JSON."""
        if not value.startswith(b"\0"):
            return dict(json.loads(value))
        schema = self._read(int.from_bytes(value[1:HEADER_SIZE], "big"))
        record: dict[str, Any] = fastavro.schemaless_reader(BytesIO(value[HEADER_SIZE:]), schema)
        return record


def delay_table(delays: dict[str, list[float]]) -> Table:
    """Seconds from Kafka's time stamp of the packet to that of the delivery, a row a filter and one for all."""
    table = Table("filter", title="Seconds from packet to delivery, both by Kafka's clock")
    for heading in ("deliveries", "p50", "p90", "p99", "max"):
        table.add_column(heading, justify="right")
    for name, values in [*delays.items(), ("all", [*chain.from_iterable(delays.values())])]:
        table.add_row(name, f"{len(values):,}", *(f"{q:.2f}" if values else "-" for q in quantiles(values)))
    return table


def quantiles(values: list[float]) -> list[float]:
    """The values that 50, 90, 99 and 100 % are not above; NaN where there are none."""
    return [float(np.percentile(values, percent)) if values else math.nan for percent in (50, 90, 99, 100)]


def _schema(folder: Path, number: int) -> dict[str, Any]:
    return dict(fastavro.parse_schema(json.loads((folder / f"{number}.avsc").read_text(encoding="utf-8"))))


def _header(message: Message, name: str) -> str:
    value = dict(message.headers() or ())[name]
    return value.decode() if isinstance(value, bytes) else str(value)


def _line(name: str, record: dict[str, Any], delay: int) -> str:
    what = "no class" if record["className"] is None else f"{record['className']} {record['probability']:.2f}"
    now = datetime.now(UTC).strftime("%H:%M:%S")
    return f"{now}  {name:22} object {record['objectId'] or '-':20} {what:24} {delay / 1000:6.2f} s"
