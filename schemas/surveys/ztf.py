"""ZTF: where the columns come from, schema versions 3.0 to 4.02.

Source: ZwickyTransientFacility/ztf-avro-alert, bundled in schemas/avro/ztf. Magnitudes are AB; `jd` is UTC at the start
of the exposure.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from schemas._gather import BAND_INDEX, PointRow, column, flux_columns, ids, numbers, raw_points, snr
from schemas.survey import RawPoints, Record, Survey

NANOJANSKY_ZERO_POINT = 31.4
"""AB magnitude of 1 nJy."""

TAI_MINUS_UTC_SECONDS = 37.0
"""Since 1 January 2017, before ZTF's first alert; no leap second has been added since."""

SOLAR_SYSTEM_ARCSEC = 5.0
"""A known solar-system object closer than this is taken for the alert's source. ZTF names the nearest within
30 arcsec, and puts -999 where there is none."""

_BANDS = {1: "g", 2: "r", 3: "i"}
_SIGNS = {"t": 1.0, "1": 1.0, "f": -1.0, "0": -1.0}
_MJD_OF_JD = -2400000.5
_BRIGHTEST, _FAINTEST = 0.0, 40.0
_UNFILLED_FLUX = -99990.0
"""Forced photometry that failed has flux and error -99999."""


def _mjd_tai(jd: float | None) -> float | None:
    return None if jd is None else jd + _MJD_OF_JD + TAI_MINUS_UTC_SECONDS / 86400.0


def _nanojansky(magnitude: float | None) -> float:
    """The flux of an AB magnitude [nJy]; NaN for one that is null or no magnitude, such as -999.

    Plain floats, not an array: numpy may round a power differently with an element's place in the array.
    """
    if magnitude is None or not _BRIGHTEST < magnitude < _FAINTEST:
        return float("nan")
    return float(10.0 ** (-0.4 * (magnitude - NANOJANSKY_ZERO_POINT)))


def _source_flux(source: Record) -> tuple[float, float]:
    """Difference flux and its error [nJy], from magpsf, sigmapsf and the sign of the difference."""
    flux, sigma = _nanojansky(source["magpsf"]), source["sigmapsf"]
    flux_err = float("nan") if sigma is None else flux * sigma * float(np.log(10.0)) / 2.5
    return flux * _SIGNS.get(source["isdiffpos"], float("nan")), flux_err


def _forced_flux(forced: Record) -> tuple[float, float]:
    """Difference flux and its error [nJy], from data numbers and the zero point of the image."""
    flux, flux_err = forced["forcediffimflux"], forced["forcediffimfluxunc"]
    if flux is None or flux_err is None or flux < _UNFILLED_FLUX:
        return float("nan"), float("nan")
    unit = _nanojansky(forced["magzpsci"])
    return flux * unit, flux_err * unit


def _reliability(candidate: Record) -> float | None:
    """The deep-learning score where there is one (from 3.3 on), otherwise that of the random forest."""
    score: float | None = candidate.get("drb")
    return candidate.get("rb") if score is None else score


def _is_solar_system(candidate: Record) -> bool:
    distance = candidate.get("ssdistnr")
    return distance is not None and 0 <= distance < SOLAR_SYSTEM_ARCSEC


def _is_negative(candidate: Record) -> bool | None:
    sign = _SIGNS.get(candidate["isdiffpos"])
    return None if sign is None else sign < 0


def _version(_match: re.Match[str], record: Record) -> str:
    return str(record["schemavsn"])


def _columns(records: Sequence[Record]) -> dict[str, pa.Array]:
    candidates = [record["candidate"] for record in records]
    flux, flux_err = (numbers(values) for values in zip(*map(_source_flux, candidates), strict=True))
    candids = ids(record["candid"] for record in records)
    return {
        "alert_id": candids,
        "source_id": candids,
        "object_id": pa.array([record["objectId"] or None for record in records], pa.utf8()),
        "mjd": column(numbers(_mjd_tai(c["jd"]) for c in candidates)),
        "ra": column(numbers(c["ra"] for c in candidates)),
        "dec": column(numbers(c["dec"] for c in candidates)),
        "band": pa.array([_BANDS.get(c["fid"]) for c in candidates], pa.utf8()),
        **flux_columns(flux, flux_err),
        "snr": snr(flux, flux_err),
        "is_solar_system": pa.array([_is_solar_system(c) for c in candidates], pa.bool_()),
        "reliability": column(numbers(map(_reliability, candidates))),
        "is_negative": pa.array([_is_negative(c) for c in candidates], pa.bool_()),
    }


def _sources(record: Record) -> Iterator[Record]:
    """The alert's own source and the earlier ones; an entry with neither id nor magnitude is an upper limit."""
    yield record["candidate"]
    for earlier in record.get("prv_candidates") or ():
        if earlier["candid"] is not None or earlier["magpsf"] is not None:
            yield earlier


def _rows(records: Sequence[Record]) -> Iterator[PointRow]:
    for owner, record in enumerate(records):
        for source in _sources(record):
            yield owner, _mjd_tai(source["jd"]), *_source_flux(source), _band_index(source), False, 0
        for forced in record.get("fp_hists") or ():
            yield owner, _mjd_tai(forced["jd"]), *_forced_flux(forced), _band_index(forced), True, 0


def _band_index(source: Record) -> int:
    return BAND_INDEX.get(_BANDS.get(source["fid"], ""), -1)


def _points(records: Sequence[Record]) -> RawPoints:
    return raw_points(list(_rows(records)), visits=False)


SURVEY = Survey(
    name="ztf",
    record_name=re.compile(r"ztf\.alert"),
    version=_version,
    columns=_columns,
    points=_points,
)
