"""Filters that change while a run goes on: each file for itself, and the last good version of each stays."""

import logging
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.filters import watch as module
from broker.filters.definition import FilterError
from broker.filters.read import read_file
from broker.filters.watch import Change, FilterWatch


def text(name: str, over: float = 3.0, more: str = "") -> str:
    return f"name: {name}\nowner: me\ncondition: snr > {over}\n{more}"


BROKEN = "name: broken\nowner: me\ncondition: snrr > 3\n"
SKY = "regions: [{moc: sky.json}]\n"


class Filters:
    """A directory of filters, and a place where good ones are kept."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.path, self.keep, self.schema = folder / "filters", folder / "kept", schema
        self.path.mkdir()

    def write(self, file: str, content: str) -> None:
        (self.path / file).write_text(content)

    def start(self) -> FilterWatch:
        return FilterWatch.start(self.path, self.schema, self.keep)


@pytest.fixture
def directory(tmp_path: Path, annotation_columns: pa.Schema) -> Filters:
    return Filters(tmp_path, annotation_columns)


def in_use(watch: FilterWatch) -> dict[str, str]:
    return {each.name: each.condition for each in watch.filters}


def names(change: Change | None) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    assert change is not None
    assert change.findings == ()
    return change.added, change.changed, change.removed


def told(change: Change | None) -> list[tuple[str, str]]:
    assert change is not None
    return [(Path(finding.file).name, finding.message) for finding in change.findings]


def test_files_come_change_and_go(directory: Filters) -> None:
    directory.write("a.yaml", text("a"))
    watch = directory.start()
    assert in_use(watch) == {"a": "snr > 3.0"}
    assert watch.refresh() is None
    directory.write("b.yml", text("b"))
    directory.write("notes.txt", "no filter")
    assert names(watch.refresh()) == (("b",), (), ())
    directory.write("a.yaml", text("a", 4))
    assert names(watch.refresh()) == ((), ("a",), ())
    assert in_use(watch) == {"a": "snr > 4", "b": "snr > 3.0"}
    (directory.path / "a.yaml").unlink()
    change = watch.refresh()
    assert names(change) == ((), (), ("a",))
    assert change is not None
    assert change.filters == watch.filters
    assert in_use(watch) == {"b": "snr > 3.0"}


def test_a_renamed_filter_is_one_gone_and_one_new_and_a_renamed_file_nothing(directory: Filters) -> None:
    directory.write("a.yaml", text("a"))
    watch = directory.start()
    directory.write("a.yaml", text("A2"))
    assert names(watch.refresh()) == (("A2",), (), ("a",))
    (directory.path / "a.yaml").rename(directory.path / "other.yaml")
    assert watch.refresh() is None
    assert in_use(watch) == {"A2": "snr > 3.0"}


def test_a_broken_file_is_told_once_and_its_last_good_version_stays(directory: Filters) -> None:
    directory.write("a.yaml", text("a"))
    directory.write("b.yaml", text("b"))
    watch = directory.start()
    directory.write("a.yaml", BROKEN)
    directory.write("b.yaml", text("b", 9))
    directory.write("new.yaml", "name: [")
    change = watch.refresh()
    assert told(change)[0] == ("a.yaml", "unknown column 'snrr'")
    assert told(change)[1][0] == "new.yaml"
    assert change is not None
    assert (change.added, change.changed, change.removed) == ((), ("b",), ())
    assert in_use(watch) == {"a": "snr > 3.0", "b": "snr > 9"}
    assert watch.refresh() is None
    os.utime(directory.path / "a.yaml", ns=(1, 1))
    assert watch.refresh() is None
    directory.write("a.yaml", BROKEN + "# still\n")
    assert told(watch.refresh()) == [("a.yaml", "unknown column 'snrr'")]
    directory.write("a.yaml", text("a", 5))
    assert names(watch.refresh()) == ((), ("a",), ())
    directory.write("a.yaml", BROKEN + "# still\n")
    assert told(watch.refresh()) == [("a.yaml", "unknown column 'snrr'")]
    (directory.path / "a.yaml").unlink()
    assert names(watch.refresh()) == ((), (), ("a",))


def test_a_half_written_file_is_looked_at_again(directory: Filters) -> None:
    watch = directory.start()
    whole = text("a")
    with (directory.path / "a.yaml").open("w") as file:
        file.write(whole[:10])
        file.flush()
        assert told(watch.refresh()) != []
        file.write(whole[10:])
    assert names(watch.refresh()) == (("a",), (), ())


def test_the_holder_of_a_name_keeps_it_and_the_newcomer_gets_it_once_it_is_free(directory: Filters) -> None:
    directory.write("m.yaml", text("taken"))
    directory.write("z.yaml", text("z"))
    watch = directory.start()
    directory.write("a.yaml", text("Taken", 7))
    directory.write("z.yaml", text("taken", 8))
    change = watch.refresh()
    holder = directory.path / "m.yaml"
    assert told(change) == [
        ("a.yaml", f"the name 'Taken' is taken by {holder}"),
        ("z.yaml", f"the name 'taken' is taken by {holder}"),
    ]
    assert in_use(watch) == {"taken": "snr > 3.0", "z": "snr > 3.0"}
    assert watch.refresh() is None
    directory.write("m.yaml", text("taken", 4))
    assert names(watch.refresh()) == ((), ("taken",), ())
    holder.unlink()
    change = watch.refresh()
    assert told(change) == [("z.yaml", f"the name 'taken' is taken by {directory.path / 'a.yaml'}")]
    assert in_use(watch) == {"Taken": "snr > 7", "z": "snr > 3.0"}


def test_two_files_may_swap_their_names(directory: Filters) -> None:
    directory.write("a.yaml", text("one", 1))
    directory.write("b.yaml", text("two", 2))
    watch = directory.start()
    directory.write("a.yaml", text("two", 1))
    directory.write("b.yaml", text("one", 2))
    assert names(watch.refresh()) == ((), ("one", "two"), ())
    assert in_use(watch) == {"one": "snr > 2", "two": "snr > 1"}


def test_a_chain_of_names_falls_back_as_a_whole(directory: Filters) -> None:
    """File a wants b's name, b wants c's, and c, being broken, keeps its own."""
    for name in "abc":
        directory.write(f"{name}.yaml", text(name))
    watch = directory.start()
    directory.write("a.yaml", text("b", 7))
    directory.write("b.yaml", text("c", 7))
    directory.write("c.yaml", BROKEN)
    change = watch.refresh()
    assert [file for file, _ in told(change)] == ["a.yaml", "b.yaml", "c.yaml"]
    assert in_use(watch) == dict.fromkeys("abc", "snr > 3.0")


@pytest.mark.parametrize("away", ["gone", "a file"])
def test_a_directory_that_is_away_changes_nothing_and_is_told_once(directory: Filters, away: str) -> None:
    directory.write("a.yaml", text("a"))
    watch = directory.start()
    elsewhere = directory.path.rename(directory.path.with_name("elsewhere"))
    if away == "a file":
        directory.path.write_text("")
    for _ in range(2):
        change = watch.refresh()
        assert [message for _, message in told(change)] == [
            "no such directory" if away == "gone" else "not a directory"
        ]
        assert watch.refresh() is None
        assert in_use(watch) == {"a": "snr > 3.0"}
        directory.path.unlink(missing_ok=True)
        elsewhere.rename(directory.path)
        assert watch.refresh() is None
        directory.path.rename(elsewhere)
        if away == "a file":
            directory.path.write_text("")


def test_a_changed_moc_changes_its_filter(directory: Filters) -> None:
    directory.write("a.yaml", text("a", more=SKY))
    directory.write("sky.json", '{"3": [5]}')
    watch = directory.start()
    assert watch.refresh() is None
    directory.write("sky.json", '{"3": [5, 6]}')
    assert names(watch.refresh()) == ((), ("a",), ())
    (directory.path / "sky.json").unlink()
    assert "no such file" in told(watch.refresh())[0][1]
    assert watch.refresh() is None
    directory.write("sky.json", "{")
    assert "isn't a MOC in JSON format" in told(watch.refresh())[0][1]
    assert len(watch.filters) == 1
    directory.write("sky.json", '{"3": [5, 6]}')
    assert watch.refresh() is None
    directory.write("a.yaml", text("a", more=SKY.replace("sky", "other")))
    assert told(watch.refresh()) != []
    directory.write("other.json", '{"3": [7]}')
    assert names(watch.refresh()) == ((), ("a",), ())


def test_files_of_a_config_map(directory: Filters) -> None:
    """Kubernetes shows files as links through `..data`, and puts that link in the place of the old one."""

    def publish(version: str, **contents: str) -> None:
        (directory.path / version).mkdir()
        for name, content in contents.items():
            (directory.path / version / f"{name}.yaml").write_text(content)
        link = directory.path / "..tmp"
        link.symlink_to(version)
        link.replace(directory.path / "..data")
        for name in contents:
            file = directory.path / f"{name}.yaml"
            if not file.is_symlink():
                file.symlink_to(f"..data/{name}.yaml")

    publish("..1", a=text("a"), b=text("b"))
    watch = directory.start()
    publish("..2", a=text("a", 4), b=BROKEN)
    shutil.rmtree(directory.path / "..1")
    change = watch.refresh()
    assert told(change) == [("b.yaml", "unknown column 'snrr'")]
    assert in_use(watch) == {"a": "snr > 4", "b": "snr > 3.0"}
    publish("..3", a=text("a", 4))
    (directory.path / "b.yaml").unlink()
    assert names(watch.refresh()) == ((), (), ("b",))
    publish("..4", a=text("a", 4))
    assert watch.refresh() is None


def test_nothing_is_read_where_nothing_changed(directory: Filters, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.write("a.yaml", text("a", more=SKY))
    directory.write("b.yaml", BROKEN.replace("snrr", "snr"))
    directory.write("sky.json", '{"3": [5]}')
    watch = directory.start()
    time.sleep(1.1)  # what is younger than a second is read again
    for _ in range(2):
        watch.refresh()
    read = []
    monkeypatch.setattr(module, "read_file", lambda file, schema: read.append(file.name) or read_file(file, schema))
    assert watch.refresh() is None
    assert read == []
    directory.write("b.yaml", BROKEN)
    watch.refresh()
    assert read == ["b.yaml"]


def test_a_change_that_leaves_no_trace_in_size_and_times_is_seen(
    directory: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system of coarse times, where a file is written twice within one tick."""
    directory.write("a.yaml", text("a", 3))
    real = Path.stat

    def coarse(path: Path, **how: bool) -> SimpleNamespace | os.stat_result:
        found = real(path, **how)
        if path.name != "a.yaml":
            return found
        kept = {name: getattr(found, name) for name in ("st_mode", "st_dev", "st_ino", "st_size")}
        return SimpleNamespace(**kept, st_mtime_ns=written, st_ctime_ns=written)

    written = time.time_ns()
    monkeypatch.setattr(Path, "stat", coarse)
    watch = directory.start()
    directory.write("a.yaml", text("a", 4))
    assert names(watch.refresh()) == ((), ("a",), ())


