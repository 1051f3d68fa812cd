"""Extraction by name, the hash of the code, the documentation and the command."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import features
from features import extract as module
from features.extract import UnknownFeatureError, catalogue, code_hash, extract, feature_matrix
from features.family import Feature, FeatureFamily, FeatureInput
from features.page import render

ROOT = Path(features.__file__).parents[1]


def test_all_features_in_the_order_of_the_catalogue(alerts_of, outburst):
    table = extract(alerts_of(outburst(1, 40), outburst(2, 5)))
    assert table.column_names == [feature.name for feature in catalogue()]
    assert set(table.schema.types) == {pa.float32()}
    assert table.num_rows == 2


def test_chosen_features_in_the_order_asked_for(alerts_of, outburst):
    alerts = alerts_of(outburst(1, 40), outburst(2, 5))
    names = ["host_photoz", "flux_max_r", "bazin_fall", "flux_max_g", "n_points"]
    everything = extract(alerts)
    assert extract(alerts, names).column_names == names
    matrix = feature_matrix(FeatureInput.from_alerts(alerts), names)
    assert matrix.dtype == np.float32
    expected = np.column_stack([everything[name].to_numpy() for name in names])
    np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_array_equal(np.column_stack(list(extract(alerts, names).itercolumns())), expected)


def test_nothing_asked_nothing_computed(alerts_of, outburst):
    assert extract(alerts_of(outburst(1, 40)), []).num_columns == 0


def test_only_the_families_needed_are_computed(alerts_of, outburst, monkeypatch):
    def explode(_given):
        raise AssertionError("computed without need")

    one = FeatureFamily("one", (Feature("a", "A.", "", "Boreal"),), lambda given: np.ones((len(given.curves), 1)))
    other = FeatureFamily("other", (Feature("b", "B.", "", "Boreal"),), explode)
    monkeypatch.setattr(module, "discover", lambda: (one, other))
    module._places.cache_clear()
    try:
        assert extract(alerts_of(outburst(1, 40)), ["a"])["a"].to_pylist() == [1.0]
        with pytest.raises(AssertionError, match="without need"):
            extract(alerts_of(outburst(1, 40)), ["b"])
    finally:
        module._places.cache_clear()


def test_two_features_of_one_name_are_refused(monkeypatch):
    family = FeatureFamily(
        "one", (Feature("a", "A.", "", "Boreal"),) * 2, lambda given: np.ones((len(given.curves), 2))
    )
    monkeypatch.setattr(module, "discover", lambda: (family,))
    module._places.cache_clear()
    try:
        with pytest.raises(RuntimeError, match=r"two families.*'a'"):
            module._places()
    finally:
        module._places.cache_clear()


def test_an_unknown_name_is_answered_with_the_nearest(alerts_of):
    with pytest.raises(UnknownFeatureError, match=r"'flux_maxx_g'; did you mean flux_max_g"):
        extract(alerts_of(), ["flux_maxx_g"])
    with pytest.raises(UnknownFeatureError, match=r"'#'; `boreal features list`"):
        extract(alerts_of(), ["#"])


def test_what_float32_cannot_hold_is_nan(alerts_of):
    table = extract(alerts_of([(60000.0, 1e30, 1e-30, "r", True)]), ["snr_max_r", "flux_max_r"])
    assert np.isnan(table["snr_max_r"][0].as_py())
    assert table["flux_max_r"][0].as_py() == np.float32(1e30)


def test_the_code_hash_is_that_of_the_source_wherever_it_lies(tmp_path):
    copy = shutil.copytree(ROOT / "features", tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__"))
    assert re.fullmatch("[0-9a-f]{64}", code_hash())
    assert module._hash_of(copy) == code_hash()
    changed = copy / "extract.py"
    changed.write_bytes(changed.read_bytes().replace(b"\n", b"\r\n"))
    assert module._hash_of(copy) == code_hash()
    changed.write_bytes(changed.read_bytes() + b"#")
    assert module._hash_of(copy) != code_hash()


def test_the_documentation_is_current():
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == render() + "\n", "run `boreal features list --markdown > docs/features.md`"


def test_the_command_lists_every_feature():
    from broker.commands.features import app

    listed = CliRunner().invoke(app, ["list", "--json"])
    assert [row["name"] for row in json.loads(listed.stdout)] == [feature.name for feature in catalogue()]
    assert CliRunner().invoke(app, ["list", "--markdown"]).stdout == render() + "\n"
    table = CliRunner().invoke(app, ["list", "--family", "times"], env={"COLUMNS": "200"}).stdout
    assert "days_since_first_detection" in table
    assert "flux_max_r" not in table


def test_the_command_names_the_families_there_are():
    from broker.commands.features import app

    refused = CliRunner().invoke(app, ["list", "--family", "time"])
    assert refused.exit_code == 2
    assert "times" in refused.output
