"""ELAsTiCC: where the columns come from, schema versions 0.9 and 0.9.1.

Source: LSSTDESC/elasticc, bundled in schemas/avro/elasticc; the fields' meaning is that of the training sample's
A_FORMAT.TXT: `psFlux` is SNANA's FLUXCAL, `hostgal_zphot` the mean of the photo-z distribution and `hostgal_zphot_err`
its rms, -9 where there is no host. `midPointTai` is MJD TAI.

Not read, on purpose: `z_final`, the spectroscopic redshift where there is one; `hostgal_zspec`; and `hostgal_z` of the
first 0.9 packets, whose error of 0.001 out to redshift 2.9 shows that it is no photo-z. Visits are told apart by their
times, not by `ccdVisitId`, which 0.9.1 lacks and the first 0.9 packets fill with one and the same number.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas._gather import BAND_INDEX, PointRow, column, flux_columns, ids, numbers, raw_points, snr
from schemas.survey import RawPoints, Record, Survey

FLUXCAL_NANOJANSKY = 36.307805477010135
"""One unit of FLUXCAL (AB zero point 27.5) in nJy (AB zero point 31.4): 10 ** (0.4 * (31.4 - 27.5))."""


_LARGEST = 1000.0
"""No redshift and no reddening [mag] is larger."""


def _band(name: str | None) -> str | None:
    """The band that a filter name means; ELAsTiCC writes Y for y."""
    lower = "y" if name == "Y" else name
    return lower if lower in BAND_INDEX else None


def _measured(
    value: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A pair of non-negative numbers, NaN where unfilled: below 0 (-9, -99, -999), 0 with an error of 0, or absurd."""
    known = (value >= 0) & (value <= _LARGEST) & ~((value == 0) & (error == 0))
    return np.where(known, value, np.nan), np.where(known & (error >= 0), error, np.nan)


def _host(records: Sequence[Record], field: str) -> NDArray[np.float64]:
    return numbers((record.get("diaObject") or {}).get(field) for record in records)


def _version(match: re.Match[str], _record: Record) -> str:
    return match["version"].replace("_", ".")


def _object_id(record: Record) -> str | None:
    known = record["diaSource"].get("diaObjectId")
    return None if known is None else str(known)


def _columns(records: Sequence[Record]) -> dict[str, pa.Array]:
    sources = [record["diaSource"] for record in records]
    flux = numbers(s["psFlux"] for s in sources) * FLUXCAL_NANOJANSKY
    flux_err = numbers(s["psFluxErr"] for s in sources) * FLUXCAL_NANOJANSKY
    photoz, photoz_err = _measured(_host(records, "hostgal_zphot"), _host(records, "hostgal_zphot_err"))
    ebv, _ = _measured(_host(records, "mwebv"), _host(records, "mwebv_err"))
    return {
        "alert_id": ids(record["alertId"] for record in records),
        "source_id": ids(s["diaSourceId"] for s in sources),
        "object_id": pa.array([_object_id(record) for record in records], pa.utf8()),
        "mjd": column(numbers(s["midPointTai"] for s in sources)),
        "ra": column(numbers(s["ra"] for s in sources)),
        "dec": column(numbers(s["decl"] for s in sources)),
        "band": pa.array([_band(s["filterName"]) for s in sources], pa.utf8()),
        **flux_columns(flux, flux_err),
        "snr": snr(flux, flux_err),
        "host_photoz": column(photoz),
        "host_photoz_err": column(photoz_err),
        "milky_way_ebv": column(ebv),
        "is_solar_system": pa.array([False] * len(records), pa.bool_()),
    }


def _rows(records: Sequence[Record]) -> Iterator[PointRow]:
    for owner, record in enumerate(records):
        sources = (record["diaSource"], *(record.get("prvDiaSources") or ()))
        for forced, group in ((False, sources), (True, record.get("prvDiaForcedSources") or ())):
            for p in group:
                band = BAND_INDEX.get(_band(p["filterName"]) or "", -1)
                yield owner, p["midPointTai"], p["psFlux"], p["psFluxErr"], band, forced, 0


def _points(records: Sequence[Record]) -> RawPoints:
    given = raw_points(list(_rows(records)), visits=False)
    flux, flux_err = given.flux * FLUXCAL_NANOJANSKY, given.flux_err * FLUXCAL_NANOJANSKY
    return RawPoints(given.owner, given.mjd, flux, flux_err, given.band, given.forced)


SURVEY = Survey(
    name="elasticc",
    record_name=re.compile(r"elasticc\.v(?P<version>\d+(_\d+)*)\.alert"),
    version=_version,
    columns=_columns,
    points=_points,
)
