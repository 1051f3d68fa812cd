"""Every survey, and every bundled alert schema: found by itself, so a new module or schema is tested as it is added."""

import random
from typing import Any

import fastavro.utils
import numpy as np
import pytest

from schemas._record_values import values_of_records
from schemas.alerts import SCHEMA
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import BundledRegistry, WriterSchema
from schemas.survey import Survey
from schemas.surveys import discover, recognise

ALERTS = [schema for schema in BundledRegistry() if recognise(schema.record_name)]
LSST = [schema.name for schema in ALERTS if schema.survey == "lsst"]
PLACED = {"diaSource": {"midpointMjdTai": 60000.0, "ra": 10.0, "dec": -5.0}}


def decode_one(payload: bytes, registry: BundledRegistry) -> Decoded:
    return decode(packets([("here", payload)]), registry)


def row(payload: bytes, registry: BundledRegistry) -> dict[str, Any]:
    decoded = decode_one(payload, registry)
    assert decoded.rejects["reason"].to_pylist() == []
    return decoded.alerts.to_rows()[0]


def test_there_are_three_surveys() -> None:
    assert list(discover()) == ["elasticc", "lsst", "ztf"]


@pytest.mark.parametrize("survey", discover().values(), ids=lambda survey: survey.name)
def test_a_survey_has_schemas_and_owns_them_alone(survey: Survey, registry: BundledRegistry) -> None:
    own = [schema for schema in registry if schema.survey == survey.name]
    assert own
    for schema in registry:
        assert bool(survey.record_name.fullmatch(schema.record_name)) == (schema in own)


@pytest.mark.parametrize("survey", discover().values(), ids=lambda survey: survey.name)
def test_a_survey_gives_columns_of_the_right_types(survey: Survey, make_packet: Any) -> None:
    names = [schema.name for schema in ALERTS if schema.survey == survey.name]
    for records in ([make_packet.record(name) for name in names], [make_packet.record(names[0])]):
        alerts, items = values_of_records(survey, records)
        columns, points = survey.columns(alerts), survey.points(alerts, items)
        for name, values in columns.items():
            assert values.type == SCHEMA.field(name).type, name
            assert len(values) == len(records), name
        required = {"alert_id", "source_id", "mjd", "ra", "dec", "is_solar_system"}
        assert required <= set(columns)
        assert len(points.owner) >= len(records)


@pytest.mark.parametrize("survey", discover().values(), ids=lambda survey: survey.name)
def test_a_survey_says_how_many_detectors_there_are_if_its_alerts_tell_their_visit(
    survey: Survey, make_packet: Any
) -> None:
    name = next(schema.name for schema in ALERTS if schema.survey == survey.name)
    columns = survey.columns(values_of_records(survey, [make_packet.record(name)])[0])
    assert ("visit" in columns) == ("detector" in columns) == (survey.detectors is not None)


@pytest.mark.parametrize("schema", ALERTS, ids=lambda schema: schema.name)
def test_generated_records_of_every_schema_decode(
    schema: WriterSchema, registry: BundledRegistry, make_packet: Any
) -> None:
    random.seed(1)
    for generated in fastavro.utils.generate_many(schema.parsed, 5):
        source = generated["candidate" if schema.survey == "ztf" else "diaSource"]
        time = {"ztf": "jd", "lsst": "midpointMjdTai", "elasticc": "midPointTai"}[schema.survey]
        source |= {"ra": 10.0, "decl" if schema.survey == "elasticc" else "dec": -5.0, time: 60000.0}
        if schema.survey == "ztf":
            source["jd"] = 2460000.5
            generated["schemavsn"] = schema.version
        for payload in packings(schema, generated, make_packet):
            alert = row(payload, registry)
            assert (alert["survey"], alert["schema_version"]) == (schema.survey, schema.version)
            assert alert["ra"] == 10.0
            assert alert["dec"] == -5.0
            assert alert["schema_id"] in {None, schema.id}


def packings(schema: WriterSchema, record: dict[str, Any], make_packet: Any) -> list[bytes]:
    container = make_packet.container(schema.name, record)
    return [container] if schema.id is None else [container, make_packet.wire(schema.name, record)]


