"""How outcomes cross Spark, and what a worker does with file names, without starting Spark."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from broker.filters.definition import Filter
from broker.pipeline import Outcome, process
from broker.spark.directory import NAMES
from broker.spark.worker import OUTCOME, FileWorker, join, pack, unpack
from classifiers.bundle import Bundle
from schemas.packets import packets
from schemas.registry import BundledRegistry


def same(one: Outcome, other: Outcome) -> bool:
    """Equal in values, types and the metadata of the columns."""
    tables = ((one.annotations, other.annotations), (one.rejects, other.rejects))
    counts = (one.received, one.filter_errors) == (other.received, other.filter_errors)
    return counts and all(a.equals(b) and a.schema.equals(b.schema, check_metadata=True) for a, b in tables)


def crossed(*outcomes: Outcome) -> Outcome | None:
    return unpack(pa.Table.from_batches([pack(outcome) for outcome in outcomes], schema=OUTCOME))


def test_an_outcome_comes_out_as_it_went_in(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        assert same(crossed(outcome), outcome)
    assert outcomes[2].rejects.num_rows == 2


def test_a_filter_that_failed_is_still_known_on_the_other_side(outcomes: list[Outcome]) -> None:
    failed = replace(outcomes[0], filter_errors=Counter({"mine": 10}))
    both = crossed(failed, replace(outcomes[1], filter_errors=Counter({"mine": 2, "yours": 3})))
    assert crossed(failed).filter_errors == Counter({"mine": 10})
    assert both.filter_errors == Counter({"mine": 12, "yours": 3})


def test_the_outcomes_of_a_micro_batch_are_joined_in_their_order(outcomes: list[Outcome]) -> None:
    joined = crossed(*outcomes)
    assert same(joined, join(outcomes))
    assert joined.received == sum(outcome.received for outcome in outcomes)
    origins = [origin for outcome in outcomes for origin in outcome.annotations["origin"].to_pylist()]
    assert joined.annotations["origin"].to_pylist() == origins


def test_a_micro_batch_of_no_files_has_no_outcome() -> None:
    assert unpack(OUTCOME.empty_table()) is None


def test_an_outcome_of_rejects_alone_crosses_too(registry: BundledRegistry, bundle: Bundle) -> None:
    broken = process(packets([("broken", b"")]), registry, bundle)
    assert same(crossed(broken), broken)
    assert (broken.annotations.num_rows, broken.received) == (0, 1)


def test_a_worker_gives_what_the_pipeline_gives_and_counts_what_cannot_be_read(
    data_dir: Path, registry: BundledRegistry, bundle: Bundle, filters: tuple[Filter, ...]
) -> None:
    folder = data_dir / "packets"
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("lsst/v9_0_*.avro"))
    parts = (names[:2], [], [*names[2:], "lsst/missing.avro"])
    batches = [pa.record_batch([pa.array(part, NAMES.field("name").type)], schema=NAMES) for part in parts]
    made = unpack(pa.Table.from_batches(FileWorker(folder, bundle.path, filters)(iter(batches)), schema=OUTCOME))
    direct = process(packets([(name, (folder / name).read_bytes()) for name in names]), registry, bundle, filters)
    assert made.annotations.equals(direct.annotations)
    assert made.rejects.select(["origin", "stage"]).to_pylist() == [{"origin": "lsst/missing.avro", "stage": "read"}]
    assert made.received == len(names) + 1
