"""`boreal model report`: the page, the numbers and the figures."""

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from broker.commands import app
from broker.model_report.failings import failings
from classifiers.bundle import BundleError, read_manifest
from classifiers.evaluation import ENSEMBLE, Reliability, read_evaluation

pytestmark = pytest.mark.slow

SECTIONS = (
    *("bundle", "scores", "failings", "ages", "detections", "reliability"),
    *("classes", "stability", "novelty", "cost", "notes"),
)


class Seen(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.sections, self.links, self.loaded, self.words = [], [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section":
            self.sections.append(found["id"])
        if tag == "a":
            self.links.append(found["href"])
        self.loaded += [value for key, value in attrs if key in ("src", "srcset", "data", "action")]
        if tag in ("script", "iframe", "link", "object", "img"):
            self.loaded.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def run(*words):
    return CliRunner().invoke(app, ["model", *map(str, words)], env={"COLUMNS": "200", "TERM": "dumb"})


@pytest.fixture(scope="module")
def written(evaluation, tmp_path_factory):
    """The page of the shipped bundle, by its evaluation in a file of its own."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "found.json").write_text(evaluation.model_dump_json())
    done = run("report", "--evaluation", folder / "found.json", "--out", folder / "page", "--figures", "pdf")
    assert done.exit_code == 0, done.output
    return folder / "page"


def test_the_page_has_every_section_and_a_way_to_each(written):
    page = Seen((written / "report.html").read_text())
    assert page.sections == list(SECTIONS)
    assert page.links == [f"#{name}" for name in SECTIONS]


def test_the_page_loads_nothing_from_elsewhere(written):
    text = (written / "report.html").read_text()
    assert not Seen(text).loaded
    assert not re.search(r"url\((?!#)|@import", text)
    assert "default-src 'none'" in text


def test_every_figure_is_drawn_and_can_be_parsed(written):
    text = (written / "report.html").read_text()
    figures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(figures) == 6
    for figure in figures:
        assert ET.fromstring(figure).attrib["aria-label"]  # noqa: S314  the page is written here
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_numbers_on_the_page_are_those_of_the_evaluation(written, evaluation):
    shown = Seen((written / "report.html").read_text()).text
    for sample in evaluation.samples:
        figures = sample.answer(ENSEMBLE).all_ages.figures
        assert f"{figures.nll:.3f}" in shown
        assert f"{figures.light_curves:,}" in shown
        assert sample.examples_sha256 in shown
    for number in ("1,234", "0.875", "0.625"):
        assert number in shown


def test_the_numbers_lie_beside_the_page(written, evaluation):
    assert read_evaluation(written / "evaluation.json") == evaluation


def test_figures_are_written_as_files_on_request(written):
    files = sorted(path.name for path in (written / "figures").iterdir())
    assert len(files) == 6
    assert "s1-ages.pdf" in files
    assert all((written / "figures" / name).read_bytes().startswith(b"%PDF") for name in files)


def test_the_page_is_light_only(written):
    text = (written / "report.html").read_text()
    assert "prefers-color-scheme" not in text
    assert '<meta name="color-scheme" content="light">' in text


def test_json_is_the_evaluation_and_writes_no_page(scored, evaluation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("report", scored, "--json")
    assert done.exit_code == 0
    assert json.loads(done.output) == json.loads(evaluation.model_dump_json())
    assert [path.name for path in tmp_path.iterdir()] == ["scored"]


def test_a_page_never_goes_into_a_bundle(scored):
    before = read_manifest(scored)
    done = run("report", scored, "--out", scored)
    assert done.exit_code == 2
    assert "is a bundle" in done.stderr
    assert read_manifest(scored) == before
    assert not (scored / "report.html").exists()


def test_an_evaluation_of_other_weights_is_refused(evaluation, scored, tmp_path):
    weights = {**evaluation.weights, next(iter(evaluation.weights)): "0" * 64}
    other = evaluation.model_copy(update={"weights": weights})
    (tmp_path / "other.json").write_text(other.model_dump_json())
    with pytest.raises(BundleError, match="of this bundle's members, found one of others"):
        CliRunner().invoke(
            app, ["model", "report", str(scored), "--evaluation", str(tmp_path / "other.json")], catch_exceptions=False
        )


def test_a_bundle_without_an_evaluation_is_told_how_to_get_one(scored):
    (scored / "evaluation.json").unlink()
    with pytest.raises(BundleError, match="boreal-train evaluate"):
        CliRunner().invoke(app, ["model", "report", str(scored)], catch_exceptions=False)


def test_info_shows_what_each_member_scores_by_itself(scored, evaluation):
    shown = run("info", scored)
    assert shown.exit_code == 0
    assert "Members by themselves" in shown.output
    for answer in evaluation.samples[0].answers:
        assert f"{answer.all_ages.figures.nll:.3f}" in shown.output
    (scored / "evaluation.json").write_text("{}")
    shown = run("info", scored)
    assert shown.exit_code == 0
    assert "Members by themselves" not in shown.output
    assert "expected a bundle's evaluation" in shown.stderr


def test_where_it_fails_is_said_with_the_numbers(evaluation):
    lines = failings(evaluation)
    with_host, without = evaluation.samples
    assert "too few to tell" in " ".join(lines)
    assert any(f"is {without.answer(ENSEMBLE).all_ages.figures.nll:.2f} in place of" in line for line in lines)
    worst = min(
        (each for each in with_host.answer(ENSEMBLE).all_ages.classes if each.light_curves >= 50),
        key=lambda each: each.f1,
    )
    assert any(f"F1 {worst.f1:.2f}" in line and f"{worst.light_curves:,} light curves" in line for line in lines)


def test_an_ece_that_chance_explains_is_no_failing(evaluation):
    """Of 50 light curves whose best class is 0.5 probable, chance makes an ECE of 0.056."""
    line = "ECE above 0.02"
    for ece, expected in ((0.05, False), (0.06, True)):
        bins = Reliability(light_curves=(50,), mean_probability=(0.5,), share_right=(0.5,))
        spans = [
            span.model_copy(
                update={
                    "figures": span.figures.model_copy(update={"ece": ece, "light_curves": 50, "reliability": bins})
                }
            )
            for span in evaluation.samples[0].answer(ENSEMBLE).spans
        ]
        answers = [each.model_copy(update={"spans": tuple(spans)}) for each in evaluation.samples[0].answers]
        sample = evaluation.samples[0].model_copy(update={"answers": tuple(answers)})
        found = failings(evaluation.model_copy(update={"samples": (sample,)}))
        assert any(line in each for each in found) == expected


def test_a_member_that_is_better_than_the_ensemble_is_told(evaluation):
    sample = evaluation.samples[0]
    best = sample.answers[0].all_ages
    figures = best.figures.model_copy(update={"nll": 0.001})
    better = sample.answers[0].model_copy(update={"all_ages": best.model_copy(update={"figures": figures})})
    changed = sample.model_copy(update={"answers": (better, *sample.answers[1:])})
    lines = failings(evaluation.model_copy(update={"samples": (changed, evaluation.samples[1])}))
    assert any(f"the member {better.name} alone has a log-loss of 0.001" in line for line in lines)
