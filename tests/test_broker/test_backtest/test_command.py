"""`boreal filter backtest` and `boreal filter diff`, as a subscriber uses them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broker.commands import app, main

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "subscribers.md").read_text(encoding="utf-8")
PACKETS = ROOT / "tests" / "data" / "packets"
EVERYTHING = "name: all\nowner: me\ncondition: nPoints >= 1\nlimits: {perNight: 5}\n"


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments, code=0):
    done = CliRunner().invoke(app, ["filter", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stdout


def refused(capsys, monkeypatch, *arguments):
    """What is said where the command was given something wrong."""
    monkeypatch.setattr("sys.argv", ["boreal", "filter", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def table(commit_all, outcomes, filters, tmp_path_factory):
    """The results of a run with a plain Parquet table."""
    folder = tmp_path_factory.mktemp("run")
    commit_all(folder, outcomes, filters)
    return folder


@pytest.fixture
def everything(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text(EVERYTHING)
    return path


def test_the_gallery_in_the_guide_is_what_the_command_says():
    told = json.loads(run("backtest", ROOT / "examples" / "filters", "--over", PACKETS, "--json"))
    lines = {}
    for each in told["filters"]:
        classes = ", ".join(f"{one['className']} {one['alerts']}" for one in each["classes"]) or "-"
        lines[each["name"]] = f"| {each['matched']} | {each['sent']} | {each['objects']} | {classes} |"
    shown = re.findall(r"^\| \[([\w-]+)\]\(\.\./examples/filters/\1\.yaml\) \| [^|]+ (\|.*)$", GUIDE, re.MULTILINE)
    assert dict(shown) == lines
    assert len(lines) == 10
    assert told["alerts"] == 29
    assert told["rejected"] == {}


def test_the_consumer_in_the_guide_is_the_one_that_ships():
    assert f"```python\n{(ROOT / 'examples' / 'consumer.py').read_text()}```\n" in GUIDE


def test_of_one_filter_everything_is_printed(everything, table):
    printed = run("backtest", everything, "--over", table, "--with", ROOT / "examples" / "filters")
    assert re.search(r"20260309 +│ +12 │ +12 │ +5 │ █{24} ", printed)
    assert re.search(r"all +│ +29 │ +21 │ +\d+ │ +5 │ perNight 8 ", printed)
    assert re.search(r"everything-classified │ +\d+ │ +its file", printed)
    assert re.search(r"everything-classified │ +\d+ │ +the table", printed)
    assert "29 alerts of 8 nights, 20160306 to 20260309; from" in printed
    assert max(map(len, printed.splitlines()[:-1])) <= 80


def test_json_tells_the_nights_the_classes_and_what_was_held_back(everything, table):
    (told,) = json.loads(run("backtest", everything, "--over", table, "--json"))["filters"]
    night = next(each for each in told["nights"] if each["night"] == 20260309)
    assert (night["read"], night["matched"], night["sent"]) == (12, 12, 5)
    assert sum(each["sent"] for each in told["nights"]) == told["sent"] == 21
    assert sum(each["alerts"] for each in told["classes"]) == told["sent"]
    assert told["heldBack"] == {"perNight": 8}
    assert told["error"] is None


def test_two_places_with_the_same_alerts_count_them_once(everything, table):
    told = json.loads(run("backtest", everything, "--over", table, "--over", PACKETS, "--json"))
    assert (told["alerts"], told["duplicates"]) == (29, 29)
    assert told["filters"][0]["sent"] == 21


def test_what_cannot_be_annotated_is_counted(everything, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "noise.avro").write_bytes(b"\x01noise")
    (tmp_path / "in" / "good.avro").write_bytes(next(PACKETS.glob("ztf/v3*")).read_bytes())
    printed = run("backtest", everything, "--over", f"{tmp_path}/in/*.avro")
    assert "1 alert of 1 night, 2018" in printed
    assert "1 turned away at the stage decode" in printed


def test_where_nothing_is_annotated_nothing_is_sent(everything, tmp_path):
    (tmp_path / "noise.avro").write_bytes(b"\x01noise")
    page = tmp_path / "page.html"
    printed = run("backtest", everything, "--over", tmp_path / "noise.avro", "--page", page)
    assert "0 alerts of 0 nights" in printed
    assert "Nothing is sent." in page.read_text()


def test_the_page_shows_the_first_alerts_with_their_light_curves(everything, table, tmp_path):
    page = tmp_path / "page.html"
    printed = run("backtest", everything, "--over", table, "--page", page, "--first", 3)
    assert f"page: {page}" in printed.replace("\n", "")
    text = page.read_text()
    assert text.count('<article class="card"') == 3
    assert text.count("<svg") == 4
    assert "held back by perNight" in text
    assert "at most 5" in text
    assert 'src="http' not in text
    assert "<script" not in text
    from_packets = tmp_path / "packets.html"
    run("backtest", everything, "--over", PACKETS, "--page", from_packets, "--first", 3)
    cards = [re.findall(r"<article.*?</article>", each, re.DOTALL) for each in (text, from_packets.read_text())]
    assert cards[0] == cards[1]


def test_what_a_subscriber_wrote_is_escaped_on_the_page(everything, table, tmp_path):
    everything.write_text(EVERYTHING.replace("nPoints >= 1", "className <> '<script>'"))
    run("backtest", everything, "--over", table, "--page", tmp_path / "page.html")
    assert "&lt;script&gt;" in (tmp_path / "page.html").read_text()
    assert "<script" not in (tmp_path / "page.html").read_text()


def test_a_filter_that_cannot_be_evaluated_is_told_and_fails(everything, table, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of order")

    monkeypatch.setattr("broker.filters._program.Program.run", broken)
    told = json.loads(run("backtest", everything, "--over", table, "--json", code=1))
    assert told["filters"][0]["error"] == "RuntimeError: out of order"
    assert "could not be evaluated" in run("backtest", everything, "--over", table, code=1)


def test_what_is_wrong_is_told(everything, table, tmp_path, capsys, monkeypatch):
    def told(*arguments):
        return refused(capsys, monkeypatch, "backtest", *arguments)

    assert "there is no file at nowhere" in told(everything, "--over", "nowhere")
    assert "no such file or directory" in told(tmp_path / "gone.yaml", "--over", table)
    everything.write_text(EVERYTHING.replace("nPoints", "nPints"))
    assert "did you mean nPoints" in told(everything, "--over", table)
    everything.write_text(EVERYTHING)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    assert "can't be read as Parquet" in told(everything, "--over", tmp_path / "broken.parquet")
    assert "can't be written" in told(everything, "--over", table, "--page", tmp_path / "all.yaml" / "page.html")


def test_diff_tells_what_is_gained_lost_and_the_same(everything, table, tmp_path):
    new = tmp_path / "new.yaml"
    new.write_text("name: all\nowner: me\ncondition: nDetections >= 2 OR survey = 'ztf'\nlimits: {perNight: 6}\n")
    told = json.loads(run("diff", everything, new, "--over", table, "--json"))
    total = {what: counts["alerts"] for what, counts in told["total"].items()}
    assert told["old"]["sent"] == total["lost"] + total["same"]
    assert told["new"]["sent"] == total["gained"] + total["same"]
    assert total["gained"] > 0
    assert total["lost"] > 0
    for groups in ("nights", "classes"):
        assert {what: sum(each[what]["alerts"] for each in told[groups]) for what in total} == total
    assert [each["why"] for each in told["examples"]["gained"]] == [["its limits hold it back"]] * total["gained"]
    assert ["`nDetections >= 2 OR survey = 'ztf'` is false"] in [each["why"] for each in told["examples"]["lost"]]
    assert told["old"]["sha256"] != told["new"]["sha256"]
    printed = run("diff", everything, new, "--over", table, "--examples", 1)
    assert re.search(
        rf"all │ +{total['gained']} \(\d+\) │ +{total['lost']} \(\d+\) │ +{total['same']} \(\d+\)", printed
    )
    assert "why the old filter doesn't send it" in printed
    assert "why the new filter doesn't send it" in printed


def test_a_filter_does_not_differ_from_itself(everything, table):
    told = json.loads(run("diff", everything, everything, "--over", table, "--json"))
    assert told["total"]["same"] == {"alerts": told["old"]["sent"], "objects": told["old"]["objects"]}
    assert told["examples"] == {"gained": [], "lost": []}
    assert told["old"] == told["new"]


def test_diff_takes_a_filter_each(table, everything):
    done = CliRunner().invoke(
        app, ["filter", "diff", str(everything), str(ROOT / "examples" / "filters"), "--over", str(table)]
    )
    assert done.exit_code == 2
    assert "10 filters; give the file of one" in done.output