def test_no_directory_is_no_filter(annotation_columns: pa.Schema) -> None:
    watch = FilterWatch.start(None, annotation_columns)
    assert watch.filters == ()
    assert watch.refresh() is None


def test_the_first_start_wants_everything_right(directory: Filters) -> None:
    directory.write("a.yaml", text("a"))
    directory.write("b.yaml", BROKEN)
    for _ in range(2):
        with pytest.raises(FilterError, match="unknown column 'snrr'"):
            directory.start()
    assert not directory.keep.exists()
    with pytest.raises(FilterError, match="no such directory"):
        FilterWatch.start(directory.path / "nothing", directory.schema, directory.keep)


def test_a_restart_with_a_broken_file_uses_the_last_good_version(
    directory: Filters, caplog: pytest.LogCaptureFixture
) -> None:
    directory.write("a.yaml", text("a"))
    directory.write("b.yaml", text("b", more=SKY))
    directory.write("c.yaml", text("c"))
    directory.write("sky.json", '{"3": [5]}')
    before = directory.start()
    directory.write("a.yaml", text("a", 4))
    before.refresh()
    directory.write("a.yaml", BROKEN)
    directory.write("sky.json", "no MOC")
    directory.write("new.yaml", "name: [")
    (directory.path / "c.yaml").unlink()
    before.refresh()
    with caplog.at_level(logging.WARNING):
        after = directory.start()
    assert after.filters == before.filters
    assert in_use(after) == {"a": "snr > 4", "b": "snr > 3.0"}
    for said in ("unknown column 'snrr'", "isn't a MOC", "new.yaml:1"):
        assert said in caplog.text
    assert after.refresh() is None
    directory.write("a.yaml", text("a", 5))
    assert names(after.refresh()) == ((), ("a",), ())
    assert sorted(path.name for path in directory.keep.iterdir()) == ["a.yaml", "b.yaml"]


