"""ELAsTiCC: where the columns come from, schema versions 0.9 and 0.9.1.

Source: LSSTDESC/elasticc, bundled in schemas/avro/elasticc; the fields' meaning is that of the training sample's
A_FORMAT.TXT: `psFlux` is SNANA's FLUXCAL, `hostgal_zphot` the mean of the photo-z distribution and `hostgal_zphot_err`
its rms, -9 where there is no host. `midPointTai` is MJD TAI.

Not read, on purpose: `z_final`, the spectroscopic redshift where there is one; `hostgal_zspec`; and `hostgal_z` of the
first 0.9 packets, whose error of 0.001 out to redshift 2.9 shows that it is no photo-z. Visits are told apart by their
times, not by `ccdVisitId`, which 0.9.1 lacks and the first 0.9 packets fill with one and the same number.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas._gather import band_index, bands, column, flux_columns, joined, numbers, snr
from schemas.survey import Field, Items, RawPoints, Survey, Values

FLUXCAL_NANOJANSKY = 36.307805477010135
"""One unit of FLUXCAL (AB zero point 27.5) in nJy (AB zero point 31.4): 10 ** (0.4 * (31.4 - 27.5))."""

_LARGEST = 1000.0
"""No redshift and no reddening [mag] is larger."""

_POINT = {
    "band": Field("text", "filterName"),
    "mjd": Field("number", "midPointTai"),
    "flux": Field("number", "psFlux"),
    "flux_err": Field("number", "psFluxErr"),
}

_FIELDS = {
    **{name: Field(field.kind, f"diaSource.{field.path}") for name, field in _POINT.items()},
    "photoz": Field("number", "diaObject?.hostgal_zphot?"),
    "photoz_err": Field("number", "diaObject?.hostgal_zphot_err?"),
    "ebv": Field("number", "diaObject?.mwebv?"),
    "ebv_err": Field("number", "diaObject?.mwebv_err?"),
    "alert_id": Field("id", "alertId"),
    "source_id": Field("id", "diaSource.diaSourceId"),
    "object_id": Field("id", "diaSource.diaObjectId?"),
    "ra": Field("number", "diaSource.ra"),
    "dec": Field("number", "diaSource.decl"),
}


def _measured(
    value: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A pair of non-negative numbers, NaN where unfilled: below 0 (-9, -99, -999), 0 with an error of 0, or absurd."""
    known = (value >= 0) & (value <= _LARGEST) & ~((value == 0) & (error == 0))
    return np.where(known, value, np.nan), np.where(known & (error >= 0), error, np.nan)


def _band_names(filters: pa.Array) -> pa.Array:
    """The bands that filter names mean; ELAsTiCC writes Y for y."""
    return pc.if_else(pc.equal(filters, "Y"), "y", filters)


def _flux(given: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Flux and its error [nJy]."""
    return numbers(given["flux"]) * FLUXCAL_NANOJANSKY, numbers(given["flux_err"]) * FLUXCAL_NANOJANSKY


def _columns(alerts: Values) -> dict[str, pa.Array]:
    flux, flux_err = _flux(alerts)
    photoz, photoz_err = _measured(numbers(alerts["photoz"]), numbers(alerts["photoz_err"]))
    ebv, _ = _measured(numbers(alerts["ebv"]), numbers(alerts["ebv_err"]))
    return {
        "alert_id": alerts["alert_id"],
        "source_id": alerts["source_id"],
        "object_id": alerts["object_id"].cast(pa.utf8()),
        "mjd": column(numbers(alerts["mjd"])),
        "ra": column(numbers(alerts["ra"])),
        "dec": column(numbers(alerts["dec"])),
        "band": bands(_band_names(alerts["band"])),
        **flux_columns(flux, flux_err),
        "snr": snr(flux, flux_err),
        "host_photoz": column(photoz),
        "host_photoz_err": column(photoz_err),
        "milky_way_ebv": column(ebv),
        "is_solar_system": pa.array(np.zeros(len(alerts), dtype=np.bool_)),
    }


def _measurements(given: Values, *, forced: bool) -> RawPoints:
    flux, flux_err = _flux(given)
    band = band_index(_band_names(given["band"]))
    return RawPoints(given.owner, numbers(given["mjd"]), flux, flux_err, band, np.full(len(given), forced))


def _points(alerts: Values, items: Mapping[str, Values]) -> RawPoints:
    own, sources = (_measurements(given, forced=False) for given in (alerts, items["sources"]))
    return joined([own, sources, _measurements(items["forced"], forced=True)])


SURVEY = Survey(
    name="elasticc",
    record_name=re.compile(r"elasticc\.v(?P<version>\d+(_\d+)*)\.alert"),
    fields=_FIELDS,
    items={"sources": Items("prvDiaSources?", _POINT), "forced": Items("prvDiaForcedSources?", _POINT)},
    columns=_columns,
    points=_points,
)
