"""How fast LSST packets are decoded, beside fastavro."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.decoding.compare import REGISTRY, Comparison, fields, lsst_packets, whole
from benchmarks.figure import Baseline, Figure, Goal
from benchmarks.speeding.bench import Bench
from broker.errors import RunFailedError
from schemas.decode import decode
from schemas.packets import packets

TIMES_FASTAVRO = Goal("ratio", ">=", 30)


@dataclass(frozen=True)
class _Decoded:
    """What decoding packets of one schema took.

    Parameters
    ----------
    name : of the survey and the schema's version.
    packets : how many there are.
    size : their mean, in bytes.
    found : how long they took.
    """

    name: str
    packets: int
    size: float
    found: Sequence[Comparison]


def measure(bench: Bench) -> Iterator[Figure]:
    """Packets a second, by schema: bytes to the fields that are wanted, and packets to an `AlertBatch`."""
    done: list[_Decoded] = []
    for schema_id, pairs in sorted(lsst_packets(bench.directory).items()):
        decode(packets([*pairs[:1]]), REGISTRY)  # compiles
        found = (fields(schema_id, pairs, bench.scale.rounds), whole(pairs, bench.scale.rounds))
        size = sum(len(payload) for _, payload in pairs) / len(pairs)
        name = f"lsst-{REGISTRY.by_id(schema_id).version}"
        done.append(_Decoded(name, len({origin for origin, _ in pairs}), size, found))
        yield from (_figure(done[-1], one) for one in found)
    if done:
        yield _all_fields(done)


def _figure(decoded: _Decoded, found: Comparison) -> Figure:
    if not found.same:
        raise RunFailedError(f"{found.what} of {decoded.name}: the machine and fastavro don't give the same")
    name = f"decode.{decoded.name}.{'fields' if found.what == 'fields' else 'columns'}"
    details = {"meanBytes": decoded.size, "usPerPacket": found.fast * 1e6, "fastavroUsPerPacket": found.slow * 1e6}
    return Figure(name, 1 / found.fast, "packets/s", Baseline("fastavro", 1 / found.slow), details=details)


def _all_fields(done: Sequence[_Decoded]) -> Figure:
    """Of all packets, as often as there are packets of a schema."""
    count = sum(one.packets for one in done)
    fast, slow = (sum(one.packets * getattr(one.found[0], way) for one in done) / count for way in ("fast", "slow"))
    return Figure("decode.all.fields", 1 / fast, "packets/s", Baseline("fastavro", 1 / slow), TIMES_FASTAVRO)
