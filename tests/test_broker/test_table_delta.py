"""The Delta table: each micro-batch in it once, whenever the process dies, also while it is compacted."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from typer.testing import CliRunner

from broker.annotate import schema_for
from broker.commands import app
from broker.errors import TableError
from broker.java_archives import Archives, fetched
from broker.spark.session import start_session, stop_session
from broker.tables.compact import compact
from broker.tables.delta import DeltaAnnotations
from broker.tables.table import Committed, TableBatch
from schemas.annotation import DELIVERED_TO

STREAM = "0123abcd"


@pytest.fixture(scope="module")
def annotations(outcomes):
    """Every annotation of the real packets, with deliveries."""
    rows = pa.concat_tables([outcome.annotations for outcome in outcomes])
    delivered = [["all", "few"][: k % 3] for k in range(rows.num_rows)]
    return rows.append_column(DELIVERED_TO, pa.array(delivered, DELIVERED_TO.type))


@pytest.fixture
def location(tmp_path):
    return tmp_path / "annotations"


@pytest.fixture
def rows_file(tmp_path, annotations):
    """Five annotations, for a process of its own."""
    path = tmp_path / "rows.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, annotations.schema) as writer:
        writer.write_table(annotations.slice(0, 5))
    return path


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MB; resized with its function."""
    path = tmp_path / "disk"
    path.mkdir()

    def mount(size, *options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join((*options, f"size={size}")), "tmpfs", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = mount("4m") if shutil.which("mount") else None
    if done is None or done.returncode:
        pytest.skip(f"needs the right to mount a tmpfs: {done.stderr.strip() if done else 'there is no mount'}")
    yield path, lambda size: mount(size, "remount")
    subprocess.run([shutil.which("umount"), str(path)], check=True)


def fill(path, leaving):
    """Take all but some bytes of the disk."""
    (path / "filler").write_bytes(b"x" * (shutil.disk_usage(path).free - leaving))


def numbered(rows, number):
    """The rows as those of one micro-batch: no other has their ids."""
    ids = pa.array(range(number * 1000, number * 1000 + rows.num_rows), pa.int64())
    index = rows.schema.get_field_index("alertId")
    return rows.set_column(index, rows.schema.field(index), ids)


def batch(rows, number, stream=STREAM):
    return TableBatch(stream, number, numbered(rows, number), {"batch": number, "cut": {"few": Counter(perNight=2)}})


def books(number):
    return {"batch": number, "cut": {"few": {"perNight": 2}}}


def last(table, stream=STREAM):
    """The newest micro-batch of a stream that the table has."""
    return next(reversed(table.after(stream, -1)), None)


def ids(location):
    pieces = [piece["alertId"].to_pylist() for piece in DeltaAnnotations(location).rows(["alertId"])]
    return sorted(number for piece in pieces for number in piece)


def ids_of(rows, numbers):
    return [number * 1000 + k for number in numbers for k in range(rows.num_rows)]


def everything(location, schema):
    return pa.concat_tables(DeltaAnnotations(location).rows(schema.names)).sort_by("alertId")


def data_files(location):
    return sorted(location.glob("night=*/*.parquet"))


def test_real_annotations_come_back_in_the_types_of_the_annotation_columns(location, annotations, bundle):
    written = batch(annotations, 0)
    DeltaAnnotations(location).write(written)
    found = everything(location, annotations.schema)
    assert found.schema.equals(schema_for(bundle.manifest).append(DELIVERED_TO), check_metadata=True)
    assert found.equals(written.annotations)
    compact(location)
    assert everything(location, annotations.schema).equals(written.annotations)


def test_a_table_that_is_not_there_yet_is_empty(location):
    table = DeltaAnnotations(location)
    assert (last(table), list(table.rows(["night"])), list(table.nights())) == (None, [], [])
    location.mkdir()
    assert last(table) is None
    table.discard_uncommitted({})
    assert list(location.iterdir()) == []


def test_a_batch_written_again_changes_nothing(location, annotations):
    table = DeltaAnnotations(location)
    for number in (0, 1):
        table.write(batch(annotations, number))
    files = sorted(location.rglob("*"))
    table.write(batch(annotations, 0))
    table.write(batch(annotations, 1))
    DeltaAnnotations(str(location)).write(batch(annotations, 1))
    assert sorted(location.rglob("*")) == files
    assert ids(location) == ids_of(annotations, (0, 1))


def test_a_batch_that_is_written_is_on_the_disk(location, annotations, monkeypatch):
    kept, fsync = set(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (kept.add(Path(f"/proc/self/fd/{file}").readlink()), fsync(file)))
    table = DeltaAnnotations(location)
    for number in (0, 1):
        table.write(batch(annotations, number))
        files = [*(location / "_delta_log").glob("*.json"), *data_files(location)]
        assert kept >= {path for file in files for path in (file, file.parent)} | {location}


def test_streams_count_by_themselves(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 7))
    assert last(table, "4567cdef") is None
    table.write(batch(annotations, 3, "4567cdef"))
    assert last(table) == Committed(7, books(7))
    assert last(table, "4567cdef") == Committed(3, books(3))


