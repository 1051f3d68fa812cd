"""A process that makes batches, puts them through the pure function, and tells how it went."""

import resource
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.fuzzing.check import broken_promises
from benchmarks.fuzzing.mix import make_batch
from benchmarks.fuzzing.templates import Template, load_templates
from broker.annotate import schema_for
from broker.filters.definition import Filter, load_filters
from broker.pipeline import process
from classifiers.bundle import Bundle, default_bundle_path
from schemas.packets import packets
from schemas.registry import BundledRegistry

FILTERS = Path(__file__).parents[2] / "examples" / "filters"

_ROOM_BYTES = 4 * 2**30
"""How much more memory a process may ask for than it has once its models are loaded: beyond that it fails."""

_PAGE_BYTES = resource.getpagesize()


@dataclass(frozen=True)
class Plan:
    """What to mutate, and how: equal plans give equal batches."""

    directory: Path
    seed: int


@dataclass(frozen=True)
class Done:
    """What became of a batch.

    Parameters
    ----------
    number : of the batch.
    packets, received, annotated : numbers of packets, of the alerts in them, and of those annotated.
    rejects : number of rejects by stage.
    failures : what went wrong, one line each.
    seconds : what the pure function took.
    memory : what the process holds in memory [bytes].
    """

    number: int
    packets: int
    received: int = 0
    annotated: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    failures: tuple[str, ...] = ()
    seconds: float = 0.0
    memory: int = 0


class Worker:
    """The templates, the models and the filters, loaded once."""

    def __init__(self, plan: Plan) -> None:
        self.seed = plan.seed
        self._templates: Sequence[Template] = load_templates(plan.directory)
        self._registry = BundledRegistry()
        self._bundle = Bundle.load(default_bundle_path())
        self._filters: tuple[Filter, ...] = load_filters(FILTERS, schema_for(self._bundle.manifest))
        whole = [(template.name, template.payload) for template in self._templates]
        process(packets(whole), self._registry, self._bundle, self._filters)  # compiles and loads what is lazy

    def batch(self, number: int) -> list[tuple[str, bytes]]:
        """The packets of a batch."""
        return make_batch(self._templates, self.seed, number)

    def run(self, number: int) -> Done:
        """Process a batch and check the outcome."""
        given = self.batch(number)
        start = time.perf_counter()
        try:
            outcome = process(packets(given), self._registry, self._bundle, self._filters)
        except Exception as error:  # noqa: BLE001 - nothing may escape, so whatever does is a finding
            return Done(number, len(given), failures=(f"{type(error).__name__} escaped: {error!s:.500}",))
        return Done(
            number,
            len(given),
            outcome.received,
            outcome.annotations.num_rows,
            Counter(outcome.rejects["stage"].to_pylist()),
            tuple(broken_promises(given, outcome, self._filters)),
            time.perf_counter() - start,
            memory_in_use(),
        )


def serve(connection: Connection, plan: Plan, numbers: Iterable[int]) -> None:
    """Run batches; send None when ready, then each batch's number before it and its `Done` after it."""
    worker = Worker(plan)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + _ROOM_BYTES, most))
    connection.send(None)
    for number in numbers:
        connection.send(number)
        connection.send(worker.run(number))
    connection.close()


def memory_in_use() -> int:
    """What this process holds in memory [bytes]."""
    return _statm()[1] * _PAGE_BYTES


def _address_space() -> int:
    return _statm()[0] * _PAGE_BYTES


def _statm() -> list[int]:
    """Linux's count of this process's pages: address space first, then those in memory."""
    return list(map(int, Path("/proc/self/statm").read_text().split()))
