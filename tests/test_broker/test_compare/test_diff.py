"""Two runs compared: what the comparison counts, what the command prints, and what the page shows."""

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from broker.commands import diff as command
from broker.compare.answers import class_columns
from broker.compare.comparison import compare
from broker.compare.most_changed import most_changed
from broker.compare.page import render
from broker.errors import TableError, WrongInputError
from broker.report._format import percent
from broker.run_directory import RunDirectory
from broker.tables.dataset import annotations_at
from broker.tables.delta import DeltaAnnotations
from broker.tables.parquet import ParquetAnnotations
from broker.tables.table import TableBatch
from classifiers.taxonomy import BY_ID, NOT_CLASSIFIED
from schemas.annotation import DELIVERED_TO

NAUGHTY = "</title><script>alert('x')</script>"
KEY = ("survey", "alertId", "diaSourceId")


@pytest.fixture(scope="module")
def annotations(outcomes):
    """Every real packet that ships, annotated once, some of them delivered."""
    rows = {}
    for outcome in outcomes:
        for row in outcome.annotations.to_pylist():
            rows.setdefault(tuple(row[name] for name in KEY), row)
    schema = outcomes[0].annotations.schema.append(DELIVERED_TO)
    made = [{**row, "deliveredTo": row["matchedFilters"][:1]} for row in rows.values()]
    return pa.Table.from_pylist(made, schema=schema)


def write(path, rows, kind="parquet", per_batch=7):
    """A run's results with these rows, in micro-batches."""
    run = RunDirectory(path)
    table = ParquetAnnotations(run) if kind == "parquet" else DeltaAnnotations(run.annotations)
    for number, start in enumerate(range(0, rows.num_rows, per_batch)):
        table.write(TableBatch("0123abcd", number, rows.slice(start, per_batch), {}))
    return path


def with_column(rows, name, values):
    index = rows.schema.get_field_index(name)
    return rows.set_column(index, rows.schema.field(index), pa.array(values, rows.schema.field(index).type))


def changed(rows, seed=1):
    """The rows as another model might have answered: other probabilities, classes, novelty and filters."""
    rng, made = np.random.default_rng(seed), rows.to_pylist()
    columns = class_columns(rows.schema)
    for row in made:
        kind = rng.integers(0, 4)
        if kind == 0 or row["classId"] == NOT_CLASSIFIED:
            continue
        odds = rng.dirichlet(np.ones(len(columns)) * 0.3)
        row.update(zip(columns, odds.tolist(), strict=True))
        best = list(columns.values())[int(odds.argmax())]
        row.update(classId=best, className=BY_ID[best].name, probability=float(odds.max()))
        named = [{"classId": k, "className": BY_ID[k].name} for k in columns.values()]
        row["classifications"] = [{**one, "probability": p} for one, p in zip(named, odds.tolist(), strict=True)]
        row["novelty"] = None if kind == 1 else float(rng.gamma(2.0))
        row["matchedFilters"] = [*row["matchedFilters"][1:], "brand-new"]
    return pa.Table.from_pylist(made, schema=rows.schema)


def compared(old, new, **options):
    return compare(annotations_at(old), annotations_at(new), **options)


def naive(old, new):
    """The same counts, alert by alert."""
    columns = class_columns(old.schema)
    ours, theirs = ({tuple(row[name] for name in KEY): row for row in rows.to_pylist()} for rows in (old, new))
    both = sorted(set(ours) & set(theirs))
    moves, distances, gained = Counter(), {}, Counter()
    for key in both:
        before, after = ours[key], theirs[key]
        moves[before["classId"], after["classId"]] += 1
        sure = [[row[name] or 0.0 for name in columns] + [row["classId"] == NOT_CLASSIFIED] for row in (before, after)]
        distances[key] = sum(abs(b - a) for a, b in zip(*sure, strict=True)) / 2
        gained.update(set(after["matchedFilters"]) - set(before["matchedFilters"]))
    return moves, distances, gained, len(ours) - len(both), len(theirs) - len(both)


@pytest.mark.parametrize(("old_kind", "new_kind"), [("parquet", "parquet"), ("delta", "parquet")])
def test_counts_are_those_of_a_loop_over_alerts(tmp_path, annotations, old_kind, new_kind):
    old = annotations.slice(0, annotations.num_rows - 2)
    new = changed(annotations).slice(3)
    shuffled = new.take(pa.array(np.random.default_rng(2).permutation(new.num_rows)))
    found = compared(write(tmp_path / "old", old, old_kind), write(tmp_path / "new", shuffled, new_kind, per_batch=5))
    moves, distances, gained, only_old, only_new = naive(old, new)
    changes = found.changes
    assert changes.migration == moves
    assert changes.class_changed == sum(n for (a, b), n in moves.items() if a != b) > 5
    assert (found.unmatched.old, found.unmatched.new, found.unmatched.moved) == (only_old, only_new, 0)
    assert changes.both == changes.distances.sum() == len(distances)
    assert {n: c.gained for n, c in changes.filters["matchedFilters"].items() if c.gained} == gained
    most = {tuple(row[:3]): row[-1] for row in changes.most.iter_rows()}
    assert most == pytest.approx({key: value for key, value in distances.items() if value > 0})
    assert list(most.values()) == sorted(most.values(), reverse=True)
    assert changes.plane.sum() == changes.both