def test_a_restart_takes_what_was_mended_and_added_meanwhile(directory: Filters) -> None:
    directory.start()
    directory.write("a.yaml", text("a"))
    assert in_use(directory.start()) == {"a": "snr > 3.0"}
    directory.write("a.yaml", text("a", 4))
    directory.write("b.yaml", text("b"))
    assert in_use(directory.start()) == {"a": "snr > 4", "b": "snr > 3.0"}


def test_the_holder_of_a_name_keeps_it_over_a_restart(directory: Filters) -> None:
    directory.write("m.yaml", text("taken"))
    directory.start()
    directory.write("a.yaml", text("taken", 7))
    assert in_use(directory.start()) == {"taken": "snr > 3.0"}


def test_kept_versions_that_contradict_each_other_stop_nobody(directory: Filters) -> None:
    """As a process leaves them that is killed after keeping one file of two that swapped names."""
    directory.write("a.yaml", text("one"))
    directory.write("b.yaml", text("two"))
    directory.start()
    (directory.keep / "a.yaml" / "a.yaml").write_text(text("two"))
    assert in_use(directory.start()) == {"one": "snr > 3.0", "two": "snr > 3.0"}
    (directory.keep / "a.yaml" / "a.yaml").write_text(text("two", 5))
    directory.write("a.yaml", BROKEN)
    directory.write("b.yaml", BROKEN)
    assert in_use(directory.start()) == {"two": "snr > 5"}


