"""The parts of the benchmark, in the order in which they run; each can be run alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.figure import Figure
from benchmarks.judging import curves, mallorn, plasticc, simulated, spcc, tables
from benchmarks.judging.judge import Judge


@dataclass(frozen=True)
class Part:
    """One part.

    Parameters
    ----------
    measure : gives its figures, from the folder of data and the run of the benchmark.
    files : what it needs of the folder.
    """

    measure: Callable[[Path, Judge], Iterator[Figure]]
    files: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "curves": Part(curves.measure),
        "plasticc": Part(plasticc.measure, tables.FILES),
        "simulated": Part(simulated.measure, tables.FILES),
        "mallorn": Part(mallorn.measure, mallorn.FILES),
        "spcc": Part(spcc.measure, spcc.FILES),
    }
)
