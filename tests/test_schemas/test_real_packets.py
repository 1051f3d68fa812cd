"""Real packets: expected values, and a plain row-by-row reading of the same packets that must agree."""

from collections import defaultdict
from io import BytesIO
from typing import Any

import fastavro
import numpy as np
import pytest

from schemas.alerts import FLAGS
from schemas.decode import Decoded, decode
from schemas.packets import packets
from schemas.registry import BundledRegistry

Pairs = list[tuple[str, bytes]]


@pytest.fixture(scope="module")
def decoded(sample_packets: Pairs, registry: BundledRegistry) -> Decoded:
    return decode(packets(sample_packets), registry)


@pytest.fixture(scope="module")
def rows(decoded: Decoded) -> dict[str, dict[str, Any]]:
    return dict(zip(decoded.origins.to_pylist(), decoded.alerts.to_rows(), strict=True))


def test_everything_decodes_in_order(decoded: Decoded, sample_packets: Pairs) -> None:
    assert decoded.rejects.num_rows == 0
    assert decoded.origins.to_pylist() == [origin for origin, _ in sample_packets]


def test_versions(rows: dict[str, dict[str, Any]]) -> None:
    for origin, alert in rows.items():
        survey, name = origin.split("/")
        assert alert["survey"] == survey
        assert name.startswith(f"v{alert['schema_version'].replace('.', '_')}_")
        assert alert["schema_id"] == {"7.4": 704, "9.0": 900, "10.0": 1000}.get(alert["schema_version"])
        assert name.rsplit("_", 1)[1] == f"{alert['source_id']}.avro"


