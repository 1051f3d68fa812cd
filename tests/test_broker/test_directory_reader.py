"""The arithmetic of the stream's offsets, without starting Spark."""

import os
from pathlib import Path

import pytest
from pyspark.sql.streaming.datasource import ReadAllAvailable, ReadMaxFiles

from broker.spark.directory import NAMES, DirectoryReader


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A directory with the files a to e, a the oldest."""
    folder = tmp_path / "source"
    folder.mkdir()
    for age, name in enumerate("abcde"):
        (folder / name).write_bytes(b"packet")
        os.utime(folder / name, ns=(age, age))
    return folder


def reader_of(source: Path, **options: str) -> DirectoryReader:
    log = str(source.parent / "files.jsonl")
    return DirectoryReader(
        {"directory": str(source), "log": log, "files_per_batch": "2", "parallelism": "2", **options}
    )


def names(reader: DirectoryReader, start: int, end: int) -> list[list[str]]:
    """The names in each partition between two offsets."""
    partitions = reader.partitions({"files": start}, {"files": end})
    return [list(map(os.fsdecode, batch["name"].to_pylist())) for part in partitions for batch in reader.read(part)]


def test_a_stream_begins_before_the_first_file_and_goes_on_by_so_many(source: Path) -> None:
    reader = reader_of(source)
    limit = reader.getDefaultReadLimit()
    offsets = [reader.initialOffset()]
    while len(offsets) < 5:
        offsets.append(reader.latestOffset(offsets[-1], limit))
    assert limit == ReadMaxFiles(2)
    assert [offset["files"] for offset in offsets] == [0, 2, 4, 5, 5]


def test_without_a_limit_it_takes_all_there_is(source: Path) -> None:
    assert reader_of(source).latestOffset({"files": 1}, ReadAllAvailable()) == {"files": 5}


def test_an_offset_never_goes_back(source: Path) -> None:
    reader = reader_of(source)
    assert reader.latestOffset({"files": 9}, ReadMaxFiles(2)) == {"files": 9}
    assert names(reader, 9, 9) == []


def test_while_watching_new_files_are_seen_at_each_look(source: Path) -> None:
    reader = reader_of(source)
    assert reader.latestOffset({"files": 5}, ReadMaxFiles(2)) == {"files": 5}
    (source / "f").write_bytes(b"packet")
    assert reader.latestOffset({"files": 5}, ReadMaxFiles(2)) == {"files": 6}


def test_available_now_is_what_was_there_at_the_start(source: Path) -> None:
    reader = reader_of(source)
    reader.prepareForTriggerAvailableNow()
    (source / "f").write_bytes(b"packet")
    assert reader.latestOffset({"files": 4}, ReadMaxFiles(2)) == {"files": 5}
    assert reader.latestOffset({"files": 5}, ReadMaxFiles(2)) == {"files": 5}
    assert reader_of(source).latestOffset({"files": 5}, ReadMaxFiles(2)) == {"files": 6}


@pytest.mark.parametrize(
    ("parallelism", "expected"),
    [
        ("1", [["a", "b", "c", "d", "e"]]),
        ("2", [["a", "c", "e"], ["b", "d"]]),
        ("9", [["a"], ["b"], ["c"], ["d"], ["e"]]),
    ],
)
def test_the_files_between_two_offsets_are_dealt_out_to_the_cores(
    source: Path, parallelism: str, expected: list[list[str]]
) -> None:
    reader = reader_of(source, parallelism=parallelism)
    reader.log.scan()
    assert names(reader, 0, 5) == expected
    assert names(reader, 3, 3) == []


def test_after_a_restart_the_same_offsets_mean_the_same_files(source: Path) -> None:
    reader = reader_of(source)
    reader.log.scan()
    before = names(reader, 1, 4)
    (source / "b").unlink()
    (source / "0-older").write_bytes(b"packet")
    os.utime(source / "0-older", ns=(0, 0))
    again = reader_of(source)
    assert again.latestOffset({"files": 4}, ReadAllAvailable()) == {"files": 6}
    assert names(again, 1, 4) == before
    assert names(again, 5, 6) == [["0-older"]]


def test_only_files_of_the_pattern_count(source: Path) -> None:
    (source / "g.avro").write_bytes(b"packet")
    reader = reader_of(source, pattern="*.avro")
    assert reader.latestOffset({"files": 0}, ReadAllAvailable()) == {"files": 1}
    assert names(reader, 0, 1) == [["g.avro"]]


def test_names_travel_as_arrow_in_the_promised_column(source: Path) -> None:
    reader = reader_of(source)
    reader.log.scan()
    (partition,) = reader.partitions({"files": 0}, {"files": 1})
    assert [batch.schema for batch in reader.read(partition)] == [NAMES]
