"""Everything that is compiled at its first use, used once: what a new installation's first batch would wait for.

Compiled code is kept on disk (numba's cache, beside the code or in ``NUMBA_CACHE_DIR``), so this is done once for each
installation, as when an image is built.
"""

from io import BytesIO
from math import exp
from pathlib import Path
from typing import Any

import fastavro

from broker.errors import RunFailedError
from broker.pipeline import process
from classifiers.bundle import Bundle
from schemas.alerts import BANDS
from schemas.packets import packets
from schemas.registry import BundledRegistry

SCHEMA = "lsst.v10_0.alert"

VISITS = (1, 60)
"""Of each alert; the second has enough for every feature to be computed. Some arrays of a batch of one are of a kind
of their own, which is compiled separately."""


def warm_up(bundle: Path) -> None:
    """Annotate made-up alerts.

    Parameters
    ----------
    bundle : directory of a model bundle.

    Raises
    ------
    BundleError
        If it can't be used.
    RunFailedError
        If an alert isn't annotated.
    """
    made = [(f"made-up/{visits}", _packet(visits)) for visits in VISITS]
    loaded = Bundle.load(bundle)
    for batch in (made, made[:1]):
        rejected = process(packets(batch), BundledRegistry(), loaded).rejects.to_pylist()
        if rejected:
            raise RunFailedError(f"a made-up alert could not be annotated: {rejected[0]['reason']}")


def _packet(visits: int) -> bytes:
    """An LSST packet of an outburst in all bands."""
    schema, out = BundledRegistry().by_name(SCHEMA), BytesIO()
    *earlier, own = (_source(visit, visits) for visit in range(1, visits + 1))
    record = {"diaSourceId": own["diaSourceId"], "diaSource": own, "prvDiaSources": earlier}
    fastavro.schemaless_writer(out, schema.parsed, record)
    return b"\x00" + (schema.id or 0).to_bytes(4, "big") + out.getvalue()


def _source(visit: int, visits: int) -> dict[str, Any]:
    """What its schema asks for, and the measurement: one a day, brightest after a third of them."""
    mjd = 61_000.0 + visit
    since = 3 * visit / visits - 1
    return {
        "diaSourceId": visit, "visit": visit, "detector": 1, "x": 1.0, "y": 1.0, "timeProcessedMjdTai": mjd,
        "midpointMjdTai": mjd, "ra": 150.0, "dec": 2.0, "band": BANDS[visit % len(BANDS)],
        "psfFlux": 5000.0 * exp(-since * since), "psfFluxErr": 100.0, "snr": 50.0,
    }  # fmt: skip
