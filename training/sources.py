"""Which objects a bundle is fitted on, and which are kept back to test it.

Nothing that a test object was drawn after, or that was drawn after it, is among the objects that are fitted on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import AlertBatch
from training.examples import Objects, class_index
from training.light_curves import real_elasticc2, real_plasticc
from training.shipped import shipped
from training.simulate import simulate

BALANCE = 0.3
"""How far the simulated class shares are moved from PLAsTiCC's training set to equal ones."""

SHIPPED_OBJECTS = 40_000
"""Simulated objects of the bundle that ships, test objects included."""

HELD_OUT_PARENTS = 0.2
"""Share of the published objects of which neither they nor what is simulated after them is fitted on."""

SIMULATED = "Boreal's simulator, drawn after the PLAsTiCC training set's metadata"
PLASTICC = "PLAsTiCC training light curves (Zenodo 2539456; 100 that are published outside the archive)"
ELASTICC2 = "ELAsTiCC2 training light curves (LSSTDESC, 1 % sample: SN Ib, kilonovae, M-dwarf flares)"


@dataclass(frozen=True)
class Source:
    """Objects of one origin, parted into those to fit on and those to test on."""

    name: str
    licence: str
    fit: Objects
    test: Objects


def sources(n_simulated: int, seed: int) -> tuple[Source, ...]:
    """All objects there are: simulated ones, and the published light curves that ship.

    Parameters
    ----------
    n_simulated : number of simulated objects, test objects included.
    seed : of the simulation and of the choice of test objects.
    """
    simulated = _simulated(n_simulated, seed)
    held, plasticc, elasticc2 = _published_sources(seed)
    return _parted(SIMULATED, "Apache-2.0; metadata CC BY 4.0", simulated, held), plasticc, elasticc2


def published_sources(seed: int) -> tuple[Source, Source]:
    """The published light curves that ship: PLAsTiCC's and ELAsTiCC2's, parted as `sources` parts them.

    Parameters
    ----------
    seed : of the choice of test objects.
    """
    _, *found = _published_sources(seed)
    return found[0], found[1]


def _published_sources(seed: int) -> tuple[NDArray[np.int64], Source, Source]:
    """The published objects that nothing may be fitted on, and the sources."""
    rng = np.random.default_rng(seed)
    plasticc, elasticc2 = _published(*real_plasticc()), _published(*real_elasticc2())
    # ELAsTiCC2 counts its objects on its own; a minus keeps its ids apart from PLAsTiCC's.
    elasticc2 = Objects(elasticc2.alerts, elasticc2.labels, -elasticc2.parents)
    others = np.setdiff1d(shipped("plasticc_metadata")["object_id"].to_numpy(np.int64), plasticc.parents)
    held = np.concatenate([_half_of_each_class(rng, plasticc), _some(rng, others, HELD_OUT_PARENTS)])
    return (
        held,
        _parted(PLASTICC, "CC BY 4.0", plasticc, held),
        _parted(ELASTICC2, "BSD-3-Clause (LBNL)", elasticc2, _half_of_each_class(rng, elasticc2)),
    )


def _simulated(n: int, seed: int) -> Objects:
    alerts, targets, metadata = simulate(n, seed, balance=BALANCE, progress=True)
    return Objects(alerts, class_index(targets), metadata["parent_id"].to_numpy(np.int64))


def _published(alerts: AlertBatch, targets: NDArray[np.int64]) -> Objects:
    return Objects(alerts, class_index(targets), np.asarray(alerts.table["source_id"]))


def _some(rng: np.random.Generator, values: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    return rng.permutation(values)[: int(len(values) * share)]


def _half_of_each_class(rng: np.random.Generator, objects: Objects) -> NDArray[np.int64]:
    return objects.parents[held_out(objects.labels, 0.5, rng)]


def held_out(labels: NDArray[np.int64], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which objects are kept back: the same share of every class, shape (n,)."""
    chosen = np.zeros(len(labels), np.bool_)
    for label in np.unique(labels):
        chosen[_some(rng, np.flatnonzero(labels == label), share)] = True
    return chosen


def _parted(name: str, licence: str, objects: Objects, held: NDArray[np.int64]) -> Source:
    test = np.isin(objects.parents, held)
    return Source(name, licence, objects.where(~test), objects.where(test))
