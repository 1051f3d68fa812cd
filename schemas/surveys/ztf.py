"""ZTF: where the columns come from, schema versions 3.0 to 4.02.

Source: ZwickyTransientFacility/ztf-avro-alert, bundled in schemas/avro/ztf. Magnitudes are AB; `jd` is UTC at the start
of the exposure.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas._gather import band_index, column, flux_columns, joined, numbers, snr, unless
from schemas.survey import Field, Items, RawPoints, Survey, Values

NANOJANSKY_ZERO_POINT = 31.4
"""AB magnitude of 1 nJy."""

TAI_MINUS_UTC_SECONDS = 37.0
"""Since 1 January 2017, before ZTF's first alert; no leap second has been added since."""

SOLAR_SYSTEM_ARCSEC = 5.0
"""A known solar-system object closer than this is taken for the alert's source. ZTF names the nearest within
30 arcsec, and puts -999 where there is none."""

_FILTERS = pa.array([1, 2, 3], pa.int64())
_BANDS = pa.array(["g", "r", "i"])
_SIGN_LETTERS = pa.array(["t", "1", "f", "0"])
_SIGNS = pa.array([1.0, 1.0, -1.0, -1.0])
_MJD_OF_JD = -2400000.5
_BRIGHTEST, _FAINTEST = 0.0, 40.0
_UNFILLED_FLUX = -99990.0
"""Forced photometry that failed has flux and error -99999."""

_LN_10 = float(np.log(10.0))

_SOURCE = {
    "jd": Field("number", "jd"),
    "magpsf": Field("number", "magpsf"),
    "sigmapsf": Field("number", "sigmapsf"),
    "isdiffpos": Field("text", "isdiffpos"),
    "fid": Field("id", "fid"),
}

_FORCED = {
    "jd": Field("number", "jd"),
    "flux": Field("number", "forcediffimflux"),
    "flux_err": Field("number", "forcediffimfluxunc"),
    "zero_point": Field("number", "magzpsci"),
    "fid": Field("id", "fid"),
}

_FIELDS = {
    **{name: Field(field.kind, f"candidate.{field.path}") for name, field in _SOURCE.items()},
    "candid": Field("id", "candid"),
    "object_id": Field("text", "objectId"),
    "ra": Field("number", "candidate.ra"),
    "dec": Field("number", "candidate.dec"),
    "solar_system_arcsec": Field("number", "candidate.ssdistnr?"),
    "deep_score": Field("number", "candidate.drb?"),
    "forest_score": Field("number", "candidate.rb?"),
}


def _mjd_tai(given: Values) -> NDArray[np.float64]:
    return numbers(given["jd"]) + _MJD_OF_JD + TAI_MINUS_UTC_SECONDS / 86400.0


def _nanojansky(magnitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The flux of an AB magnitude [nJy]; NaN for one that is unknown or no magnitude, such as -999.

    Plain floats, not an array: numpy may round a power differently with an element's place in the array.
    """
    exponents = np.where((magnitudes > _BRIGHTEST) & (magnitudes < _FAINTEST), magnitudes, np.nan)
    return np.array([10.0 ** (-0.4 * (magnitude - NANOJANSKY_ZERO_POINT)) for magnitude in exponents.tolist()])


def _sign(given: Values) -> pa.Array:
    """1 or -1, null where the packet doesn't tell."""
    return _SIGNS.take(pc.index_in(given["isdiffpos"], value_set=_SIGN_LETTERS))


def _source_flux(given: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Difference flux and its error [nJy], from magpsf, sigmapsf and the sign of the difference."""
    flux = _nanojansky(numbers(given["magpsf"]))
    return flux * numbers(_sign(given)), flux * numbers(given["sigmapsf"]) * _LN_10 / 2.5


def _forced_flux(given: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Difference flux and its error [nJy], from data numbers and the zero point of the image."""
    flux, flux_err = numbers(given["flux"]), numbers(given["flux_err"])
    unfilled = np.isnan(flux) | np.isnan(flux_err) | (flux < _UNFILLED_FLUX)
    unit = np.where(unfilled, np.nan, _nanojansky(numbers(given["zero_point"])))
    return flux * unit, flux_err * unit


def _band_names(given: Values) -> pa.Array:
    return _BANDS.take(pc.index_in(given["fid"], value_set=_FILTERS))


def _is_solar_system(alerts: Values) -> pa.Array:
    distance = numbers(alerts["solar_system_arcsec"])
    return pa.array((distance >= 0) & (distance < SOLAR_SYSTEM_ARCSEC))


def _columns(alerts: Values) -> dict[str, pa.Array]:
    flux, flux_err = _source_flux(alerts)
    return {
        "alert_id": alerts["candid"],
        "source_id": alerts["candid"],
        "object_id": unless(alerts["object_id"], ""),
        "mjd": column(_mjd_tai(alerts)),
        "ra": column(numbers(alerts["ra"])),
        "dec": column(numbers(alerts["dec"])),
        "band": _band_names(alerts),
        **flux_columns(flux, flux_err),
        "snr": snr(flux, flux_err),
        "is_solar_system": _is_solar_system(alerts),
        # The deep-learning score where there is one (from 3.3 on), otherwise that of the random forest.
        "reliability": column(numbers(pc.coalesce(alerts["deep_score"], alerts["forest_score"]))),
        "is_negative": pc.less(_sign(alerts), 0.0),
    }


def _measurements(
    given: Values, flux: NDArray[np.float64], flux_err: NDArray[np.float64], *, forced: bool
) -> RawPoints:
    band = band_index(_band_names(given))
    return RawPoints(given.owner, _mjd_tai(given), flux, flux_err, band, np.full(len(given), forced))


def _detections(given: Values) -> Values:
    """Earlier sources without the entries with neither id nor magnitude: those are upper limits."""
    there = np.asarray(pc.or_(pc.is_valid(given["candid"]), pc.is_valid(given["magpsf"])))
    return Values(given.owner[there], {name: values.filter(there) for name, values in given.arrays.items()})


def _points(alerts: Values, items: Mapping[str, Values]) -> RawPoints:
    earlier, forced = _detections(items["sources"]), items["forced"]
    return joined(
        [
            _measurements(alerts, *_source_flux(alerts), forced=False),
            _measurements(earlier, *_source_flux(earlier), forced=False),
            _measurements(forced, *_forced_flux(forced), forced=True),
        ]
    )


SURVEY = Survey(
    name="ztf",
    record_name=re.compile(r"ztf\.alert"),
    fields=_FIELDS,
    items={
        "sources": Items("prv_candidates?", {"candid": Field("id", "candid"), **_SOURCE}),
        "forced": Items("fp_hists?", _FORCED),
    },
    columns=_columns,
    points=_points,
    version_field="schemavsn",
)
