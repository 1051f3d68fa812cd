import json

import pytest
from typer.testing import CliRunner, Result

from broker.commands.schema import app


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


def test_list_as_json_names_every_schema() -> None:
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)}
    assert len(rows) == 19
    assert rows["lsst.v10_0.alert"]["id"] == 1000
    assert rows["ztf.v3_3.alert"] == {
        "name": "ztf.v3_3.alert",
        "survey": "ztf",
        "version": "3.3",
        "id": None,
        "record": "ztf.alert",
        "fields": rows["ztf.v3_3.alert"]["fields"],
    }


def test_list_is_a_table() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert "lsst.v7_4.alert" in result.stdout


@pytest.mark.parametrize("word", ["1000", "lsst.v10_0.alert"])
def test_show_by_id_or_name(word: str) -> None:
    result = run("show", word)
    assert result.exit_code == 0
    assert "prvDiaForcedSources.midpointMjdTai" in result.stdout
    assert json.loads(run("show", word, "--json").stdout)["name"] == "lsst.v10_0.alert"


@pytest.mark.parametrize(("word", "near"), [("lsst.v10.alert", "lsst.v10_0.alert"), ("1001", "1000"), ("", "")])
def test_show_of_an_unknown_one_names_the_nearest(word: str, near: str) -> None:
    result = run("show", word)
    assert result.exit_code == 2
    assert near in result.stderr.partition("nearest: ")[2]
    assert "Traceback" not in result.output


def test_help_has_an_example() -> None:
    for words in (("list",), ("show",)):
        assert "boreal schema" in run(*words, "--help").stdout
