"""The dashboard: made of its description, whole, and as Grafana's own schema wants it."""

import re
import shutil
import subprocess
from itertools import combinations, pairwise

import pytest

UNITS = {"none", "short", "s", "cps", "Bps", "bytes", "percentunit"}

ROWS = [
    "The night at a glance", "Flow", "Latency", "Visits", "Subscribers", "Kafka", "Stages", "Rejects",
    "Classes and drift", "Shadow", "Process",
]  # fmt: skip


def panels_of(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries_of(dashboard):
    return [target["expr"] for panel in panels_of(dashboard) for target in panel["targets"]]


def test_what_is_made_is_up_to_date(make):
    for path, content in make.made().items():
        assert path.read_text() == content, f"{path.name} isn't what make.py makes: python k8s/observability/make.py"


def test_rows_tell_of_the_night_from_the_whole_to_the_parts(dashboard):
    assert [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"] == ROWS


def test_every_panel_says_what_it_shows_in_which_unit(dashboard):
    for panel in panels_of(dashboard):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["targets"], panel["title"]
    titles = [panel["title"] for panel in panels_of(dashboard)]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert len({(panel["title"], panel["description"]) for panel in panels_of(dashboard)}) == len(titles)


def test_panels_lie_side_by_side_in_24_columns(dashboard):
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 and place["h"] > 0 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(one["y"] <= other["y"] for one, other in pairwise(places))


def test_every_query_asks_for_metrics_that_there_are_and_can_be_narrowed_down(dashboard, asked):
    for query in queries_of(dashboard):
        told = asked(query)
        assert told.unknown == set(), query
        assert len(re.findall(r'namespace=~"\$namespace"', query)) >= len(told.metrics), query
        assert ("filter" in told.known) <= ('filter=~"$filter"' in query or "ALERTS" in query), query


def test_every_query_has_a_letter_of_its_own_in_its_panel(dashboard):
    for panel in panels_of(dashboard):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)
        assert all(target["instant"] != target["range"] for target in panel["targets"])


@pytest.mark.slow
def test_grafanas_own_types_take_it_and_refuse_what_they_do_not_know(folder, tmp_path):
    go = shutil.which("go")
    if not go:
        pytest.skip("Grafana's types are in Go, and there is no `go` on the path")
    program = tmp_path / "grafana"
    made = subprocess.run(
        [go, "build", "-o", program, "."],
        cwd=folder.parent / "test" / "grafana", capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if made.returncode and re.search(r"dial tcp|no such host|connection refused|disabled by GOPROXY", made.stderr):
        pytest.skip(f"Grafana's types can't be fetched:\n{made.stderr}")
    assert made.returncode == 0, made.stderr
    good, wrong = folder / "dashboard.json", tmp_path / "wrong.json"
    wrong.write_text(good.read_text().replace('"graphMode"', '"graphMood"'))
    assert checked(program, good) == (0, "")
    code, told = checked(program, wrong)
    assert code == 1
    assert "unexpected field 'graphMood'" in told


def checked(program, path):
    done = subprocess.run([program, path], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
