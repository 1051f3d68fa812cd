"""A checkpoint is for one kind of source and one format; what Spark wrote into it tells how far it is."""

import json
from pathlib import Path

import pytest

from broker.checkpoint import FORMAT, check_checkpoint, examine_checkpoint, read_offsets
from broker.errors import RunDirectoryError
from broker.run_directory import RunDirectory

METADATA = {"batchWatermarkMs": 0, "batchTimestampMs": 1, "conf": {"spark.sql.streaming.offsetLog.formatVersion": "1"}}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path)


def spark_wrote(run: RunDirectory, number: int, *sources: object, done: bool = True) -> None:
    """A micro-batch in Spark's files, with the hidden checksums that lie beside them."""
    lines = [
        "v1",
        json.dumps(METADATA),
        *(source if isinstance(source, str) else json.dumps(source) for source in sources),
    ]
    for folder, text in (("offsets", "\n".join(lines)), ("commits", 'v1\n{"nextBatchWatermarkMs":0}'))[: 1 + done]:
        path = run.checkpoint / folder / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.with_name(f".{number}.crc").write_bytes(b"crc")


def test_a_new_checkpoint_is_noted_and_found_again(run: RunDirectory) -> None:
    check_checkpoint(run, "kafka")
    note = (run.checkpoint / "boreal.json").read_text()
    assert json.loads(note) == {"format": FORMAT, "source": "kafka"}
    check_checkpoint(run, "kafka")
    assert (run.checkpoint / "boreal.json").read_text() == note


def test_to_look_writes_nothing(run: RunDirectory) -> None:
    examine_checkpoint(run, "kafka")
    assert not run.checkpoint.exists()


def test_another_kind_of_source_is_refused_with_what_to_do(run: RunDirectory) -> None:
    check_checkpoint(run, "directory")
    for check in (check_checkpoint, examine_checkpoint):
        with pytest.raises(RunDirectoryError) as caught:
            check(run, "kafka")
        told = str(caught.value)
        assert f"the checkpoint {run.checkpoint} can't be used: it reads from a source of kind directory" in told
        assert f"mv {run.checkpoint} {run.checkpoint}.old" in told
    check_checkpoint(run, "directory")


@pytest.mark.parametrize("format_", [FORMAT + 1, 0, None, "1"])
def test_another_format_is_refused(run: RunDirectory, format_: object) -> None:
    run.checkpoint.mkdir()
    (run.checkpoint / "boreal.json").write_text(json.dumps({"format": format_, "source": "kafka"}))
    with pytest.raises(
        RunDirectoryError, match=rf"the format {format_}, and this version goes on from format {FORMAT}\."
    ):
        check_checkpoint(run, "kafka")


@pytest.mark.parametrize("content", ["", "{", "3", "[1]", "null", '"x"'])
def test_a_note_that_can_not_be_read_is_refused(run: RunDirectory, content: str) -> None:
    run.checkpoint.mkdir()
    (run.checkpoint / "boreal.json").write_text(content)
    with pytest.raises(RunDirectoryError, match=r"boreal\.json in it can't be read"):
        check_checkpoint(run, "kafka")


def test_a_note_that_is_no_text_is_refused(run: RunDirectory) -> None:
    run.checkpoint.mkdir()
    (run.checkpoint / "boreal.json").write_bytes(b"\xff\xfe")
    with pytest.raises(RunDirectoryError, match=r"boreal\.json in it can't be read"):
        check_checkpoint(run, "kafka")


def test_a_checkpoint_without_a_note_reads_a_directory(run: RunDirectory) -> None:
    spark_wrote(run, 0, {"files": 3})
    with pytest.raises(RunDirectoryError, match="no note of what it is for"):
        check_checkpoint(run, "kafka")
    check_checkpoint(run, "directory")


def test_offsets_are_those_of_the_last_micro_batch_that_is_done(run: RunDirectory) -> None:
    for number in (9, 10, 11):
        spark_wrote(run, number, {"alerts": {"0": 100 * number, "1": 7}}, done=number < 11)
    assert read_offsets(run) == {"alerts/0": 1000, "alerts/1": 7}


def test_offsets_of_several_topics_and_of_other_sources(run: RunDirectory) -> None:
    spark_wrote(run, 0, {"a-1": {"0": 5}, "b.c": {"10": 2**40}}, {"files": 3}, "-", 17)
    assert read_offsets(run) == {"a-1/0": 5, "b.c/10": 2**40}


def test_without_a_micro_batch_there_are_none(run: RunDirectory) -> None:
    assert read_offsets(run) == {}
    spark_wrote(run, 0, {"alerts": {"0": 5}}, done=False)
    assert read_offsets(run) == {}
    spark_wrote(run, 1, {"alerts": {"0": 9}})
    (run.checkpoint / "offsets" / "1").unlink()
    assert read_offsets(run) == {}
