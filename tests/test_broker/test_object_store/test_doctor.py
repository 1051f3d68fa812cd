"""What the doctor finds of an object store: in time, with what to do, and without leaving anything there."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import pytest

from broker.checks import Verdict
from broker.config import load_config
from broker.doctor import examine

pytestmark = pytest.mark.slow


@pytest.fixture
def look(tmp_path, store):  # noqa: ARG001  # the environment leads to the server
    """Examine a run whose table is at an address, with these options of the store."""
    (tmp_path / "in").mkdir()

    def examined(address, **options):
        table = {"kind": "delta", "path": address, "options": options}
        config = tmp_path / "run.yaml"
        config.write_text(json.dumps({"source": {"kind": "directory", "path": "in"}, "to": "out", "table": table}))
        told = {each.check: each.outcome for each in examine(load_config(config))}
        assert not any("sesame" in outcome.found + outcome.remedy for outcome in told.values())
        return told["object store"], told["annotation table"]

    return examined


def test_a_store_that_will_do_is_left_as_it_was(minio, bucket, look):
    found, table = look(f"s3://{bucket}/annotations")
    assert (found.verdict, table.verdict) == (Verdict.OK, Verdict.OK)
    assert "keeps two writers apart" in found.found
    assert minio.objects(bucket) == []


def test_a_bucket_that_is_not_there(look):
    found, table = look("s3://nowhere/annotations")
    assert (found.verdict, found.remedy) == (Verdict.FAILED, "create it, or correct the address")
    assert "there is no such bucket" in found.found
    assert table.verdict == Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"aws_access_key_id": "nobody"}, "the login was refused"),
        ({"aws_endpoint_url": "http://127.0.0.1:9"}, "the store doesn't answer"),
        ({"aws_endpoint_url": "http://nowhere.invalid"}, "the store doesn't answer"),
        ({"aws_allow_http": "false"}, "begins with http://"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(bucket, look, options, told):
    found, table = look(f"s3://{bucket}/annotations", **options)
    assert (found.verdict, table.verdict) == (Verdict.FAILED, Verdict.NOT_CHECKED)
    assert told in found.found


def test_a_wrong_password(bucket, look, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-password")
    found, _ = look(f"s3://{bucket}/annotations")
    assert found.verdict == Verdict.FAILED
    assert "the login was refused" in found.found
    assert "not-the-password" not in found.found


def test_a_store_that_takes_connections_and_never_answers_is_not_waited_for(bucket, look):
    with socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        found, _ = look(f"s3://{bucket}/annotations", aws_endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert found.verdict == Verdict.FAILED
    assert "the store doesn't answer" in found.found
    assert time.monotonic() - start < 50


FORGETFUL = """
import re, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

objects, refused = {}, sys.argv[1]

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = unquote(urlsplit(self.path).path)
        if refused == "delete" and name in objects and self.headers["If-None-Match"]:
            return self.answer(412)
        objects[name] = body
        self.answer(200, ETag='"0"')

    def do_GET(self):
        url = urlsplit(self.path)
        if "list-type" in parse_qs(url.query):
            return self.list(unquote(url.path), parse_qs(url.query))
        body = objects.get(unquote(url.path))
        if body is None:
            return self.answer(404)
        self.answer(200, body, ETag='"0"', Last_Modified="Sun, 01 Nov 2026 00:00:00 GMT")

    do_HEAD = do_GET

    def list(self, bucket, query):
        start = bucket + "/" + query.get("prefix", [""])[0]
        after = bucket + "/" + query.get("start-after", [""])[0]
        names = sorted(name for name in objects if name.startswith(start) and name > after)
        entry = ("<Contents><Key>{}</Key><LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>0</ETag>"
                 "<Size>{}</Size></Contents>")
        listed = "".join(entry.format(name[len(bucket) + 1:], len(objects[name])) for name in names)
        self.answer(200, f"<ListBucketResult><KeyCount>{len(names)}</KeyCount>{listed}</ListBucketResult>".encode())

    def do_POST(self):  # the deletion of several objects
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", body)
        if refused == "delete":
            return self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        for key in keys:
            objects.pop(urlsplit(self.path).path.rstrip("/") + "/" + key, None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self.answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def forgetful(refused):
    """A store that takes no notice of the conditions of a write, as older ones do; or one that refuses to delete."""
    with subprocess.Popen([sys.executable, "-c", FORGETFUL, refused], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def test_a_store_without_conditional_writes_is_refused(look):
    with forgetful("nothing") as url:
        found, _ = look("s3://bucket/annotations", aws_endpoint_url=url)
    assert found.verdict == Verdict.FAILED
    assert "it doesn't know conditional writes" in found.found


def test_a_login_that_may_delete_nothing_is_told_what_stays(look):
    with forgetful("delete") as url:
        found, _ = look("s3://bucket/annotations", aws_endpoint_url=url)
    assert found.verdict == Verdict.WARNING, found
    assert "the login has no right to that" in found.found
    assert "remove s3://bucket/annotations/_boreal-doctor-" in found.remedy


def test_the_command_passes_over_no_fault_and_shows_no_password(tmp_path, minio, bucket):
    (tmp_path / "in").mkdir()
    keys = {"source": {"kind": "directory", "path": "in"}, "to": "out"}
    table = {"kind": "delta", "path": f"s3://{bucket}/annotations"}
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps({**keys, "table": table}))
    boreal = Path(sys.executable).with_name("boreal")
    for password, code in (("sesame-secret", 0), ("not-the-password", 1)):
        environment = {**minio.environment, "AWS_SECRET_ACCESS_KEY": password, "COLUMNS": "200"}
        done = subprocess.run(
            [boreal, "doctor", config], env={**os.environ, **environment},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert password not in done.stdout + done.stderr
