"""What the parts of the benchmark share; each thing is made when it is first asked for."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

import pyarrow as pa

from benchmarks.speeding.lots import Lot, packet_lots, synthetic_lots
from benchmarks.speeding.runs import Runs
from benchmarks.speeding.scale import Scale
from broker.errors import WrongInputError
from broker.pipeline import process
from broker.replay_packets import Originals, read_packets
from broker.sources.gathered import Packet
from classifiers.bundle import Bundle, default_bundle_path
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry


class Bench:
    """Packets, the model, and what they become; used as a context.

    Parameters
    ----------
    scale : how much is measured.
    directory : where the packets are.
    folder : for everything that is written.
    say : is told what is being done.

    Raises
    ------
    WrongInputError
        If there are no packets.
    """

    def __init__(self, scale: Scale, directory: Path, folder: Path, say: Callable[[str], None]) -> None:
        self.scale, self.directory, self.folder, self.say = scale, directory, folder, say
        self.packets: list[Packet] = list(read_packets([directory]))
        self._cleanup = ExitStack()
        if not self.packets:
            raise WrongInputError(f"there are no packets below {directory}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    @cached_property
    def registry(self) -> BundledRegistry:
        """The schemas."""
        return BundledRegistry()

    @cached_property
    def bundle(self) -> Bundle:
        """The model that ships."""
        return Bundle.load(default_bundle_path())

    @cached_property
    def lots(self) -> list[Lot]:
        """Alerts to time a stage with: of the packets, then made-up ones."""
        decoded = decode(packets(self.packets), self.registry)
        if not len(decoded.alerts):
            raise WrongInputError(f"no packet below {self.directory} can be decoded")
        return [*packet_lots(decoded.alerts, self.scale), *synthetic_lots(self.scale)]

    @cached_property
    def annotations(self) -> pa.Table:
        """What the packets become."""
        return process(packets(self.packets), self.registry, self.bundle).annotations

    @cached_property
    def runs(self) -> Runs:
        """A Kafka broker with packets in it, and runs that read them."""
        originals = Originals.of(self.packets, self.registry)
        templates = [(origin, template) for origin, template in originals.templates if template.ids]
        return self._cleanup.enter_context(Runs(self.folder, self.scale, templates, self.annotations, self.say))
