"""The command: time both ways to decode, side by side, and check that they give the same."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import fastavro
import numpy as np
import typer

from schemas._byte_values import values_of_bytes
from schemas._program import program_for
from schemas._record_values import values_of_records
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry
from schemas.survey import Values
from schemas.surveys import discover
from schemas.wire_ids import HEADER_SIZE, WIRE_MAGIC

ROOT = Path(__file__).parents[2]
REGISTRY = BundledRegistry()
_PACKETS_AT_ONCE = 100

Pairs = Sequence[tuple[str, bytes]]


def main(
    directory: Annotated[
        Path, typer.Option("--from", exists=True, file_okay=False, help="Where LSST packets are, *.avro.")
    ] = (ROOT / "tests" / "data" / "packets" / "lsst"),
    rounds: Annotated[int, typer.Option(min=1, help="How often to time each; the fastest counts.")] = 5,
) -> None:
    """Time decoding by machine and by fastavro, one thread; exit with 1 if they don't give the same."""
    groups: defaultdict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for path in sorted(directory.rglob("*.avro")):
        payload = path.read_bytes()
        if payload.startswith(WIRE_MAGIC):
            groups[int.from_bytes(payload[1:HEADER_SIZE], "big")].append((str(path), payload))
    if not groups:
        raise typer.BadParameter(f"no LSST packets below {directory}")
    seconds, _ = _time(lambda: decode(packets(next(iter(groups.values()))[:1]), REGISTRY), 1)
    typer.echo(f"first packet of this process: {seconds:.2f} s")
    same = [_compare(schema_id, pairs, rounds) for schema_id, pairs in groups.items()]
    typer.echo(f"differences {same.count(False)}")
    raise typer.Exit(0 if all(same) else 1)


def _compare(schema_id: int, pairs: Pairs, rounds: int) -> bool:
    """Print the figures of packets of one schema; whether both ways agree."""
    pairs = [*pairs] * -(-_PACKETS_AT_ONCE // len(pairs))
    size = sum(len(payload) for _, payload in pairs) / len(pairs)
    typer.echo(f"schema {schema_id}: {len(pairs)} packets at once, {size / 1000:.0f} kB each")
    return all([_fields(schema_id, pairs, rounds), _whole(pairs, rounds)])


def _fields(schema_id: int, pairs: Pairs, rounds: int) -> bool:
    """From bytes to the fields that are wanted, against fastavro from bytes to records."""
    writer, survey = REGISTRY.by_id(schema_id), discover()["lsst"]
    program = program_for(writer.parsed, survey)
    if program is None:
        raise RuntimeError(f"{writer.name} can't be compiled")
    ends = np.cumsum([len(payload) for _, payload in pairs])
    starts = np.concatenate([[0], ends[:-1]]) + HEADER_SIZE
    places = np.stack([starts, ends, np.ones_like(ends)], axis=1)
    data = np.frombuffer(b"".join(payload for _, payload in pairs), np.uint8)
    fast, read = _time(lambda: values_of_bytes(survey, program, data, places), rounds)
    slow, records = _time(lambda: [_record(payload, writer.parsed) for _, payload in pairs], rounds)
    _tell("fields", fast, slow, len(pairs))
    return bool(read.good.all()) and _plain(read.alerts, read.items) == _plain(*values_of_records(survey, records))


def _whole(pairs: Pairs, rounds: int) -> bool:
    """From packets to an AlertBatch, against the same with fastavro alone."""
    given = packets([(f"{number} {name}", payload) for number, (name, payload) in enumerate(pairs)])
    fast, by_machine = _time(lambda: decode(given, REGISTRY), rounds)
    with patch("schemas.decode.portions", return_value=()):
        slow, alone = _time(lambda: decode(given, REGISTRY), 1)
    _tell("decode", fast, slow, len(pairs))
    agree = [
        by_machine.alerts.table.equals(alone.alerts.table),
        by_machine.origins.equals(alone.origins),
        by_machine.rejects.equals(alone.rejects),
    ]
    return all(agree)


def _time(do: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """The fastest of several rounds [s], and what the last one gave."""
    took, given = [], None
    for _ in range(rounds):
        given = None
        start = time.perf_counter()
        given = do()
        took.append(time.perf_counter() - start)
    return min(took), given


def _tell(what: str, fast: float, slow: float, n: int) -> None:
    typer.echo(f"  {what} {fast / n * 1e6:.1f} us a packet, fastavro {slow / n * 1e6:.1f} us, ratio {slow / fast:.1f}")


def _record(payload: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = fastavro.schemaless_reader(BytesIO(payload[HEADER_SIZE:]), schema)
    return record


def _plain(alerts: Values, items: Mapping[str, Values]) -> list[Any]:
    """Values to compare; NaN equals NaN as text."""
    tables = [alerts, *items.values()]
    return [(t.owner.tolist(), {name: repr(array.to_pylist()) for name, array in t.arrays.items()}) for t in tables]


if __name__ == "__main__":
    typer.run(main)
