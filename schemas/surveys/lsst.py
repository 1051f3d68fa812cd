"""LSST: where the columns come from, schema versions 7.0 to 11.0.

Source: the schemas of lsst/alert_packet, bundled in schemas/avro/lsst. Fluxes are in nJy and times MJD TAI at mid
exposure already. An id of 0 means the same as null: real packets carry both. Detectors, though, count from 0.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas._gather import band_index, bands, column, flux_columns, is_true, joined, numbers, unless
from schemas.survey import Field, Items, RawPoints, Survey, Values

_FLAGS = {
    "flag_psf_flux": "psfFlux_flag",
    "flag_centroid": "centroid_flag",
    "flag_shape": "shape_flag",
    "flag_pixels": "pixelFlags",
    "flag_bad": "pixelFlags_bad",
    "flag_cosmic_ray": "pixelFlags_cr",
    "flag_edge": "pixelFlags_edge",
    "flag_interpolated": "pixelFlags_interpolated",
    "flag_saturated": "pixelFlags_saturated",
    "flag_suspect": "pixelFlags_suspect",
    "flag_streak": "pixelFlags_streak",
    "flag_injected": "pixelFlags_injected",
    "is_dipole": "isDipole",
}

LSSTCAM_SCIENCE_CCDS = 189
"""21 rafts of 9 (Ivezic et al. 2019, ApJ 873, 111): the detectors 0 to 188. Those of the corner rafts have higher
numbers, and no alerts come from them."""

_NO_DETECTOR = 100_000
"""Detectors have lower numbers: those of LSSTCam end at 204."""

_POINT = {
    "band": Field("text", "band"),
    "mjd": Field("number", "midpointMjdTai"),
    "flux": Field("number", "psfFlux"),
    "flux_err": Field("number", "psfFluxErr"),
    "visit": Field("id", "visit"),
}

_FIELDS = {
    **{name: Field(field.kind, f"diaSource.{field.path}") for name, field in _POINT.items()},
    "alert_id": Field("id", "alertId|diaSourceId"),  # its own up to 7.4; from 8.0 on that of its source
    "source_id": Field("id", "diaSource.diaSourceId"),
    "source_object_id": Field("id", "diaSource.diaObjectId?"),
    "object_object_id": Field("id", "diaObject?.diaObjectId?"),
    "detector": Field("id", "diaSource.detector?"),
    "ra": Field("number", "diaSource.ra?"),
    "dec": Field("number", "diaSource.dec?"),
    "snr": Field("number", "diaSource.snr?"),
    "reliability": Field("number", "diaSource.reliability?"),
    "extendedness": Field("number", "diaSource.extendedness?"),
    "solar_system_id": Field("id", "diaSource.ssObjectId?"),
    "ssObject": Field("given", "ssObject?"),  # comes with a known solar-system object up to 7.4
    "ssSource": Field("given", "ssSource?"),  # likewise from 8.0 on
    "is_negative": Field("flag", "diaSource.isNegative|is_negative?"),
    **{name: Field("flag", f"diaSource.{field}?") for name, field in _FLAGS.items()},
}


def _is_solar_system(alerts: Values) -> pa.Array:
    """By a known object's id, or the record that comes with one."""
    by_id = pc.is_valid(unless(alerts["solar_system_id"], 0))
    return pc.or_(by_id, pc.or_(is_true(alerts["ssObject"]), is_true(alerts["ssSource"])))


def _detector(given: pa.Array) -> pa.Array:
    """The detector's number; null for one that no camera has."""
    known = pc.and_(pc.greater_equal(given, 0), pc.less(given, _NO_DETECTOR))
    return pc.if_else(known, given, pa.scalar(None, given.type)).cast(pa.int32())


def _columns(alerts: Values) -> dict[str, pa.Array]:
    measured = ("mjd", "ra", "dec", "snr", "reliability", "extendedness")
    object_id = pc.coalesce(unless(alerts["source_object_id"], 0), unless(alerts["object_object_id"], 0))
    return {
        "alert_id": alerts["alert_id"],
        "source_id": alerts["source_id"],
        "object_id": object_id.cast(pa.utf8()),
        "visit": unless(alerts["visit"], 0),
        "detector": _detector(alerts["detector"]),
        "band": bands(alerts["band"]),
        **{name: column(numbers(alerts[name])) for name in measured},
        **flux_columns(numbers(alerts["flux"]), numbers(alerts["flux_err"])),
        "is_solar_system": _is_solar_system(alerts),
        "is_negative": alerts["is_negative"],
        **{name: alerts[name] for name in _FLAGS},
    }


def _measurements(given: Values, *, forced: bool) -> RawPoints:
    return RawPoints(
        owner=given.owner,
        mjd=numbers(given["mjd"]),
        flux=numbers(given["flux"]),
        flux_err=numbers(given["flux_err"]),
        band=band_index(given["band"]),
        forced=np.full(len(given), forced),
        visit=given["visit"].to_numpy(),
    )


def _points(alerts: Values, items: Mapping[str, Values]) -> RawPoints:
    own, sources = (_measurements(given, forced=False) for given in (alerts, items["sources"]))
    return joined([own, sources, _measurements(items["forced"], forced=True)])


SURVEY = Survey(
    name="lsst",
    record_name=re.compile(r"lsst\.v(?P<version>\d+_\d+)\.alert"),
    fields=_FIELDS,
    items={"sources": Items("prvDiaSources?", _POINT), "forced": Items("prvDiaForcedSources?", _POINT)},
    columns=_columns,
    points=_points,
    detectors=LSSTCAM_SCIENCE_CCDS,
)
