"""`boreal explain`."""

import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from broker.commands import app
from broker.commands._explained_view import show
from broker.explanation.explained import explain
from classifiers.bundle import Bundle

VARIABLE = "lsst/v10_0_170112073309093904.avro"
ASTEROID = "lsst/v10_0_170112044647317524.avro"
ONE_POINT = "lsst/v9_0_396950876717139.avro"


def boreal_explain(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, arguments)], env={"COLUMNS": "100"})


def test_it_says_who_says_what_and_why(packet_dir: Path, knowing: Bundle) -> None:
    done = boreal_explain(packet_dir / VARIABLE, "--bundle", knowing.path)
    assert done.exit_code == 0, done.output
    best = re.search(r"^lsst alert 170112073309093904: (.+?)\s*$", done.stdout, re.MULTILINE)
    assert best
    assert best[1] in {node.name for node in knowing.classes}
    for words in (
        "trees",
        "recurrent",
        "oblivious",
        "bias of",
        "temperature",
        f"What features say for {best[1]}",
        " others  ",
    ):
        assert words in done.stdout
    assert done.stdout.count("What features say for ") == 2
    assert "10 of 84 points, of which it doesn't read 20" in " ".join(done.stdout.split())
    assert "The nearest known objects, by class" in done.stdout
    assert "PLAsTiCC training light curves" in done.stdout


def test_no_line_is_longer_than_the_terminal(annotations, knowing: Bundle) -> None:
    console = Console(width=80, record=True, highlight=False)
    show(explain(annotations.slice(7, 1), knowing), 12, console)
    assert max(map(len, console.export_text().splitlines())) <= 80


def test_an_only_point_is_told_in_words(packet_dir: Path) -> None:
    done = boreal_explain(packet_dir / ONE_POINT)
    assert done.exit_code == 0
    assert "The only point of the light curve can't be left out." in done.stdout


def test_one_class_as_json(packet_dir: Path) -> None:
    for name in ("kilonova", "pKilonova", "2232"):
        done = boreal_explain(packet_dir / VARIABLE, "--class", name, "--json")
        assert done.exit_code == 0, done.output
        told = json.loads(done.stdout)
        assert [each["className"] for each in told["classes"]] == ["Kilonova"]
        assert told["alertId"] == "170112073309093904"
        assert len(told["classes"][0]["trees"]["features"]) == 12


def test_a_page_is_written(packet_dir: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    done = boreal_explain(packet_dir / VARIABLE, "--html", page)
    assert done.exit_code == 0
    assert f"the page is {page}" in done.stdout.replace("\n", "")
    assert re.search(r"Why (RR Lyrae|Eclipsing binary)\?", page.read_text())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([ASTEROID], 1, "lsst alert 170112044647317524 isn't classified: known solar-system object; there is nothing"),
        ([VARIABLE, "--class", "kilonov"], 2, "has no class 'kilonov'; did you mean Kilonova?"),
        ([VARIABLE, "--class", "SN-like"], 2, "it has Microlensing, TDE"),
        ([VARIABLE, "--record", "3"], 2, "there is no --record 3"),
        (["lsst/gone.avro"], 2, "found nothing"),
    ],
)
def test_what_cannot_be_explained_is_told(packet_dir: Path, arguments: list[str], code: int, words: str) -> None:
    done = boreal_explain(packet_dir / arguments[0], *arguments[1:])
    assert done.exit_code == code
    assert words in " ".join(done.stderr.split())
    assert not done.stdout