@pytest.mark.parametrize("name", LSST)
def test_lsst_ids(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    own = {"alertId": 2**62 + 1} if "v7" in name else {"diaSourceId": 2**53 + 1}
    source = {**PLACED["diaSource"], "diaSourceId": 2**53 + 1, "diaObjectId": 2**60 + 1}
    alert = row(make_packet.wire(name, make_packet.record(name, **own, diaSource=source)), registry)
    assert alert["alert_id"] == next(iter(own.values()))
    assert alert["source_id"] == 2**53 + 1
    assert alert["object_id"] == str(2**60 + 1)


@pytest.mark.parametrize("name", LSST)
@pytest.mark.parametrize("unfilled", [None, 0])
def test_lsst_ids_that_are_null_or_zero_are_unknown(
    name: str, unfilled: int | None, registry: BundledRegistry, make_packet: Any
) -> None:
    source = {**PLACED["diaSource"], "diaObjectId": unfilled, "ssObjectId": unfilled}
    alert = row(make_packet.wire(name, make_packet.record(name, diaSource=source)), registry)
    assert alert["object_id"] is None
    assert alert["is_solar_system"] is False


@pytest.mark.parametrize("name", LSST)
def test_lsst_visit_and_detector(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    def given(visit: int, detector: int) -> tuple[Any, Any]:
        source = {**PLACED["diaSource"], "visit": visit, "detector": detector}
        alert = row(make_packet.wire(name, make_packet.record(name, diaSource=source)), registry)
        return alert["visit"], alert["detector"]

    assert given(2**53 + 1, 188) == (2**53 + 1, 188)
    assert given(0, 0) == (None, 0)  # there is no visit 0, and the first detector is 0
    assert given(1, -1) == given(1, 2**31 - 1) == (1, None)


@pytest.mark.parametrize("name", LSST)
def test_lsst_solar_system(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    by_id = make_packet.record(name, diaSource={**PLACED["diaSource"], "ssObjectId": 7})
    known = {"ssObject" if "v7" in name else "ssSource": {"ssObjectId": 7}}
    by_record = make_packet.record(name, **PLACED, **known)
    for record in (by_id, by_record):
        assert row(make_packet.wire(name, record), registry)["is_solar_system"] is True


@pytest.mark.parametrize("name", LSST)
def test_lsst_flags(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    fields = {field for field, _ in registry.by_name(name).fields}
    negative = "isNegative" if "diaSource.isNegative" in fields else "is_negative"
    flags = {"pixelFlags_cr": True, "pixelFlags_edge": False, "centroid_flag": None}
    has_negative = f"diaSource.{negative}" in fields
    source = {**PLACED["diaSource"], **flags, **({negative: True} if has_negative else {})}
    alert = row(make_packet.wire(name, make_packet.record(name, diaSource=source)), registry)
    assert (alert["flag_cosmic_ray"], alert["flag_edge"], alert["flag_centroid"]) == (True, False, None)
    assert alert["is_negative"] is (True if has_negative else None)
    assert alert["is_dipole"] is None


@pytest.mark.parametrize("name", LSST)
def test_lsst_fluxes_are_taken_as_they_are(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    def point(mjd: float, visit: int, flux: float | None) -> dict[str, Any]:
        return {"midpointMjdTai": mjd, "visit": visit, "psfFlux": flux, "psfFluxErr": 2.0, "band": "y"}

    record = make_packet.record(
        name,
        diaSource={**PLACED["diaSource"], **point(60000.0, 3, 30.0)},
        prvDiaSources=[point(59999.0, 2, 20.0), point(59998.0, 1, 10.0)],
        prvDiaForcedSources=[point(59999.0, 2, 21.0), point(59997.0, 0, -5.0), point(59996.0, 9, None)],
    )
    alert = row(make_packet.wire(name, record), registry)
    assert (alert["flux"], alert["flux_err"], alert["band"], alert["n_dropped_points"]) == (30.0, 2.0, "y", 1)
    assert [(p["mjd"], p["flux"], p["detected"]) for p in alert["light_curve"]] == [
        (59997.0, -5.0, False),
        (59998.0, 10.0, True),
        (59999.0, 21.0, True),
        (60000.0, 30.0, True),
    ]


def test_an_absurd_date_in_an_unread_field_rejects_nothing(registry: BundledRegistry, make_packet: Any) -> None:
    record = make_packet.record("lsst.v8_0.alert", diaSource={**PLACED["diaSource"], "time_processed": -(2**62)})
    assert row(make_packet.wire("lsst.v8_0.alert", record), registry)["mjd"] == 60000.0


@pytest.mark.parametrize("name", ["elasticc.v0_9.alert", "elasticc.v0_9_1.alert"])
def test_elasticc_fluxes_have_zero_point_27_5(name: str, registry: BundledRegistry, make_packet: Any) -> None:
    source = {"midPointTai": 60000.0, "ra": 1.0, "decl": 2.0, "psFlux": 100.0, "psFluxErr": 4.0, "filterName": "Y"}
    earlier = [{**source, "midPointTai": 59990.0, "filterName": "g"}]
    record = make_packet.record(name, diaSource=source, prvDiaSources=earlier, prvDiaForcedSources=[])
    alert = row(make_packet.container(name, record), registry)
    # 100 units are magnitude 27.5 - 5 = 22.5, and 22.5 is 10 ** (0.4 * (31.4 - 22.5)) nJy.
    assert alert["flux"] == pytest.approx(10 ** (0.4 * 8.9), rel=1e-12)
    assert alert["flux_err"] == pytest.approx(0.04 * 10 ** (0.4 * 8.9), rel=1e-12)
    assert alert["snr"] == pytest.approx(25.0)
    assert alert["band"] == "y"
    assert [point["band"] for point in alert["light_curve"]] == ["g", "y"]
    assert alert["light_curve"][1]["flux"] == alert["flux"]


def test_elasticc_visits_with_one_placeholder_number_stay_apart(registry: BundledRegistry, make_packet: Any) -> None:
    source = {"ra": 1.0, "psFlux": 1.0, "psFluxErr": 1.0, "filterName": "r", "ccdVisitId": 111111}
    sources = [{**source, "midPointTai": 60000.0 + day} for day in range(5)]
    record = make_packet.record("elasticc.v0_9.alert", diaSource=sources[4], prvDiaSources=sources[:4])
    assert len(row(make_packet.container("elasticc.v0_9.alert", record), registry)["light_curve"]) == 5


@pytest.mark.parametrize(
    ("photoz", "error", "expected"),
    [
        (0.5, 0.1, (0.5, 0.1)),
        (0.5, -9.0, (0.5, None)),
        (-9.0, -9.0, (None, None)),
        (-99.0, 0.1, (None, None)),
        (-999.0, -999.0, (None, None)),
        (0.0, 0.0, (None, None)),
        (None, None, (None, None)),
        (float("nan"), 0.1, (None, None)),
    ],
)
def test_elasticc_host_photoz(
    photoz: float | None, error: float | None, expected: tuple[Any, Any], registry: BundledRegistry, make_packet: Any
) -> None:
    host = {"hostgal_zphot": photoz, "hostgal_zphot_err": error, "z_final": 0.7, "hostgal_zspec": 0.7}
    dust = {"mwebv": photoz, "mwebv_err": error}
    source = {"midPointTai": 60000.0, "ra": 1.0}
    record = make_packet.record("elasticc.v0_9_1.alert", diaSource=source, diaObject={**host, **dust})
    alert = row(make_packet.container("elasticc.v0_9_1.alert", record), registry)
    given = alert["host_photoz"], alert["host_photoz_err"]
    assert given == tuple(value if value is None else pytest.approx(value, rel=1e-6) for value in expected)
    assert alert["milky_way_ebv"] == (None if expected[0] is None else pytest.approx(expected[0], rel=1e-6))


def test_elasticc_redshifts_that_are_no_photoz_are_not_read(registry: BundledRegistry, make_packet: Any) -> None:
    host = {"hostgal_z": 0.7, "hostgal_z_err": 0.001, "z_final": 0.7, "z_final_err": 0.001}
    record = make_packet.record("elasticc.v0_9.alert", diaSource={"midPointTai": 60000.0}, diaObject=host)
    assert row(make_packet.container("elasticc.v0_9.alert", record), registry)["host_photoz"] is None


ZTF = {"jd": 2460000.5, "ra": 1.0, "dec": 2.0, "fid": 3, "magpsf": 20.0, "sigmapsf": 0.1, "isdiffpos": "t"}


def ztf_row(candidate: dict[str, Any], registry: BundledRegistry, make_packet: Any, **given: Any) -> dict[str, Any]:
    record = make_packet.record("ztf.v4_02.alert", schemavsn="4.02", candid=5, candidate={**ZTF, **candidate}, **given)
    return row(make_packet.container("ztf.v4_02.alert", record), registry)


@pytest.mark.parametrize(("sign", "expected"), [("t", 1), ("1", 1), ("f", -1), ("0", -1)])
def test_ztf_magnitudes_become_signed_fluxes(
    sign: str, expected: int, registry: BundledRegistry, make_packet: Any
) -> None:
    alert = ztf_row({"isdiffpos": sign}, registry, make_packet)
    flux = 10 ** (0.4 * 11.4)
    assert alert["flux"] == pytest.approx(expected * flux, rel=1e-9)
    assert alert["flux_err"] == pytest.approx(flux * 0.1 * np.log(10) / 2.5, rel=1e-7)
    assert alert["snr"] == pytest.approx(10.857362, rel=1e-6)
    assert alert["is_negative"] is (expected < 0)
    assert (alert["band"], alert["alert_id"], alert["source_id"]) == ("i", 5, 5)


def test_ztf_time_is_tai(registry: BundledRegistry, make_packet: Any) -> None:
    alert = ztf_row({}, registry, make_packet)
    assert alert["mjd"] == 60000.0 + 37.0 / 86400.0
    assert alert["light_curve"][0]["mjd"] == alert["mjd"]


@pytest.mark.parametrize("broken", [{"magpsf": -999.0}, {"magpsf": float("nan")}, {"isdiffpos": "?"}])
def test_ztf_magnitudes_that_are_none_are_unknown(
    broken: dict[str, Any], registry: BundledRegistry, make_packet: Any
) -> None:
    alert = ztf_row(broken, registry, make_packet)
    assert (alert["flux"], alert["snr"], alert["light_curve"], alert["n_dropped_points"]) == (None, None, [], 1)


@pytest.mark.parametrize(
    ("distance", "expected"), [(None, False), (-999.0, False), (0.0, True), (4.9, True), (5.0, False), (29.0, False)]
)
def test_ztf_solar_system(distance: float | None, expected: bool, registry: BundledRegistry, make_packet: Any) -> None:
    assert ztf_row({"ssdistnr": distance}, registry, make_packet)["is_solar_system"] is expected


def test_ztf_reliability_prefers_the_deep_score(registry: BundledRegistry, make_packet: Any) -> None:
    assert ztf_row({"rb": 0.25, "drb": 0.5}, registry, make_packet)["reliability"] == 0.5
    assert ztf_row({"rb": 0.25, "drb": None}, registry, make_packet)["reliability"] == 0.25


def test_ztf_history_and_forced_photometry(registry: BundledRegistry, make_packet: Any) -> None:
    earlier = [
        {**ZTF, "jd": 2459990.5, "candid": 4, "magpsf": 19.0},
        {"jd": 2459989.5, "fid": 3, "candid": None, "magpsf": None, "diffmaglim": 20.5},
    ]
    forced = [
        {"jd": 2459990.5 + 0.3 / 86400, "fid": 3, "forcediffimflux": 50.0, "forcediffimfluxunc": 5.0, "magzpsci": 26.4},
        {"jd": 2459980.5, "fid": 1, "forcediffimflux": -10.0, "forcediffimfluxunc": 5.0, "magzpsci": 26.4},
        {"jd": 2459970.5, "fid": 1, "forcediffimflux": -99999.0, "forcediffimfluxunc": -99999.0, "magzpsci": 26.4},
    ]
    alert = ztf_row({}, registry, make_packet, prv_candidates=earlier, fp_hists=forced)
    points = [(p["band"], round(p["flux"], 1), p["detected"]) for p in alert["light_curve"]]
    assert points == [("g", -1000.0, False), ("i", 5000.0, True), ("i", round(10 ** (0.4 * 11.4), 1), True)]
    assert alert["n_dropped_points"] == 1
