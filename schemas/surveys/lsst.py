"""LSST: where the columns come from, schema versions 7.0 to 11.0.

Source: the schemas of lsst/alert_packet, bundled in schemas/avro/lsst. Fluxes are in nJy and times MJD TAI at mid
exposure already. An id of 0 means the same as null: real packets carry both.
"""

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from schemas._gather import BAND_INDEX, PointRow, column, flux_columns, ids, numbers, raw_points
from schemas.survey import RawPoints, Record, Survey

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


def _version(match: re.Match[str], _record: Record) -> str:
    return match["version"].replace("_", ".")


def _alert_id(record: Record) -> int | None:
    """The alert's own id up to 7.4; from 8.0 on that of its source."""
    identifier: int | None = record["alertId"] if "alertId" in record else record["diaSourceId"]
    return identifier


def _object_id(record: Record) -> str | None:
    known = record["diaSource"].get("diaObjectId") or (record.get("diaObject") or {}).get("diaObjectId")
    return str(known) if known else None


def _is_solar_system(record: Record) -> bool:
    """By a known object's id, or the record that comes with one: ssObject up to 7.4, then ssSource."""
    associated = record.get("ssSource"), record.get("ssObject")
    return bool(record["diaSource"].get("ssObjectId")) or associated != (None, None)


def _columns(records: Sequence[Record]) -> dict[str, pa.Array]:
    sources = [record["diaSource"] for record in records]

    def read(field: str) -> pa.Array:
        return column(numbers(source.get(field) for source in sources))

    negative = (source.get("isNegative", source.get("is_negative")) for source in sources)
    bands = (source.get("band") for source in sources)
    return {
        "alert_id": ids(_alert_id(record) for record in records),
        "source_id": ids(source["diaSourceId"] for source in sources),
        "object_id": pa.array([_object_id(record) for record in records], pa.utf8()),
        "mjd": read("midpointMjdTai"),
        "ra": read("ra"),
        "dec": read("dec"),
        "band": pa.array([band if band in BAND_INDEX else None for band in bands], pa.utf8()),
        **flux_columns(numbers(s["psfFlux"] for s in sources), numbers(s["psfFluxErr"] for s in sources)),
        "snr": read("snr"),
        "is_solar_system": pa.array([_is_solar_system(record) for record in records], pa.bool_()),
        "reliability": read("reliability"),
        "extendedness": read("extendedness"),
        "is_negative": pa.array(list(negative), pa.bool_()),
        **{name: pa.array([source.get(field) for source in sources], pa.bool_()) for name, field in _FLAGS.items()},
    }


def _rows(records: Sequence[Record]) -> Iterator[PointRow]:
    for owner, record in enumerate(records):
        sources = (record["diaSource"], *(record.get("prvDiaSources") or ()))
        for forced, group in ((False, sources), (True, record.get("prvDiaForcedSources") or ())):
            for p in group:
                band = BAND_INDEX.get(p["band"], -1)
                yield owner, p["midpointMjdTai"], p["psfFlux"], p["psfFluxErr"], band, forced, p["visit"]


def _points(records: Sequence[Record]) -> RawPoints:
    return raw_points(list(_rows(records)), visits=True)


SURVEY = Survey(
    name="lsst",
    record_name=re.compile(r"lsst\.v(?P<version>\d+_\d+)\.alert"),
    version=_version,
    columns=_columns,
    points=_points,
)
