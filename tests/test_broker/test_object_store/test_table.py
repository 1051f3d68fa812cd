"""The annotation table on a real object store: each micro-batch in it once, whatever the network does."""

import subprocess
import sys
from contextlib import contextmanager

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction

from broker.archives.found import Rules
from broker.archives.input_list import InputList
from broker.archives.listing import Listed, list_input
from broker.archives.read import ArchiveReader, to_row
from broker.errors import TableError, WrongInputError
from broker.object_store import BRIEFLY
from broker.tables.compact import compact
from broker.tables.dataset import annotations_at
from broker.tables.delta import DeltaAnnotations
from broker.tables.table import Committed, TableBatch
from schemas.annotation import DELIVERED_TO

pytestmark = pytest.mark.slow

STREAM = "0123abcd"


@pytest.fixture(scope="module")
def rows(outcomes):
    """Five real annotations."""
    found = outcomes[0].annotations.slice(0, 5)
    return found.append_column(DELIVERED_TO, pa.array([["all"]] * 5, DELIVERED_TO.type))


@pytest.fixture
def location(bucket, store):  # noqa: ARG001  # the environment leads to the server
    return f"s3://{bucket}/annotations"


def batch(rows, number, stream=STREAM):
    ids = pa.array(range(number * 1000, number * 1000 + rows.num_rows), pa.int64())
    index = rows.schema.get_field_index("alertId")
    return TableBatch(stream, number, rows.set_column(index, rows.schema.field(index), ids), {"batch": number})


def ids(location, options=None):
    pieces = [piece["alertId"].to_pylist() for piece in DeltaAnnotations(location, options or {}).rows(["alertId"])]
    return sorted(number for piece in pieces for number in piece)


def ids_of(rows, numbers):
    return [number * 1000 + k for number in numbers for k in range(rows.num_rows)]


def test_what_is_written_comes_back_and_a_batch_written_again_changes_nothing(minio, bucket, location, rows):
    table = DeltaAnnotations(location)
    assert (table.after(STREAM, -1), list(table.rows(["night"])), list(table.nights())) == ((), [], [])
    assert minio.objects(bucket) == []
    for number in (0, 1):
        table.write(batch(rows, number))
    before = minio.objects(bucket)
    for number in (0, 1):
        DeltaAnnotations(location).write(batch(rows, number))
    assert minio.objects(bucket) == before
    found = pa.concat_tables(DeltaAnnotations(location).rows(rows.schema.names)).sort_by("alertId")
    assert found.equals(pa.concat_tables([batch(rows, 0).annotations, batch(rows, 1).annotations]).sort_by("alertId"))
    assert DeltaAnnotations(location).after(STREAM, 0) == [Committed(1, {"batch": 1})]
    assert annotations_at(location).dataset.count_rows() == 10


def test_of_two_writers_of_one_batch_one_is_refused_and_of_two_streams_none(location, rows):
    DeltaAnnotations(location).write(batch(rows, 0))
    stale = DeltaTable(location)
    DeltaAnnotations(location).write(batch(rows, 1))
    commit = CommitProperties(app_transactions=[Transaction(STREAM, 1)])
    with pytest.raises(Exception, match="Concurrent transaction"):
        stale.create_write_transaction([], mode="append", schema=stale.schema(), commit_properties=commit)
    one, other = DeltaAnnotations(location), DeltaAnnotations(location)
    assert one.nights() == other.nights()
    one.write(batch(rows, 2))
    other.write(batch(rows, 3, "4567cdef"))
    assert ids(location) == ids_of(rows, range(4))


def test_compacting_merges_a_night_and_deletes_what_is_old(minio, bucket, location, rows):
    table = DeltaAnnotations(location)
    for number in range(4):
        table.write(batch(rows, number))
    nights = len(table.nights())
    merged = compact(location, keep_hours=0)
    assert [night.after.count for night in merged] == [1] * nights
    assert len([name for name in minio.objects(bucket) if name.endswith(".parquet")]) == nights
    assert ids(location) == ids_of(rows, range(4))
    table.write(batch(rows, 4))
    assert ids(location) == ids_of(rows, range(5))