def test_a_run_is_the_same_as_itself_in_either_kind_of_table(tmp_path, annotations):
    old, new = write(tmp_path / "a", annotations), write(tmp_path / "b", annotations, "delta", 11)
    changes = compared(old, new).changes
    assert (changes.both, changes.class_changed, changes.score_changed) == (annotations.num_rows, 0, 0)
    assert changes.novelty.largest == 0
    assert not changes.most.height


def test_novelty_that_only_one_run_has_is_a_change(tmp_path, annotations):
    known = [value is not None for value in annotations["novelty"].to_pylist()]
    without = with_column(annotations, "novelty", [None] * len(known))
    changes = compared(write(tmp_path / "a", annotations), write(tmp_path / "b", without)).changes
    assert changes.score_changed == sum(known) == changes.novelty_known["lost"]
    assert changes.novelty_known["gained"] == changes.novelty.n == 0


def test_differences_up_to_the_tolerance_are_none(tmp_path, annotations):
    shifted = with_column(annotations, "novelty", [v and v + 1e-4 for v in annotations["novelty"].to_pylist()])
    old, new = write(tmp_path / "a", annotations), write(tmp_path / "b", shifted)
    assert compared(old, new).changes.score_changed > 0
    assert compared(old, new, tolerance=1e-3).changes.score_changed == 0


def test_a_class_that_one_model_lacks_has_no_probability_there(tmp_path, annotations):
    lacking = annotations.drop_columns(["pAGN"])
    found = compared(write(tmp_path / "a", lacking), write(tmp_path / "b", annotations)).changes
    assert 2332 in found.classes
    values = [value or 0.0 for value in annotations["pAGN"].to_pylist()]
    assert found.by_class[2332].mean == pytest.approx(np.mean(values))


def test_an_alert_of_another_night_is_counted_and_not_compared(tmp_path, annotations):
    nights = annotations["night"].to_pylist()
    moved = with_column(annotations, "night", [20200101, *nights[1:]])
    found = compared(write(tmp_path / "a", annotations), write(tmp_path / "b", moved))
    assert (found.unmatched.old, found.unmatched.new, found.unmatched.moved) == (0, 0, 1)
    assert found.changes.both == len(nights) - 1


def test_a_row_that_comes_again_is_counted_and_the_first_compared(tmp_path, annotations):
    again = pa.concat_tables([annotations, changed(annotations)])
    found = compared(write(tmp_path / "a", annotations), write(tmp_path / "b", again))
    assert found.new.repeated == annotations.num_rows
    assert found.changes.class_changed == found.changes.score_changed == 0


def test_the_alerts_that_changed_most_are_of_different_objects_and_carry_their_curves(tmp_path, annotations):
    one_object = with_column(annotations, "objectId", ["same"] * annotations.num_rows)
    new = changed(one_object)
    found = compared(write(tmp_path / "a", one_object), write(tmp_path / "b", new, "delta"))
    shown = most_changed(found, 10)
    assert len(shown) == len({each.new["survey"] for each in shown}) > 1
    wanted = {tuple(row[name] for name in KEY): row for row in new.to_pylist()}
    for each in shown:
        row = wanted[tuple(each.new[name] for name in KEY)]
        assert (each.new["classId"], each.new["probability"]) == (row["classId"], row["probability"])
        assert each.curve.flux.tolist() == [point["flux"] for point in row["lightCurve"]]
        assert each.night == str(row["night"])


