"""How harvests cross Spark, and what a worker makes of file names and of Kafka's records, without starting Spark."""

import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.filters.definition import Filter
from broker.harvest import RECORDS, Harvest, join
from broker.outgoing.destinations import Topics, destinations
from broker.outgoing.schema_ids import local_id
from broker.pipeline import Outcome, process
from broker.sources.intake import FileReader, KafkaReader
from broker.sources.kafka import MESSAGES
from broker.spark.directory import NAMES
from broker.spark.worker import HARVEST, Worker, pack, unpack
from classifiers.bundle import Bundle
from schemas.packets import packets
from schemas.registry import BundledRegistry

TABLES = ("annotations", "rejects", "messages", "records")


def tables(harvest: Harvest) -> dict[str, pa.Table]:
    outcome = harvest.outcome
    return dict(zip(TABLES, (outcome.annotations, outcome.rejects, harvest.messages, harvest.records), strict=True))


def same(one: Harvest, other: Harvest) -> bool:
    """Equal in values, types and the metadata of the columns."""
    counts = [(h.outcome.received, h.outcome.filter_errors) for h in (one, other)]
    pairs = zip(tables(one).values(), tables(other).values(), strict=True)
    return counts[0] == counts[1] and all(
        a.equals(b) and a.schema.equals(b.schema, check_metadata=True) for a, b in pairs
    )


def crossed(*harvests: Harvest) -> Harvest | None:
    return unpack(pa.Table.from_batches([pack(harvest) for harvest in harvests], schema=HARVEST))


@pytest.fixture
def harvests(outcomes: list[Outcome]) -> list[Harvest]:
    """The outcomes, each with messages and records of its own."""

    def make(number: int, outcome: Outcome) -> Harvest:
        messages = pa.Table.from_pylist(
            [{"topic": "t", "partition": 0, "offset": number, "timestamp": 7, "size": 9}], schema=MESSAGES
        )
        last = outcome.annotations.num_rows - 1
        records = [{"row": row, "destination": "d", "value": b"%d %d" % (number, row)} for row in (0, 0, last)]
        return Harvest(outcome, messages, pa.Table.from_pylist(records, schema=RECORDS))

    return [make(number, outcome) for number, outcome in enumerate(outcomes)]


def test_a_harvest_comes_out_as_it_went_in(harvests: list[Harvest]) -> None:
    for harvest in harvests:
        assert same(crossed(harvest), harvest)
    assert harvests[2].outcome.rejects.num_rows == 2


def test_a_filter_that_failed_is_still_known_on_the_other_side(outcomes: list[Outcome]) -> None:
    failed = Harvest(replace(outcomes[0], filter_errors=Counter({"mine": 10})))
    both = crossed(failed, Harvest(replace(outcomes[1], filter_errors=Counter({"mine": 2, "yours": 3}))))
    assert crossed(failed).outcome.filter_errors == Counter({"mine": 10})
    assert both.outcome.filter_errors == Counter({"mine": 12, "yours": 3})


def test_the_harvests_of_a_micro_batch_are_joined_in_their_order(
    harvests: list[Harvest], outcomes: list[Outcome]
) -> None:
    joined = crossed(*harvests)
    assert same(joined, join(harvests))
    assert joined.outcome.received == sum(outcome.received for outcome in outcomes)
    origins = [origin for outcome in outcomes for origin in outcome.annotations["origin"].to_pylist()]
    assert joined.outcome.annotations["origin"].to_pylist() == origins
    assert joined.messages["offset"].to_pylist() == [0, 1, 2]


def test_the_seconds_of_each_step_cross_and_add_up(harvests: list[Harvest]) -> None:
    one, other = (
        replace(harvest, seconds=seconds)
        for harvest, seconds in zip(harvests, ({"decode": 0.25, "filters": 1.0}, {"decode": 0.5}), strict=False)
    )
    assert crossed(one, other).seconds == {"decode": 0.75, "filters": 1.0}
    assert crossed(*harvests).seconds == {}