def some(alert: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    return {name: alert[name] for name in expected}


def test_an_lsst_alert(rows: dict[str, dict[str, Any]]) -> None:
    alert = rows["lsst/v10_0_170112044568150081.avro"]
    expected = {
        "alert_id": 170112044568150081,
        "object_id": "170046091945836650",
        "visit": 2026030900026,
        "detector": 144,
        "mjd": 61109.1447367893,
        "ra": 150.06566480569745,
        "dec": 2.929289166076346,
        "band": "g",
        "flux": 16425.716796875,
        "flux_err": 318.44024658203125,
        "snr": 50.941837310791016,
        "host_photoz": None,
        "milky_way_ebv": None,
        "is_solar_system": False,
        "reliability": 0.9599841237068176,
        "n_dropped_points": 0,
    }
    assert some(alert, expected) == expected
    assert {alert[flag] for flag in FLAGS} == {False}
    assert len(alert["light_curve"]) == 27
    assert sum(point["detected"] for point in alert["light_curve"]) == 9
    first, last = alert["light_curve"][0], alert["light_curve"][-1]
    assert list(first.values()) == [61094.12946386969, 8178.7734375, 280.67742919921875, "g", True]
    # Forced photometry of the alert's own visit, not its difference-image source.
    assert list(last.values()) == [61109.1447367893, 16649.068359375, 323.5145568847656, "g", True]


def test_an_lsst_alert_of_an_asteroid_has_no_object(rows: dict[str, dict[str, Any]]) -> None:
    solar = {origin for origin, alert in rows.items() if alert["is_solar_system"]}
    assert solar == {
        "lsst/v10_0_170112044647317524.avro",
        "lsst/v10_0_170112052987167353.avro",
        "lsst/v10_0_170112073308569690.avro",
        "lsst/v9_0_169298432757858307.avro",
        "ztf/v3_2_697252384215015000.avro",
    }
    for origin in solar - {"ztf/v3_2_697252384215015000.avro"}:
        assert rows[origin]["object_id"] is None
        assert len(rows[origin]["light_curve"]) == 1


def test_the_original_lsst_packet_keeps_its_negative_flux(rows: dict[str, dict[str, Any]]) -> None:
    alert = rows["lsst/v9_0_original_7912941781254298.avro"]
    expected = {"flux": -1230.2757568359375, "is_negative": True, "flag_shape": True, "extendedness": None}
    assert some(alert, expected) == expected


def test_a_point_later_than_the_alert_is_kept(rows: dict[str, dict[str, Any]]) -> None:
    alert = rows["lsst/v7_4_58804302302412845.avro"]
    assert alert["light_curve"][-1]["mjd"] - alert["mjd"] == pytest.approx(0.000721, abs=1e-6)


def test_a_ztf_alert_of_version_3(rows: dict[str, dict[str, Any]]) -> None:
    alert = rows["ztf/v3_2_697251926215010002.avro"]
    expected = {
        "schema_id": None,
        "alert_id": 697251926215010002,
        "object_id": "ZTF18abuvcff",
        "ra": 19.738584,
        "dec": -21.691702,
        "band": "g",
        "is_negative": True,
        "reliability": 0.7599999904632568,
        "n_dropped_points": 0,
    }
    assert some(alert, expected) == expected
    assert alert["mjd"] == pytest.approx(2458451.7519213 - 2400000.5 + 37 / 86400, abs=1e-7)
    assert alert["flux"] == pytest.approx(-510142.31, rel=1e-7)
    assert len(alert["light_curve"]) == 20


def test_ztf_forced_photometry_agrees_with_the_detections(rows: dict[str, dict[str, Any]]) -> None:
    alert = rows["ztf/v4_02_2695378462115010012.avro"]
    point = next(p for p in alert["light_curve"] if p["mjd"] == pytest.approx(60441.4227, abs=1e-3))
    # The magnitude of the same exposure, another fit to the same image, is -6317134 nJy.
    assert point["flux"] == pytest.approx(-6317134, rel=0.01)
    assert [p["detected"] for p in alert["light_curve"]].count(True) == 8
    assert rows["ztf/v4_02_3005140370015010009.avro"]["n_dropped_points"] == 2


def read_plainly(payload: bytes, registry: BundledRegistry) -> dict[str, Any]:
    stream = BytesIO(payload[5:])
    record: dict[str, Any] = fastavro.schemaless_reader(
        stream, registry.by_id(int.from_bytes(payload[1:5], "big")).parsed
    )
    return record


def test_a_plain_reading_of_the_lsst_packets_gives_the_same_light_curves(
    lsst_packets: Pairs, rows: dict[str, dict[str, Any]], registry: BundledRegistry
) -> None:
    for origin, payload in lsst_packets:
        record = read_plainly(payload, registry)
        visits: dict[tuple[int, str], list[tuple[int, float, dict[str, Any]]]] = defaultdict(list)
        for rank, sources in (
            (0, record["prvDiaForcedSources"] or []),
            (1, [record["diaSource"], *(record["prvDiaSources"] or [])]),
        ):
            for source in sources:
                visits[source["visit"], source["band"]].append((rank, source["psfFluxErr"], source))
        expected = []
        for found in visits.values():
            best = min(found, key=lambda f: f[:2])[2]
            detected = any(rank == 1 for rank, *_ in found)
            expected.append((best["midpointMjdTai"], best["psfFlux"], best["psfFluxErr"], best["band"], detected))
        expected.sort(key=lambda p: (p[0], "ugrizy".index(p[3])))
        assert [tuple(point.values()) for point in rows[origin]["light_curve"]] == expected


def test_two_detectors_of_one_visit_are_one_point(rows: dict[str, dict[str, Any]]) -> None:
    curve = rows["lsst/v10_0_170112044540887132.avro"]["light_curve"]
    assert sum(p["mjd"] == 61095.12619548972 and p["band"] == "r" for p in curve) == 1


def test_light_curves_are_sane(decoded: Decoded) -> None:
    curves = decoded.alerts.light_curves
    assert curves.lengths.min() >= 1
    assert np.all(np.isfinite(curves.flux))
    assert np.all(curves.flux_err > 0)
    assert np.all((curves.mjd > 57000) & (curves.mjd < 62000))
    starts = curves.offsets[:-1]
    steps = np.diff(curves.mjd)
    assert np.all(np.delete(steps, starts[1:] - 1) >= 0)