def test_a_batch_without_rows_is_committed_with_its_books(location, annotations):
    table = DeltaAnnotations(location)
    table.write(TableBatch(STREAM, 0, annotations.slice(0, 0), {"received": 2**53 + 1}))
    assert last(DeltaAnnotations(location)) == Committed(0, {"received": 2**53 + 1})
    assert data_files(location) == []


def test_of_two_writers_of_one_batch_one_is_refused(location, annotations):
    DeltaAnnotations(location).write(batch(annotations, 0))
    stale = DeltaTable(location)
    DeltaAnnotations(location).write(batch(annotations, 1))
    commit = CommitProperties(app_transactions=[Transaction(STREAM, 1)])
    with pytest.raises(Exception, match="Concurrent transaction"):
        write_deltalake(stale, numbered(annotations, 1), mode="append", commit_properties=commit)
    assert ids(location) == ids_of(annotations, (0, 1))


def test_rows_of_the_nights_that_are_asked_for(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    nights = sorted(set(annotations["night"].to_pylist()))
    assert list(table.nights()) == nights
    for night in nights:
        found = pa.concat_tables(table.rows(["deliveredTo", "night"], [night]))
        assert found.column_names == ["deliveredTo", "night"]
        assert found["night"].to_pylist() == [night] * pc.sum(pc.equal(annotations["night"], night)).as_py()
    assert list(table.rows(["night"], [])) == list(table.rows(["night"], [18581117])) == []


def test_rows_are_those_of_one_version_whatever_is_written_meanwhile(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    pieces = table.rows(["alertId"])
    found = next(pieces)["alertId"].to_pylist()
    table.write(batch(annotations, 1))
    compact(location)
    found += [number for piece in pieces for number in piece["alertId"].to_pylist()]
    assert sorted(found) == ids_of(annotations, [0])


def test_books_are_found_behind_many_other_commits_and_a_checkpoint(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    for number in range(60):
        table.write(TableBatch("4567cdef", number, annotations.slice(0, 0), {}))
    compact(location)
    assert list((location / "_delta_log").glob("*.checkpoint.parquet"))
    assert last(DeltaAnnotations(location)) == Committed(0, books(0))


def test_a_ledger_that_was_restored_is_told_all_that_came_since(location, annotations):
    table = DeltaAnnotations(location)
    for number in range(20):
        table.write(TableBatch(STREAM, number, annotations.slice(0, 0), books(number)))
    compact(location)
    assert table.after(STREAM, 11) == [Committed(number, books(number)) for number in range(12, 20)]
    assert (table.after(STREAM, 19), table.after("4567cdef", -1)) == ((), ())


def test_of_a_batch_whose_entry_of_the_log_is_gone_the_number_is_still_known(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    table.write(batch(annotations, 1))
    opened = DeltaTable(location)
    opened.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
    opened.create_checkpoint()
    time.sleep(0.01)  # an entry goes when it is older than now
    opened.cleanup_metadata()
    assert len(list((location / "_delta_log").glob("*.json"))) <= 1
    fresh = DeltaAnnotations(location)
    assert last(fresh) == Committed(1, {})
    fresh.write(batch(annotations, 1))
    fresh.write(batch(annotations, 2))
    assert ids(location) == ids_of(annotations, (0, 1, 2))
    assert last(fresh) == Committed(2, books(2))


def test_a_new_column_is_null_in_older_rows(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    meaning = {"unit": "nJy", "meaning": "new"}
    field = pa.field("brandNew", pa.float32(), metadata=meaning)
    wider = annotations.append_column(field, pa.array([1.5] * annotations.num_rows, pa.float32()))
    table.write(batch(wider, 1))
    table.write(batch(annotations, 2))
    compact(location)
    rows = pa.concat_tables(table.rows(["alertId", "brandNew"])).sort_by("alertId")
    assert rows.schema.field("brandNew").equals(field, check_metadata=True)
    n = annotations.num_rows
    assert rows["brandNew"].to_pylist() == [None] * n + [1.5] * n + [None] * n


@pytest.mark.parametrize("kind", [pa.float64(), pa.utf8()])
def test_a_column_of_another_type_is_refused(location, annotations, kind):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    name = next(field.name for field in annotations.schema if field.type == pa.float32())
    index = annotations.schema.get_field_index(name)
    changed = annotations.set_column(index, pa.field(name, kind), annotations[name].cast(kind))
    with pytest.raises(TableError, match=f"column {name} is {kind}, and float in the table at .*new table"):
        table.write(batch(changed, 1))
    table.write(batch(annotations, 1))
    assert ids(location) == ids_of(annotations, (0, 1))


def test_a_column_that_is_never_null_can_not_be_left_out(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    with pytest.raises(TableError, match="mjdTai"):
        table.write(batch(annotations.drop_columns("mjdTai"), 1))
    assert last(table) == Committed(0, books(0))


def test_a_folder_of_plain_parquet_is_not_made_a_delta_table(location, annotations):
    (location / "night=20260101").mkdir(parents=True)
    (location / "night=20260101" / "part-0123abcd-00000000.parquet").write_bytes(b"PAR1")
    with pytest.raises(TableError, match="holds Parquet files but no Delta table"):
        DeltaAnnotations(location).write(batch(annotations, 0))


def test_a_log_that_can_not_be_read_is_told_in_one_line(location, annotations):
    (location / "_delta_log").mkdir(parents=True)
    (location / "_delta_log" / f"{0:020}.json").write_text("garbage")
    table = DeltaAnnotations(location)
    for call in (lambda: last(table), table.nights, lambda: list(table.rows(["night"]))):
        with pytest.raises(TableError, match=r"can't be read: [^\n\x1b]*$"):
            call()
    with pytest.raises(TableError, match="can't be written"):
        table.write(batch(annotations, 0))


def test_an_unknown_column_is_an_error(location, annotations):
    table = DeltaAnnotations(location)
    table.write(batch(annotations, 0))
    with pytest.raises(TableError, match="nonsense"):
        list(table.rows(["nonsense"]))


KILLED = """
import os, random, signal, sys, time
import pyarrow as pa
import pyarrow.dataset  # in the parent, so that the children need no time for it
from broker.tables.compact import compact
from broker.tables.delta import DeltaAnnotations
from broker.tables.table import TableBatch

location, rows, batches, kills = sys.argv[1], pa.ipc.open_file(sys.argv[2]).read_all(), *map(int, sys.argv[3:])
index = rows.schema.get_field_index("alertId")

def write():
    table = DeltaAnnotations(location)
    written = table.after("0123abcd", -1)
    for number in range(max(len(written) - 2, 0), batches):
        ids = pa.array(range(number * 1000, number * 1000 + rows.num_rows), pa.int64())
        batch = rows.set_column(index, rows.schema.field(index), ids)
        table.write(TableBatch("0123abcd", number, batch, {"batch": number, "cut": {"few": {"perNight": 2}}}))

def merge():
    if DeltaAnnotations(location).after("0123abcd", -1):
        compact(location, keep_hours=0)  # nobody writes meanwhile

def child(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid

random.seed(4)
died = 0
for kill in range(kills):
    pid = child(merge if kill % 4 == 3 else write)
    time.sleep(random.uniform(0.01, 0.5))
    os.kill(pid, signal.SIGKILL)
    died += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
assert os.waitpid(child(write), 0)[1] == 0
print(died)
"""


def test_killed_at_any_moment_it_loses_and_doubles_nothing(rows_file, location, annotations):
    rows = annotations.slice(0, 5)
    command = [sys.executable, "-c", KILLED, location, rows_file, "120", "24"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 12
    assert ids(location) == ids_of(rows, range(120))
    assert last(DeltaAnnotations(location)) == Committed(119, books(119))


WRITER = """
import sys
import pyarrow as pa
from broker.tables.delta import DeltaAnnotations
from broker.tables.table import TableBatch

table, rows = DeltaAnnotations(sys.argv[1]), pa.ipc.open_file(sys.argv[2]).read_all()
index = rows.schema.get_field_index("alertId")
for number in range(int(sys.argv[3])):
    ids = pa.array(range(number * 1000, number * 1000 + rows.num_rows), pa.int64())
    batch = rows.set_column(index, rows.schema.field(index), ids)
    table.write(TableBatch("0123abcd", number, batch, {"batch": number, "cut": {"few": {"perNight": 2}}}))
"""


def test_a_stream_goes_on_while_another_process_compacts(rows_file, location, annotations):
    DeltaAnnotations(location).write(batch(annotations.slice(0, 5), 0))
    command = [sys.executable, "-c", WRITER, location, rows_file, "80"]
    merged = 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as stream:
        while stream.poll() is None:
            merged += bool(compact(location))
        assert stream.returncode == 0, stream.stderr.read()
    assert merged > 2
    assert ids(location) == ids_of(annotations.slice(0, 5), range(80))
    assert last(DeltaAnnotations(location)) == Committed(79, books(79))


def test_a_full_disk_is_told_and_nothing_of_the_batch_is_in_the_table(small_disk, annotations):
    disk, resize = small_disk
    table = DeltaAnnotations(disk / "table")
    table.write(batch(annotations, 0))
    fill(disk, leaving=100_000)
    with pytest.raises(TableError, match=r"table at .*/table can't be written: .*No space left on device[^\n]*$"):
        table.write(batch(annotations, 1))
    assert last(table) == last(DeltaAnnotations(disk / "table")) == Committed(0, books(0))
    assert ids(disk / "table") == ids_of(annotations, [0])
    resize("8m")
    table.write(batch(annotations, 1))
    assert ids(disk / "table") == ids_of(annotations, [0, 1])


def test_a_disk_that_is_full_for_the_checkpoint_alone_does_not_undo_the_commit(small_disk, annotations):
    disk, resize = small_disk
    table = DeltaAnnotations(disk / "table")
    empty = annotations.slice(0, 0)
    for number in range(48):
        table.write(batch(empty, number))
    fill(disk, leaving=8_192)
    table.write(batch(empty, 48))
    assert not list((disk / "table" / "_delta_log").glob("*.checkpoint.parquet"))
    assert last(DeltaAnnotations(disk / "table")) == Committed(48, books(48))
    resize("8m")
    table.write(batch(annotations, 49))
    assert ids(disk / "table") == ids_of(annotations, [49])


def test_compacting_leaves_one_small_file_a_night_and_every_row(location, annotations):
    table = DeltaAnnotations(location)
    for number in range(4):
        table.write(batch(annotations, number))
    seen = []
    done = compact(location, keep_hours=0, on_night=lambda *counts: seen.append(counts))
    nights = list(table.nights())
    assert [night.night for night in done] == nights
    assert {(night.before.count, night.after.count) for night in done} == {(4, 1)}
    assert all(night.before.size > night.after.size > 0 for night in done)
    assert seen == [(k + 1, len(nights)) for k in range(len(nights))]
    assert len(data_files(location)) == len(nights)
    assert ids(location) == ids_of(annotations, range(4))
    assert compact(location, keep_hours=0) == ()
    assert last(table) == Committed(3, books(3))


def test_compacting_deletes_what_is_old_and_no_longer_needed_and_nothing_else(location, annotations):
    DeltaAnnotations(location).write(batch(annotations, 0))
    folder = data_files(location)[0].parent
    old, new = folder / "part-00000-old-c000.parquet", folder / "part-00000-new-c000.parquet"
    for file in (old, new):
        file.write_bytes(b"left by a writer that died")
    os.utime(old, (time.time() - 3 * 3600,) * 2)
    compact(location, keep_hours=2)
    assert (old.exists(), new.exists()) == (False, True)
    assert ids(location) == ids_of(annotations, [0])


def test_the_command_compacts_the_table_of_a_run_and_says_what_it_did(tmp_path, location, annotations):
    for number in range(3):
        DeltaAnnotations(location).write(batch(annotations, number))
    nights = sorted(set(annotations["night"].to_pylist()))
    done = CliRunner().invoke(app, ["compact", str(tmp_path), "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert [night["night"] for night in found["nights"]] == nights
    again = CliRunner().invoke(app, ["compact", str(location)])
    assert again.exit_code == 0
    assert "no night has files to merge" in again.stdout


def test_the_command_says_what_it_can_not_compact(tmp_path):
    nothing = CliRunner().invoke(app, ["compact", str(tmp_path / "nowhere")])
    assert nothing.exit_code == 2
    assert "there is no Delta table at" in nothing.stderr
    part = tmp_path / "annotations" / "night=20260101" / "part-0123abcd-00000000.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PAR1")
    plain = CliRunner().invoke(app, ["compact", str(tmp_path)])
    assert plain.exit_code == 2
    assert "is plain Parquet" in plain.stderr


SPARK_DELTA = Archives(
    "spark-delta-4.4.0",
    "Delta Lake 4.4.0 for Spark",
    (("io.delta", "delta-spark_4.2_2.13", "4.4.0"),),
    "delta-spark_4.2_2.13-4.4.0.jar",
    ships_with_spark=True,
)


@pytest.mark.slow
def test_spark_reads_the_table_and_knows_its_batches(location, annotations):
    for number in range(3):
        DeltaAnnotations(location).write(batch(annotations, number))
    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.databricks.delta.snapshotPartitions": "1",
    }
    spark = start_session("local[1]", "1g", settings, sorted(fetched(SPARK_DELTA).glob("*.jar")))
    try:
        table = spark.read.format("delta").load(str(location))
        found = table.select("alertId", "probability", "lightCurve.flux").orderBy("alertId").collect()
        assert [row.alertId for row in found] == ids_of(annotations, range(3))
        rows = annotations.to_pylist() * 3
        assert [row.probability for row in found] == [row["probability"] for row in rows]
        assert [row.flux for row in found] == [[point["flux"] for point in row["lightCurve"]] for row in rows]
        writer = table.limit(1).write.format("delta").mode("append").option("txnAppId", STREAM)
        writer.option("txnVersion", 2).save(str(location))
    finally:
        stop_session(spark)
    assert ids(location) == ids_of(annotations, range(3))