def test_records_still_name_the_rows_that_they_were_made_of(harvests: list[Harvest]) -> None:
    def named(harvest: Harvest) -> list[tuple[str, bytes]]:
        origins = harvest.outcome.annotations["origin"].to_pylist()
        return [(origins[record["row"]], record["value"]) for record in harvest.records.to_pylist()]

    assert named(join(harvests)) == [pair for harvest in harvests for pair in named(harvest)]


def test_a_micro_batch_of_no_files_has_no_harvest() -> None:
    assert unpack(HARVEST.empty_table()) is None


def test_a_harvest_of_rejects_alone_crosses_too(registry: BundledRegistry, bundle: Bundle) -> None:
    broken = Harvest(process(packets([("broken", b"")]), registry, bundle))
    assert same(crossed(broken), broken)
    assert (broken.outcome.annotations.num_rows, broken.outcome.received) == (0, 1)


def test_a_worker_gives_what_the_pipeline_gives_and_counts_what_cannot_be_read(
    data_dir: Path, registry: BundledRegistry, bundle: Bundle, filters: tuple[Filter, ...]
) -> None:
    folder = data_dir / "packets"
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("lsst/v9_0_*.avro"))
    parts = (names[:2], [], [*names[2:], "lsst/missing.avro"])
    batches = [pa.record_batch([pa.array(part, NAMES.field("name").type)], schema=NAMES) for part in parts]
    worker = Worker(FileReader(folder), bundle.path, filters)
    made = unpack(pa.Table.from_batches(worker(iter(batches)), schema=HARVEST))
    direct = process(packets([(name, (folder / name).read_bytes()) for name in names]), registry, bundle, filters)
    rejects = made.outcome.rejects.select(["origin", "stage"]).to_pylist()
    assert made.outcome.annotations.equals(direct.annotations)
    assert rejects == [{"origin": "lsst/missing.avro", "stage": "read"}]
    assert made.outcome.received == len(names) + 1
    assert made.messages.num_rows == made.records.num_rows == 0
    assert set(made.seconds) == {"registry", "decode", "features", "classify", "annotate", "filters", "encode"}
    assert all(seconds > 0 for seconds in made.seconds.values())


@pytest.mark.parametrize("enough", [1, 6, 192])
def test_kafka_s_records_give_what_the_pipeline_gives_whatever_batches_they_come_in(
    monkeypatch: pytest.MonkeyPatch,
    enough: int,
    lsst_packets: list[tuple[str, bytes]],
    registry: BundledRegistry,
    bundle: Bundle,
    filters: tuple[Filter, ...],
    kafka_records: Callable[..., pa.RecordBatch],
) -> None:
    monkeypatch.setattr("broker.sources.enough.ENOUGH_PACKETS", enough)
    payloads = [*(payload for _, payload in lsst_packets[:6]), b"", None]
    wanted = destinations(filters, schema_for(bundle.manifest), Topics("x-{filter}"), lambda _, avro: local_id(avro))
    worker = pickle.loads(pickle.dumps(Worker(KafkaReader(), bundle.path, filters, wanted)))  # noqa: S301  # our own
    parts = (0, 2), (2, 5), (5, 5), (5, 8)
    batches = [kafka_records(payloads[start:end], first=40 + start) for start, end in parts]
    made = unpack(pa.Table.from_batches(worker(iter(batches)), schema=HARVEST))
    origins = [f"alerts/0/{40 + k}" for k in range(8)]
    pairs = [(origin, payload or b"") for origin, payload in zip(origins, payloads, strict=True)]
    direct = process(packets(pairs), registry, bundle, filters)
    assert made.outcome.annotations.equals(direct.annotations)
    assert made.outcome.rejects.equals(direct.rejects)
    assert made.messages["offset"].to_pylist() == list(range(40, 48))
    assert made.messages["size"].to_pylist() == [len(payload) for _, payload in pairs]
    matched = [len(names) for names in direct.annotations["matchedFilters"].to_pylist()]
    assert Counter(made.records["row"].to_pylist()) == Counter(dict(enumerate(matched)))
