"""The list of inputs and its numbers, without starting Spark."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from pyspark.sql.streaming.datasource import ReadAllAvailable

from broker.archives._writing import discard_unfinished, written_alone
from broker.archives.found import Rules
from broker.archives.input_list import InputList
from broker.archives.listing import list_input
from broker.archives.read import from_row
from broker.archives.record import _earlier
from broker.config import ConfigError, load_config
from broker.errors import WrongInputError
from broker.spark.archives import PORTIONS, ArchivesReader


@pytest.fixture
def nights(tmp_path, packed, small_portions):
    """Three archives of 7, 1 and 4 packets; in portions of three."""
    small_portions(3)
    paths = [tmp_path / str(year) / "night.tar" for year in (2018, 2019, 2020)]
    for path, n in zip(paths, (7, 1, 4), strict=True):
        path.parent.mkdir()
        path.write_bytes(packed([(f"{k}.avro", b"packet" * 100) for k in range(n)]))
    return paths


def listed(folder, paths):
    """The list, with every input looked through."""
    made = InputList(folder)
    made.add(paths)
    for given in made.unlisted:
        list_input(given, folder, Rules())
    return InputList(folder)


def test_labels_tell_inputs_of_one_name_apart_and_stay(tmp_path, nights):
    folder = tmp_path / "kept"
    assert [each.label for each in listed(folder, nights[:2]).inputs] == ["night.tar", "2019/night.tar"]
    again = listed(folder, [nights[2], nights[1], nights[1]])
    assert [each.label for each in again.inputs] == ["night.tar", "2019/night.tar", "2020/night.tar"]
    assert [each.path for each in again.inputs] == list(map(str, nights))


def test_a_line_that_was_cut_off_is_none(tmp_path, nights):
    folder = tmp_path / "kept"
    listed(folder, nights[:2])
    file = folder / "inputs.jsonl"
    file.write_text(file.read_text() + '["2020/nig')
    assert [each.label for each in listed(folder, nights).inputs] == ["night.tar", "2019/night.tar", "2020/night.tar"]


def reader_of(folder, **options):
    most = {"packets": "5", "bytes": "1000000000", "parallelism": "2"}
    return ArchivesReader({"folder": str(folder), **most, **options})


def test_a_micro_batch_takes_so_many_packets_and_inputs_follow_each_other(tmp_path, nights):
    assert len(listed(tmp_path / "kept", nights)) == 3 + 1 + 2
    reader = reader_of(tmp_path / "kept")
    offsets = [reader.initialOffset()]
    while len(offsets) < 6:
        offsets.append(reader.latestOffset(offsets[-1], reader.getDefaultReadLimit()))
    assert [offset["portions"] for offset in offsets] == [0, 1, 4, 6, 6, 6]
    found = [from_row(row) for part in reader.partitions(offsets[1], offsets[2]) for row in part.value]
    assert [(given.label, portion.packets) for given, portion in found] == [
        ("night.tar", 3), ("2019/night.tar", 1), ("night.tar", 1)
    ]  # fmt: skip
    batches = [batch for part in reader.partitions(offsets[0], offsets[3]) for batch in reader.read(part)]
    assert [batch.schema for batch in batches] == [PORTIONS] * 2
    assert sum(batch.num_rows for batch in batches) == 6
    assert reader.partitions(offsets[3], offsets[3]) == []


def test_a_portion_that_is_more_than_a_micro_batch_may_take_goes_alone(tmp_path, nights):
    listed(tmp_path / "kept", nights)
    for options in ({"packets": "1"}, {"bytes": "1"}):
        reader = reader_of(tmp_path / "kept", **options)
        assert reader.latestOffset({"portions": 2}, ReadAllAvailable()) == {"portions": 3}


def test_after_a_restart_the_same_offsets_mean_the_same_portions_though_inputs_were_added(tmp_path, nights):
    listed(tmp_path / "kept", nights[1:])
    before = [part.value for part in reader_of(tmp_path / "kept").partitions({"portions": 0}, {"portions": 3})]
    listed(tmp_path / "kept", nights)
    again = reader_of(tmp_path / "kept")
    assert [part.value for part in again.partitions({"portions": 0}, {"portions": 3})] == before
    assert again.latestOffset({"portions": 3}, ReadAllAvailable()) == {"portions": 4}


def test_an_input_that_has_changed_is_an_error_that_says_what_to_do(tmp_path, nights, packed):
    found = listed(tmp_path / "kept", nights)
    found.check({})
    nights[0].write_bytes(packed([("other.avro", b"x")]))
    with pytest.raises(WrongInputError, match=r"2018/night\.tar has changed .* 1 files of .* bytes were there, now 1"):
        found.check({"night.tar": {"portions": 3}})


def test_other_times_are_no_change_other_content_of_the_same_size_is(tmp_path, nights):
    found = listed(tmp_path / "kept", nights)
    os.utime(nights[0], ns=(1, 1))
    found.check({})
    content = nights[0].read_bytes()
    nights[0].write_bytes(content.replace(b"packet", b"PACKET"))
    with pytest.raises(WrongInputError, match="its content is another"):
        found.check({})


def test_an_input_may_go_once_it_is_done(tmp_path, nights):
    found = listed(tmp_path / "kept", nights)
    nights[1].unlink()
    found.check({"2019/night.tar": {"portions": 1}})
    with pytest.raises(WrongInputError, match=r"night\.tar is gone, and was not read to its end; put it back"):
        found.check({"2019/night.tar": {"portions": 0}})


def test_what_killed_workers_had_begun_is_removed_and_nothing_else(tmp_path, nights):
    folder = tmp_path / "kept"
    listed(folder, nights)
    before = sorted(folder.iterdir())
    with suppress(KeyboardInterrupt), written_alone(folder / "000009.portions") as path:
        path.write_text("half")
        raise KeyboardInterrupt
    (folder / f"000009.json-{'0' * 32}").write_text("written, and not renamed")
    assert len(list(folder.iterdir())) == len(before) + 2
    discard_unfinished(folder)
    assert sorted(folder.iterdir()) == before


def test_what_a_directory_was_written_with_before_is_kept(tmp_path):
    counts = {"received": 3, "annotated": 2, "duplicates": 0, "deadLettered": 1}
    first = {"bundle": "first", "filters": [], **counts, "inputs": [], "earlier": []}
    file = tmp_path / "manifest.json"
    assert _earlier(file, {"bundle": "first"}) == []
    file.write_text(json.dumps(first))
    assert _earlier(file, {"bundle": "first"}) == []
    before = _earlier(file, {"bundle": "second"})
    assert before == [{"bundle": "first", "filters": [], **counts}]
    file.write_text(json.dumps({**first, "bundle": "second", "earlier": before}))
    assert [each["bundle"] for each in _earlier(file, {"bundle": "third"})] == ["first", "second"]


def config_of(tmp_path: Path, to: str = "out", **source: object) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps({"source": {"kind": "archives", **source}, "to": to}))
    return path


def test_inputs_are_paths_and_patterns_relative_to_the_configuration(tmp_path, nights):
    from broker.archives.inputs import paths_of

    source = load_config(config_of(tmp_path, inputs=["20*/night.tar", "2018/night.tar", "2019"])).source
    assert paths_of(source.inputs) == [*nights, tmp_path / "2019"]


@pytest.mark.parametrize(
    ("to", "inputs", "told"),
    [
        ("out", ["2021*/night.tar"], "it matches nothing"),
        ("2018/out", ["2018"], "lie one in the other"),
        (".", ["2018"], "lie one in the other"),
        ("out", [], "at least 1 item"),
    ],
)
@pytest.mark.usefixtures("nights")
def test_inputs_that_can_t_be_used_are_told_with_their_place(tmp_path, to, inputs, told):
    with pytest.raises(ConfigError, match=told):
        load_config(config_of(tmp_path, to, inputs=inputs))