def test_files_that_are_no_table_are_left_alone(minio, bucket, location, rows):
    with minio.files().open_output_stream(f"{bucket}/annotations/night=20260101/other.parquet") as file:
        file.write(b"somebody's")
    with pytest.raises(TableError, match="no Delta table"):
        DeltaAnnotations(location).write(batch(rows, 0))
    assert minio.objects(bucket) == ["annotations/night=20260101/other.parquet"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"aws_secret_access_key": "not-the-password"}, "the login was refused"),
        ({"aws_access_key_id": "nobody"}, "the login was refused"),
        ({"aws_endpoint_url": "http://127.0.0.1:9"}, "the store doesn't answer"),
        ({"aws_endpoint_url": "http://nowhere.invalid"}, "the store doesn't answer"),
        ({"aws_allow_http": "false"}, "AWS_ALLOW_HTTP"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_without_a_password(location, options, told):
    with pytest.raises(TableError, match=told) as raised:
        DeltaAnnotations(location, {**BRIEFLY, **options}).nights()
    assert "\n" not in str(raised.value)
    assert not any(word in str(raised.value) for word in ("sesame", "not-the-password"))


def test_a_bucket_that_is_not_there_is_told(store, rows):  # noqa: ARG001
    with pytest.raises(TableError, match="no such bucket"):
        DeltaAnnotations("s3://nowhere/annotations").write(batch(rows, 0))


def test_a_table_is_listed_and_read_again_as_an_input_of_a_reprocessing(tmp_path, location, rows):
    table = DeltaAnnotations(location)
    for number in (0, 1):
        table.write(batch(rows, number))
    inputs = InputList(tmp_path)
    inputs.add([location])
    list_input(inputs.inputs[0], tmp_path, Rules())
    listed = Listed.read(tmp_path, inputs.inputs[0])
    assert (inputs.inputs[0].label, listed.packets, listed.faults) == ("annotations", 10, [])
    portions = [to_row(*each) for each in InputList(tmp_path).portions(0)]
    read = ArchiveReader(tmp_path, Rules())([pa.record_batch([pa.array(portions, pa.utf8())], names=["portion"])])
    assert sorted(i for intake in read for i in intake.stored["alertId"].to_pylist()) == ids_of(rows, (0, 1))
    InputList(tmp_path).check({})
    table.write(batch(rows, 2))
    with pytest.raises(WrongInputError, match="has changed since"):
        InputList(tmp_path).check({})
    with pytest.raises(WrongInputError, match="there is no Delta table at"):
        inputs.add([f"{location}-elsewhere"])


PROXY = """
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import create_connection
from time import sleep

port, lose, what, times = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

class Handler(BaseHTTPRequestHandler):
    lost = 0

    def handle_one_request(self):
        self.raw_requestline = self.rfile.readline(65537)
        self.close_connection = True
        if not self.raw_requestline or not self.parse_request():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        loses = self.command == "PUT" and lose in self.path and Handler.lost < times
        Handler.lost += loses
        print("lost" if loses else "handed on", self.command, self.path, flush=True)
        if loses and what == "request":
            return
        head = self.raw_requestline + b"".join(f"{k}: {v}\\r\\n".encode() for k, v in self.headers.items())
        with create_connection(("127.0.0.1", port)) as there:
            there.sendall(head + b"Connection: close\\r\\n\\r\\n")
            sleep(0.02)  # who refuses before the body has come resets the connection, and its answer may be lost
            there.sendall(body)
            answer = b""
            with suppress(ConnectionResetError):
                while piece := there.recv(65536):
                    answer += piece
        if not loses:
            self.wfile.write(answer)

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def losing(minio, name, what, times):
    """A server before the store that loses answers, or requests, to write this name; gives its options and its log.

    It is a process of its own, since an upload lets no other thread of this one work.
    """
    command = [sys.executable, "-c", PROXY, str(minio.port), name, what, str(times)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        try:
            yield {"aws_endpoint_url": f"http://127.0.0.1:{process.stdout.readline().strip()}"}, lines
        finally:
            process.kill()
            lines += process.stdout.read().splitlines()


LOG = "_delta_log/0000000000000000000"


@pytest.mark.parametrize(
    ("name", "what", "times"),
    [
        (f"{LOG}0.json", "answer", 1),
        (f"{LOG}1.json", "answer", 1),
        (f"{LOG}2.json", "request", 3),
        ("part-", "answer", 1),
        ("part-", "request", 3),
    ],
)
def test_requests_and_answers_that_are_lost_lose_and_double_nothing(minio, location, rows, name, what, times):
    with losing(minio, name, what, times) as (options, lines):
        table = DeltaAnnotations(location, options)
        for number in range(3):
            table.write(batch(rows, number))
    assert len([line for line in lines if line.startswith("lost")]) == times, lines
    assert ids(location) == ids_of(rows, range(3))
    assert DeltaAnnotations(location).after(STREAM, -1) == [Committed(n, {"batch": n}) for n in range(3)]


KILLED = """
import os, random, signal, sys, time
import pyarrow as pa
import pyarrow.dataset  # in the parent, so that the children need no time for it

location, rows, batches, kills = sys.argv[1], pa.ipc.open_file(sys.argv[2]).read_all(), *map(int, sys.argv[3:])
index = rows.schema.get_field_index("alertId")

def write():
    from broker.tables.delta import DeltaAnnotations  # its threads don't live through a fork
    from broker.tables.table import TableBatch
    table = DeltaAnnotations(location)
    for number in range(max(len(table.after("0123abcd", -1)) - 2, 0), batches):
        ids = pa.array(range(number * 1000, number * 1000 + rows.num_rows), pa.int64())
        batch = rows.set_column(index, rows.schema.field(index), ids)
        table.write(TableBatch("0123abcd", number, batch, {"batch": number}))

def child():
    pid = os.fork()
    if pid == 0:
        write()
        os._exit(0)
    return pid

random.seed(4)
died = 0
for kill in range(kills):
    pid = child()
    time.sleep(random.uniform(0.3, 1.5))
    os.kill(pid, signal.SIGKILL)
    died += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
assert os.waitpid(child(), 0)[1] == 0
print(died)
"""


def test_killed_at_any_moment_it_loses_and_doubles_nothing(tmp_path, location, rows):
    path = tmp_path / "rows.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)
    command = [sys.executable, "-c", KILLED, location, path, "60", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 2
    assert ids(location) == ids_of(rows, range(60))
    assert DeltaAnnotations(location).after(STREAM, 58) == [Committed(59, {"batch": 59})]
