"""`boreal filter`."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from broker.commands import filter as command
from broker.filters.definition import FilterError

GOOD = "name: young\nowner: me\ncondition: pSNIa > 0.8\nlimits: {perNight: 5, cooldownDays: 0.5}\n"


@pytest.fixture(autouse=True)
def _known_columns(annotation_columns: pa.Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "schema_of", lambda _: annotation_columns)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


def test_what_is_fine_is_listed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    done = run("check", tmp_path)
    assert done.exit_code == 0
    assert re.search(r"young +│ 1 +│ me +│ 5 per night, 0.5 days", done.stdout)
    assert "1 file: 1 filter fine, 0 errors, 0 warnings" in done.stdout


def test_what_is_wrong_is_shown_and_the_rest_listed(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text("name: b\nowner: '[red]'\ncondition: pSN1a > 0.8\n")
    (tmp_path / "c.yml").write_text("name: c\nowner: me\ncondition: pSNIa > 80\n")
    done = run("check", tmp_path)
    assert done.exit_code == 1
    assert (
        f"{tmp_path}/b.yaml:3:12: unknown column 'pSN1a'\n  3 | condition: pSN1a > 0.8\n    |            ^^^^^\n"
        in done.stdout
    )
    assert "c.yml:3:12: warning: pSNIa is a probability" in done.stdout
    assert "3 files: 2 filters fine, 1 error, 1 warning" in done.stdout


def test_a_warning_alone_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(GOOD.replace("0.8", "80"))
    assert run("check", tmp_path / "c.yaml").exit_code == 0


def test_json_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text("name: b\nowner: me\ncondition: pSN1a > 0.8\n")
    done = run("check", "--json", tmp_path)
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (told["ok"], [f["name"] for f in told["filters"]]) == (False, ["young"])
    assert re.fullmatch("[0-9a-f]{64}", told["filters"][0]["sha256"])
    (finding,) = told["findings"]
    assert (finding["line"], finding["column"], finding["length"], finding["warning"]) == (3, 12, 5, False)
    assert finding["hint"].startswith("did you mean pSNIa")
    assert json.loads(run("check", "--json", tmp_path / "a.yaml").stdout)["ok"]


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    error = run("check", tmp_path / "gone.yaml").exception
    assert isinstance(error, FilterError)
    assert f"{tmp_path}/gone.yaml: no such file or directory" in str(error)
    assert run("check").exit_code == 2


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    assert run("check", tmp_path / "a.yaml", tmp_path).exit_code == 0


def test_fields_tells_kind_unit_and_meaning() -> None:
    rows = {row["name"]: row for row in json.loads(run("fields", "--json").stdout)}
    assert rows["psfFlux"]["kind"] == "number"
    assert rows["psfFlux"]["unit"] == "nJy"
    assert rows["isDipole"]["kind"] == "true or false"
    assert rows["alertId"]["kind"] == "whole number"
    assert all(row["meaning"] for row in rows.values())
    assert not {"classifications", "lightCurve", "matchedFilters"} & set(rows)
    assert "psfFlux" in run("fields").stdout


def test_the_columns_are_those_of_the_shipped_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    names = command.schema_of(None).names
    assert {"pSNIa", "pKilonova", "novelty", "psfFlux", "matchedFilters"} <= set(names)
