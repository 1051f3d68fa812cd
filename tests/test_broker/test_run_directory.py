"""Where results lie: parts that count and parts that don't, and one run at a time."""

import pytest

from broker.errors import RunDirectoryError
from broker.run_directory import RunDirectory, part_stem


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def test_parts_that_the_ledger_hasn_t_got_are_removed_and_no_others(tmp_path):
    run = RunDirectory(tmp_path)
    kept = [
        touch(run.annotations / "night=20260310" / f"{part_stem('aaaaaaaa', 3)}.parquet"),
        touch(run.subscribers / "sn" / f"{part_stem('bbbbbbbb', 0)}.jsonl"),
        touch(run.subscribers / "sn" / "notes.txt"),
    ]
    gone = [
        touch(run.annotations / "night=20260310" / f"{part_stem('aaaaaaaa', 4)}.parquet"),
        touch(run.subscribers / "sn" / f"{part_stem('cccccccc', 0)}.avro"),
        touch(run.deadletter / f"{part_stem('bbbbbbbb', 1)}.parquet"),
    ]
    assert run.discard_uncommitted({"aaaaaaaa": 3, "bbbbbbbb": 0}) == 3
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_the_stream_s_identity_lives_with_the_checkpoint(tmp_path):
    run = RunDirectory(tmp_path)
    first = run.stream_id()
    assert run.stream_id() == first
    (run.checkpoint / "boreal-stream-id").unlink()
    assert run.stream_id() != first


def test_a_second_run_into_the_same_directory_is_refused(tmp_path):
    with (
        RunDirectory(tmp_path).locked(),
        pytest.raises(RunDirectoryError, match="another run is writing to"),
        RunDirectory(tmp_path).locked(),
    ):
        pass


def test_a_directory_that_can_t_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunDirectoryError, match="can't write to"), RunDirectory(tmp_path / "file" / "out").locked():
        pass
