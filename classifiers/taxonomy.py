"""The classes and their DESC ids.

The tree is the DESC taxonomy that ELAsTiCC asks brokers to answer in; the PLAsTiCC targets are those of
Kessler et al. 2019 (PASP 131, 094501), table 2.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassNode:
    """A class of the DESC taxonomy.

    Parameters
    ----------
    id : DESC classId.
    name : the name that annotations carry.
    parent : classId of the class above, None at the top.
    plasticc : the PLAsTiCC target that maps to it, where there is one.
    column : the name of its probability in conditions, where it has one: ``pSNIa``.
    """

    id: int
    name: str
    parent: int | None = None
    plasticc: int | None = None
    column: str | None = None


OTHER, RESIDUAL, NOT_CLASSIFIED = 100, 200, 300

TAXONOMY = (
    ClassNode(0, "Meta"),
    ClassNode(OTHER, "Other", 0),
    ClassNode(RESIDUAL, "Residual", 0),
    ClassNode(NOT_CLASSIFIED, "NotClassified", 0),
    ClassNode(1000, "Static"),
    ClassNode(2000, "Variable"),
    ClassNode(2200, "Non-recurring", 2000, column="pNonRecurring"),
    ClassNode(2220, "SN-like", 2200, column="pSNLike"),
    ClassNode(2222, "SN Ia", 2220, 90, "pSNIa"),
    ClassNode(2223, "SN Ib/c", 2220, 62, "pSNIbc"),
    ClassNode(2224, "SN II", 2220, 42, "pSNII"),
    ClassNode(2225, "SN Iax", 2220, 52, "pSNIax"),
    ClassNode(2226, "SN Ia-91bg", 2220, 67, "pSNIa91bg"),
    ClassNode(2230, "Fast", 2200, column="pFast"),
    ClassNode(2232, "Kilonova", 2230, 64, "pKilonova"),
    ClassNode(2233, "M-dwarf flare", 2230, 65, "pMDwarfFlare"),
    ClassNode(2234, "Dwarf nova", 2230),
    ClassNode(2235, "Microlensing", 2230, 6, "pMicrolensing"),
    ClassNode(2240, "Long", 2200, column="pLong"),
    ClassNode(2242, "SLSN", 2240, 95, "pSLSN"),
    ClassNode(2243, "TDE", 2240, 15, "pTDE"),
    ClassNode(2244, "ILOT", 2240),
    ClassNode(2245, "CaRT", 2240),
    ClassNode(2246, "PISN", 2240),
    ClassNode(2300, "Recurring", 2000, column="pRecurring"),
    ClassNode(2320, "Periodic", 2300, column="pPeriodic"),
    ClassNode(2322, "Cepheid", 2320),
    ClassNode(2323, "RR Lyrae", 2320, 92, "pRRLyrae"),
    ClassNode(2324, "Delta Scuti", 2320),
    ClassNode(2325, "Eclipsing binary", 2320, 16, "pEclipsingBinary"),
    ClassNode(2326, "LPV/Mira", 2320, 53, "pMira"),
    ClassNode(2330, "Non-periodic", 2300, column="pNonPeriodic"),
    ClassNode(2332, "AGN", 2330, 88, "pAGN"),
)

BY_ID = {node.id: node for node in TAXONOMY}
BY_PLASTICC = {node.plasticc: node for node in TAXONOMY if node.plasticc is not None}

PLASTICC_TARGETS = tuple(sorted(BY_PLASTICC))
"""The 14 PLAsTiCC training classes."""

GALACTIC_TARGETS = (6, 16, 53, 65, 92)
"""The PLAsTiCC targets inside the Milky Way (hostgal_photoz == 0 there)."""


def descendants(class_id: int) -> frozenset[int]:
    """The class itself and every class below it.

    Raises
    ------
    KeyError
        If the taxonomy has no such class.
    """
    below = {BY_ID[class_id].id}
    for node in TAXONOMY:
        if node.parent in below:
            below.add(node.id)
    return frozenset(below)