class Shown(HTMLParser):
    """What a browser would load and show."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.loaded, self.words, self.labels, self.ids = Counter(), [], [], [], []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        given = dict(attrs)
        self.loaded += [given[key] for key in ("src", "href", "xlink:href") if key in given]
        self.ids += [given[key] for key in ("id",) if key in given]
        self.labels += [given.get("aria-label", "")] * (tag == "svg")

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_in_itself_and_shows_plots_and_old_and_new_class(tmp_path, annotations):
    found = compared(write(tmp_path / "a", annotations), write(tmp_path / "b", changed(annotations)))
    most = most_changed(found, 6)
    text = render(found, most)
    page = Shown(text)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in page.loaded)
    assert page.tags["script"] == page.tags["link"] == 0
    assert max(Counter(page.ids).values()) == 1
    assert page.labels[0].startswith("Migration matrix")
    assert page.labels[1].startswith("Old and new probability")
    assert (
        sum(label.startswith("Light curve") for label in page.labels) == sum(len(each.curve) > 0 for each in most) > 0
    )
    for each in most:
        assert str(each.new["alertId"]) in page.text
        assert f"{percent(each.old['probability'])} → {each.new['className']}" in page.text
        odds = {one["className"]: one["probability"] for one in each.old["classifications"]}
        both = (odds.get(each.new["className"], 0.0), each.new["probability"])
        assert f"{each.new['className']} {percent(both[0])} {percent(both[1])}" in page.text
    assert f"{found.changes.class_changed} of {found.changes.both} alerts" in page.text
    assert "brand-new" in page.text
    assert render(found, most_changed(found, 6)) == text


def test_the_page_escapes_what_alerts_say(tmp_path, annotations):
    naughty = with_column(annotations, "origin", [NAUGHTY] * annotations.num_rows)
    naughty = with_column(naughty, "className", [NAUGHTY] * annotations.num_rows)
    found = compared(write(tmp_path / "a", naughty), write(tmp_path / "b", changed(naughty)))
    page = Shown(render(found, most_changed(found, 3)))
    assert page.tags["script"] == 0
    assert NAUGHTY in page.text


def test_a_page_of_runs_that_share_nothing(tmp_path, annotations):
    old, new = annotations.slice(0, 4), annotations.slice(4, 4)
    found = compared(write(tmp_path / "a", old), write(tmp_path / "b", new))
    assert (found.unmatched.old, found.unmatched.new, found.changes.both) == (4, 4, 0)
    page = Shown(render(found, most_changed(found, 3)))
    assert "No alert is in both runs." in page.text
    assert page.tags["svg"] == 0


def test_a_table_that_is_none_of_annotations_is_refused(tmp_path, annotations):
    write(tmp_path / "a", annotations)
    other = write(tmp_path / "b", annotations.select(["mjdTai", "night", "alertId"]))
    with pytest.raises(WrongInputError, match="no annotation table: it has no column survey"):
        compared(tmp_path / "a", other)


def test_a_damaged_file_is_named(tmp_path, annotations):
    good, bad = write(tmp_path / "a", annotations), write(tmp_path / "b", annotations)
    opened = annotations_at(bad)
    file = min(bad.rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(TableError, match=rf"{file.name}.* can't be read"):
        compare(annotations_at(good), opened)
    with pytest.raises(TableError, match="can't be read"):
        annotations_at(bad)


def boreal_diff(*arguments):
    app = typer.Typer()
    app.command("diff", help=command.HELP)(command.diff)
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})


@pytest.fixture(scope="module")
def runs(tmp_path_factory, annotations):
    folder = tmp_path_factory.mktemp("runs")
    return write(folder / "old", annotations), write(folder / "new", changed(annotations).slice(1))


def test_the_command_prints_tables_of_80_columns(runs):
    done = boreal_diff(*runs)
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 80
    for words in ("Two runs", "other class", "Per class", "Per filter", "brand-new", "only in the old run"):
        assert words in done.stdout


def test_the_command_s_json_keeps_ids_whole(runs, annotations):
    told = json.loads(boreal_diff(*runs, "--json").stdout)
    ids = set(map(str, annotations["alertId"].to_pylist()))
    assert {each["alertId"] for each in told["mostChanged"]} <= ids
    assert told["both"] == told["same"] + told["scoreChanged"] + told["classChanged"] == len(ids) - 1
    assert told["onlyOld"] == 1
    assert sum(each["alerts"] for each in told["migration"]) == told["both"]
    assert told["failures"] == []
    assert told["old"]["software"][0]["model"] == "first"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-on", "class"], 1),
        (["--fail-on", "class", "--at-most", "1"], 0),
        (["--fail-on", "score"], 1),
        (["--fail-on", "filter"], 1),
        (["--fail-on", "missing"], 1),
        (["--fail-on", "any", "--at-most", "1"], 1),
    ],
)
def test_the_command_fails_where_it_is_asked_to(runs, options, code):
    assert boreal_diff(*runs, *options).exit_code == code


def test_the_command_doesn_t_fail_where_nothing_changed(runs):
    assert boreal_diff(runs[0], runs[0], "--fail-on", "any").exit_code == 0


def test_the_command_writes_the_page(runs, tmp_path):
    page = tmp_path / "diff.html"
    assert boreal_diff(*runs, "--page", page, "--cards", 2).exit_code == 0
    assert sum(label.startswith("Light curve") for label in Shown(page.read_text()).labels) == 2


def test_what_has_no_table_is_refused(runs, tmp_path):
    for wrong in (tmp_path, tmp_path / "nowhere", Path(runs[0], "annotations", "night=20181128")):
        done = boreal_diff(runs[0], wrong)
        assert isinstance(done.exception, WrongInputError)
        assert str(wrong) in str(done.exception)


def test_a_table_may_be_named_by_itself(runs):
    told = json.loads(boreal_diff(runs[0] / "annotations", runs[0], "--json").stdout)
    assert told["same"] == told["both"] > 20