def test_what_can_t_be_kept_is_said_and_stops_nobody(directory: Filters, caplog: pytest.LogCaptureFixture) -> None:
    directory.write("a.yaml", text("a"))
    directory.keep.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        watch = directory.start()
    assert in_use(watch) == {"a": "snr > 3.0"}
    assert "a.yaml can't be kept" in caplog.text


def test_what_a_person_put_among_the_kept_versions_is_left_alone(directory: Filters) -> None:
    directory.write("a.yaml", text("a"))
    directory.start()
    (directory.keep / "mine").mkdir()
    (directory.keep / "b.yaml").mkdir()
    (directory.keep / "notes.txt").write_text("")
    directory.write("c.yaml", text("c"))
    assert in_use(directory.start()) == {"a": "snr > 3.0", "c": "snr > 3.0"}
    assert sorted(path.name for path in directory.keep.iterdir()) == ["a.yaml", "b.yaml", "c.yaml", "mine", "notes.txt"]


def test_a_doubt_about_a_new_filter_is_said(directory: Filters, caplog: pytest.LogCaptureFixture) -> None:
    watch = directory.start()
    directory.write("a.yaml", "name: a\nowner: me\ncondition: pSNIa > 80\n")
    with caplog.at_level(logging.WARNING):
        assert names(watch.refresh()) == (("a",), (), ())
        watch.refresh()
    assert caplog.text.count("pSNIa is a probability, from 0 to 1, compared with 80") == 1


contents = st.none() | st.just(BROKEN) | st.builds(text, st.sampled_from("abAB"), st.integers(1, 3))
steps_of = st.lists(st.dictionaries(st.sampled_from(["1.yaml", "2.yaml", "3.yml"]), contents, max_size=3), max_size=6)


@settings(max_examples=60, deadline=None)
@given(steps=steps_of, restarts=st.lists(st.booleans(), min_size=6, max_size=6))
def test_whatever_is_done_to_the_files_each_has_a_version_that_was_good(
    steps: list[dict[str, str | None]],
    restarts: list[bool],
    tmp_path_factory: pytest.TempPathFactory,
    annotation_columns: pa.Schema,
) -> None:
    directory = Filters(tmp_path_factory.mktemp("laws"), annotation_columns)
    watch, good = directory.start(), {}
    for step, restart in zip(steps, restarts, strict=False):
        for file, content in step.items():
            (directory.path / file).unlink(missing_ok=True)
            good.setdefault(file, set())
            if content is None:
                good[file] = set()
            else:
                directory.write(file, content)
                good[file].add(content)
        before = watch.filters
        watch = directory.start() if restart else watch
        change = None if restart else watch.refresh()
        if change:
            assert change.filters == watch.filters
        elif not restart:
            assert watch.filters == before
        assert watch.refresh() is None
        lower = [each.name.lower() for each in watch.filters]
        assert len(set(lower)) == len(lower)
        possible = set.union(set(), *good.values())
        assert {text(each.name, int(each.condition.split()[-1])) for each in watch.filters} <= possible
        alone = [file for file in good if (directory.path / file).exists()]
        held = {read_file(directory.path / file, annotation_columns).name for file in alone} - {"broken"}
        assert {name.lower() for name in held if name} <= set(lower)
