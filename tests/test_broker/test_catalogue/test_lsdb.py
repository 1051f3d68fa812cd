"""HATS catalogues, opened with LSDB."""

import pyarrow as pa
import pytest

# LSDB and dask take seconds to import; what they warn of, while they are imported and at work, is theirs.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def alerts(delta_run, boreal_export, tmp_path_factory):
    to = tmp_path_factory.mktemp("hats") / "alerts"
    told = boreal_export.told("hats", delta_run, "--to", to, "--rows", "alerts", "--file-mb", 0.1)
    assert len(told["filesByOrder"]) > 1
    return to


@pytest.fixture(scope="module")
def objects(run, boreal_export, tmp_path_factory):
    to = tmp_path_factory.mktemp("hats") / "objects"
    boreal_export.told("hats", run, "--to", to, "--name", "mine")
    return to


def test_it_is_valid_by_the_rules_of_hats(alerts, objects):
    from hats.io.validation import is_valid_catalog

    assert is_valid_catalog(alerts, strict=True)
    assert is_valid_catalog(objects, strict=True)


def test_every_alert_is_there_with_its_ids_and_light_curve(alerts, annotations):
    import lsdb

    catalogue = lsdb.open_catalog(alerts, columns="all")
    assert catalogue.hc_structure.catalog_info.total_rows == annotations.num_rows
    assert catalogue.nested_columns == ["classifications", "lightCurve"]
    frame = catalogue.compute(progress_bar=False).sort_values("alertId")
    assert frame["alertId"].tolist() == annotations["alertId"].to_pylist()
    assert frame["night"].tolist() == annotations["night"].to_pylist()
    wanted = [[point["flux"] for point in row] for row in annotations["lightCurve"].to_pylist()]
    assert [curve["flux"].tolist() for curve in frame["lightCurve"]] == wanted
    assert set(frame.columns) == set(annotations.column_names)


def test_points_of_the_light_curves_are_columns(alerts, annotations):
    import lsdb

    few = lsdb.open_catalog(alerts, columns=["alertId", "lightCurve.flux", "lightCurve.band"])
    frame = few.compute(progress_bar=False)
    assert list(frame["lightCurve"].iloc[0].columns) == ["flux", "band"]
    assert len(frame["lightCurve.flux"]) == sum(map(len, annotations["lightCurve"].to_pylist()))
    detected = lsdb.open_catalog(alerts).query("lightCurve.detected").compute(progress_bar=False)
    assert detected["lightCurve.flux"].size == sum(annotations["nDetections"].to_pylist())


def test_a_cone_holds_what_lies_in_it(alerts, annotations):
    import lsdb
    from astropy.coordinates import SkyCoord

    places = SkyCoord(annotations["ra"].to_numpy(), annotations["dec"].to_numpy(), unit="deg")
    inside = places.separation(SkyCoord(200, 10, unit="deg")).deg < 25
    wanted = sorted(annotations["alertId"].filter(pa.array(inside)).to_pylist())
    found = lsdb.open_catalog(alerts, search_filter=lsdb.ConeSearch(200, 10, 25 * 3600))
    assert sorted(found.compute(progress_bar=False)["alertId"].tolist()) == wanted
    assert 0 < len(wanted) < annotations.num_rows


def test_an_object_is_its_newest_alert(objects, annotations):
    import lsdb

    catalogue = lsdb.open_catalog(objects)
    frame = catalogue.compute(progress_bar=False)
    assert catalogue.name == "mine"
    newest = {}
    for row in annotations.select(["survey", "objectId", "mjdTai", "alertId", "diaSourceId"]).to_pylist():
        key, rank = (row["survey"], row["objectId"] or row["diaSourceId"]), (row["mjdTai"], row["alertId"])
        newest[key] = max(newest.get(key, rank), rank)
    assert sorted(frame["alertId"].tolist()) == sorted(alert for _, alert in newest.values())
    assert len(frame) == catalogue.hc_structure.catalog_info.total_rows


def test_two_catalogues_can_be_matched(alerts, objects):
    import lsdb

    few = ["alertId", "ra", "dec", "lightCurve"]
    left, right = (lsdb.open_catalog(path, columns=few) for path in (objects, alerts))
    matched = left.crossmatch(right, radius_arcsec=0.1, suffixes=("_o", "_a"), suffix_method="all_columns")
    frame = matched.compute(progress_bar=False)
    assert (frame["alertId_o"] == frame["alertId_a"]).all()
    assert len(frame) == left.hc_structure.catalog_info.total_rows
