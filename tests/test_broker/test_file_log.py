"""Which files were found: in a list that only grows, and survives a kill."""

import os
import shutil

import pytest

from broker.sources.file_log import FileLog


def names(log):
    return [file.name for file in log.files]


def make(directory, name, content=b"x", when=0):
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(when, when))
    return path


def test_every_file_is_found_once_oldest_first(tmp_path):
    source = tmp_path / "in"
    make(source, "b.avro", when=2)
    make(source, "a/c.avro", when=1)
    log = FileLog(tmp_path / "log", source, None)
    assert (log.scan(), log.scan()) == (2, 2)
    make(source, "new.avro", when=0)
    assert log.scan() == 3
    assert names(log) == ["a/c.avro", "b.avro", "new.avro"]


def test_empty_and_underscored_files_are_found_and_unfinished_ones_left_alone(tmp_path):
    source = tmp_path / "in"
    for name in ("empty.avro", "_SUCCESS", "with space%20é\n.avro", ".writing.avro", ".git/x"):
        make(source, name, b"")
    log = FileLog(tmp_path / "log", source, None)
    log.scan()
    assert sorted(names(log)) == ["_SUCCESS", "empty.avro", "with space%20é\n.avro"]


def test_a_second_look_after_a_restart_finds_only_what_is_new(tmp_path):
    source = tmp_path / "in"
    make(source, "a")
    FileLog(tmp_path / "log", source, None).scan()
    make(source, "b")
    again = FileLog(tmp_path / "log", source, None)
    assert names(again) == ["a"]
    again.scan()
    assert names(again) == ["a", "b"]


def test_a_line_cut_off_by_a_kill_is_found_again(tmp_path):
    source, path = tmp_path / "in", tmp_path / "log"
    make(source, "a", when=1)
    make(source, "b", when=2)
    FileLog(path, source, None).scan()
    path.write_bytes(path.read_bytes()[:-5])
    log = FileLog(path, source, None)
    assert names(log) == ["a"]
    log.scan()
    assert names(FileLog(path, source, None)) == ["a", "b"]


def test_a_file_written_again_is_another_file(tmp_path):
    source = tmp_path / "in"
    make(source, "a", b"half", when=1)
    log = FileLog(tmp_path / "log", source, None)
    log.scan()
    make(source, "a", b"whole packet", when=2)
    assert log.scan() == 2


def test_a_pattern_chooses_by_name(tmp_path):
    source = tmp_path / "in"
    make(source, "x/a.avro")
    make(source, "README.md")
    log = FileLog(tmp_path / "log", source, "*.avro")
    log.scan()
    assert names(log) == ["x/a.avro"]


def test_links_to_folders_are_followed_once(tmp_path):
    source = tmp_path / "in"
    make(source, "a/x")
    make(tmp_path / "elsewhere", "y")
    (source / "a" / "loop").symlink_to(source)
    (source / "linked").symlink_to(tmp_path / "elsewhere")
    log = FileLog(tmp_path / "log", source, None)
    log.scan()
    assert sorted(names(log)) == ["a/x", "linked/y"]


def test_a_source_that_went_away_is_no_empty_source(tmp_path):
    source = tmp_path / "in"
    make(source, "a")
    log = FileLog(tmp_path / "log", source, None)
    shutil.rmtree(source)
    with pytest.raises(FileNotFoundError):
        log.scan()


def test_what_is_no_file_is_passed_over(tmp_path):
    source = tmp_path / "in"
    make(source, "a")
    os.mkfifo(source / "pipe")
    (source / "itself").symlink_to(source / "itself")
    (source / "nowhere").symlink_to(source / "gone")
    log = FileLog(tmp_path / "log", source, None)
    log.scan()
    assert names(log) == ["a"]


def test_a_name_that_is_not_utf_8_is_remembered_as_it_is(tmp_path):
    source = tmp_path / "in"
    make(source, os.fsdecode(b"caf\xe9.avro"))
    FileLog(tmp_path / "log", source, None).scan()
    assert names(FileLog(tmp_path / "log", source, None)) == [os.fsdecode(b"caf\xe9.avro")]
