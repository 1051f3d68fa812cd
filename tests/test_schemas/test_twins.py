"""Decoding by machine and by fastavro alone: the same tables, rejects, origins and order, whatever the packets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import decode as module
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import BundledRegistry

Pairs = list[tuple[str, bytes]]
ELASTICC = "elasticc.v0_9_1.alert"
SOURCE = {"midPointTai": 60000.0, "ra": 1.0, "decl": 2.0, "filterName": "r", "psFlux": 1.0, "psFluxErr": 1.0}
LSST = "lsst.v10_0.alert"
PLACED = {"midpointMjdTai": 60000.0, "ra": 10.0, "dec": -5.0}


@pytest.fixture(scope="module")
def mutated(data_dir: Path) -> Callable[[int], Pairs]:
    """Makes batches of mutated packets, as the benchmark does, which is no part of the installed packages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2]))
        from benchmarks.fuzzing.mix import make_batch
        from benchmarks.fuzzing.templates import load_templates
    templates = load_templates(data_dir / "packets")
    return lambda number: make_batch(templates, 3, number)


def both(pairs: Pairs, registry: BundledRegistry) -> Decoded:
    """What decoding gives, after a look that fastavro alone gives the same."""
    by_machine = decode(packets(pairs), registry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "portions", lambda *_: ())
        alone = decode(packets(pairs), registry)
    assert by_machine.alerts.table.equals(alone.alerts.table)
    assert by_machine.origins.equals(alone.origins)
    assert by_machine.rejects.equals(alone.rejects)
    return by_machine


def refuse_fastavro(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any packet that the machine leaves to fastavro fail the test."""

    def unwrap(origin: str, *_: Any) -> None:
        pytest.fail(f"{origin} was left to fastavro")

    monkeypatch.setattr(module, "unwrap", unwrap)


def test_every_real_packet_is_read_by_the_machine(
    sample_packets: Pairs, registry: BundledRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert both(sample_packets, registry).rejects.num_rows == 0
    refuse_fastavro(monkeypatch)
    assert len(decode(packets(sample_packets), registry).alerts) == len(sample_packets)


@pytest.mark.parametrize("number", range(12))
def test_mutated_packets(number: int, mutated: Callable[[int], Pairs], registry: BundledRegistry) -> None:
    both(mutated(number), registry)


def test_each_record_of_a_container(
    registry: BundledRegistry, make_packet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [make_packet.record(ELASTICC, alertId=number, diaSource=SOURCE) for number in range(10)]
    pairs = [
        (codec, make_packet.container(ELASTICC, *records, codec=codec, sync_interval=150))
        for codec in ("null", "deflate", "snappy", "zstandard")
    ]
    assert both(pairs, registry).alerts.table["alert_id"].to_pylist() == [*range(10)] * 4
    refuse_fastavro(monkeypatch)
    origins = decode(packets(pairs), registry).origins.to_pylist()
    assert origins == [f"{codec}#{number}" for codec, _ in pairs for number in range(10)]


def test_one_bad_record_sends_its_whole_packet_to_fastavro(registry: BundledRegistry, make_packet: Any) -> None:
    good = make_packet.record(ELASTICC, diaSource=SOURCE)
    bad = make_packet.record(ELASTICC, diaSource=SOURCE | {"ra": float("nan")})
    pairs = [
        (str(k), make_packet.container(ELASTICC, *records)) for k, records in enumerate([[good], [good, bad], [good]])
    ]
    decoded = both(pairs, registry)
    assert decoded.origins.to_pylist() == ["0", "1#0", "2"]
    assert decoded.rejects["origin"].to_pylist() == ["1#1"]


def test_a_broken_block_sends_its_whole_packet_to_fastavro(registry: BundledRegistry, make_packet: Any) -> None:
    records = [make_packet.record(ELASTICC, alertId=number, diaSource=SOURCE) for number in range(10)]
    payload = make_packet.container(ELASTICC, *records, sync_interval=150)
    decoded = both([("a", payload), ("b", payload[:-30]), ("c", payload)], registry)
    assert decoded.rejects["origin"].to_pylist() == [f"b#{len(decoded.alerts) - 20}"]


def test_text_beyond_ascii_is_left_to_fastavro(registry: BundledRegistry, make_packet: Any) -> None:
    named = make_packet.record(LSST, target_name="Čerenkov", diaSource=PLACED)
    assert len(both([("here", make_packet.wire(LSST, named))], registry).alerts) == 1


def test_an_id_of_no_signed_integer_is_no_matter_for_the_others(registry: BundledRegistry, make_packet: Any) -> None:
    class Anything:
        """A registry that knows one schema by any id."""

        by_id = staticmethod(lambda _: registry.by_name(LSST))

    record = make_packet.record(LSST, diaSource=PLACED)
    pairs = [(str(key), make_packet.wire(LSST, record, key)) for key in (1, 2**32 - 1, 2**31 - 1)]
    decoded = both(pairs, Anything())  # type: ignore[arg-type]  # is all that decoding needs
    assert decoded.origins.to_pylist() == ["1", str(2**31 - 1)]


def test_packets_held_at_once_do_not_matter(
    sample_packets: Pairs, registry: BundledRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = [pair for pair in sample_packets if pair[0].startswith("ztf")]
    whole = decode(packets(containers), registry)
    monkeypatch.setattr("schemas._portions._MOST_HELD_BYTES", 1)
    assert decode(packets(containers), registry).alerts.table.equals(whole.alerts.table)


def test_packets_from_the_middle_of_a_table(sample_packets: Pairs, registry: BundledRegistry) -> None:
    part = packets(sample_packets).slice(3, 5)
    assert decode(part, registry).origins.to_pylist() == [origin for origin, _ in sample_packets[3:8]]
