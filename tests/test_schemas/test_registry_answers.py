"""Whatever a schema registry answers, it is a schema or a plain reason, and it comes in time."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from schemas._foreign_schema import writer_schema
from schemas._record_reader import UnreadableError
from schemas._registry_calls import Answer, Failure, ask
from schemas.registry import BundledRegistry, WriterSchema
from schemas.registry_settings import RegistrySettings

ALERT = {"type": "record", "name": "lsst.v12_0.alert", "fields": [{"name": "diaSourceId", "type": "long"}]}
NOT_AVRO = "answered with something that isn't an Avro schema: "
Reply = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `reply` does."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append(self.path.partition("?")[0])
        self.server.reply(self)

    def send(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Any answer at all, for what `SchemaRegistryServer` is too well-behaved to send."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.reply: Reply = saying(b"")
        self.over = Event()
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def hang(self, _handler: Handler) -> None:
        self.over.wait(20)

    def trickle(self, handler: Handler) -> None:
        """Send a byte now and then, so that no read ever times out."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not self.over.wait(0.1):
            handler.wfile.write(b" ")

    def serve(self, answers: dict[str, dict[str, Any]]) -> None:
        """Answer each path with its JSON, others with 404."""
        missing = json.dumps({"error_code": 40401, "message": "Subject 'gone' not found."}).encode()

        def reply(handler: Handler) -> None:
            found = answers.get(self.asked[-1])
            handler.send(json.dumps(found).encode() if found else missing, 200 if found else 404)

        self.reply = reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is part of the tests."""


def saying(body: bytes, status: int = 200) -> Reply:
    return lambda handler: handler.send(body, status)


def schema_answer(schema: Any, **more: Any) -> Reply:
    return saying(json.dumps({"schema": json.dumps(schema), **more}).encode())


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()


def ask_one(server: Server) -> Answer:
    ((schema_id, answer),) = ask(RegistrySettings(server.url, timeout_seconds=2), [1200])
    assert schema_id == 1200
    return answer


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (saying(b'{"error_code": 40403, "message": "no"}', 404), "doesn't know the id (404)"),
        (saying(b"<html>not here</html>", 404), "doesn't know the id (404)"),
        (saying(b'{"error_code": 50001, "message": "out of\\n memory"}', 500), "answered 500: out of memory"),
        (saying(b"<html>oops</html>", 500), "answered 500"),
        (saying(b"", 502), "answered 502"),
        (saying(b"", 302), "answered 302"),
        (saying(b"<html>welcome</html>"), NOT_AVRO + "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        (saying(b"\xff" * 9), NOT_AVRO + "UnicodeDecodeError: "),
        (saying(b"[" * 100_000), NOT_AVRO + "it isn't of the form of a registry's answers"),
        (saying(b"[1]"), NOT_AVRO + "it isn't of the form of a registry's answers"),
        (saying(b""), NOT_AVRO + "it isn't of the form of a registry's answers"),
        (saying(b"{}"), NOT_AVRO + "the answer has no schema in it"),
        (saying(b'{"schema": 5}'), NOT_AVRO + "the answer has no schema in it"),
        (saying(b'{"schema": "{"}'), NOT_AVRO + "JSONDecodeError: "),
        (schema_answer("string"), NOT_AVRO + "it is '\"string\"', expected the schema of a record"),
        (schema_answer({"type": "record"}), NOT_AVRO + "SchemaParseException: "),
        (schema_answer({}, schemaType="PROTOBUF"), NOT_AVRO + "its type is 'PROTOBUF'"),
        (schema_answer(ALERT | {"doc": "x" * 5_000_000}), NOT_AVRO + "it has 5000"),
    ],
)  # fmt: skip
def test_each_answer_has_its_reason(reply: Reply, expected: str, server: Server) -> None:
    server.reply = reply
    answer = ask_one(server)
    assert isinstance(answer, Failure)
    assert answer.reason.startswith(f"the registry at {server.url} {expected}")
    assert len(answer.reason) < 400
    assert not answer.outage


@pytest.mark.parametrize("way", ["hang", "trickle"])
def test_the_time_is_that_of_all_ids_together(way: str, server: Server) -> None:
    server.reply = getattr(server, way)
    start = time.monotonic()
    answers = dict(ask(RegistrySettings(server.url, timeout_seconds=0.5), range(50)))
    assert 0.4 < time.monotonic() - start < 3
    assert sorted(answers) == list(range(50))
    expected = f"the registry at {server.url} didn't answer within 0.5 s"
    assert {(a.reason, a.outage) for a in answers.values() if isinstance(a, Failure)} == {(expected, True)}
    server.over.set()
    time.sleep(0.5)
    assert 1 <= len(server.asked) <= 2, "the id that was under way is tried once more, no other is"


def test_what_was_answered_before_the_time_is_over_counts(server: Server) -> None:
    good = schema_answer(ALERT)
    server.reply = lambda handler: server.hang(handler) if handler.path.endswith("1201") else good(handler)
    answers = dict(ask(RegistrySettings(server.url, timeout_seconds=0.5), [1200, 1201, 1202]))
    assert [isinstance(answer, WriterSchema) for answer in answers.values()] == [True, False, False]


def test_one_hiccup_is_forgiven(server: Server) -> None:
    def hiccup(handler: Handler) -> None:
        server.reply = schema_answer(ALERT)
        handler.send(b"", 503)

    server.reply = hiccup
    assert isinstance(ask_one(server), WriterSchema)
    assert len(server.asked) == 2


def test_name_survey_and_version_are_as_those_of_bundled_schemas(server: Server, registry: BundledRegistry) -> None:
    for schema in (schema for schema in registry if schema.survey == "lsst"):
        server.reply = schema_answer(schema.json)
        answer = ask_one(server)
        assert isinstance(answer, WriterSchema)
        assert (answer.name, answer.survey, answer.version) == (schema.name, schema.survey, schema.version)
        assert answer.parsed == schema.parsed


def cut(schema: dict[str, Any], pieces: dict[str, Any]) -> dict[str, Any]:
    """The schema with the records in its fields taken out, to `pieces` by name."""

    def name_of(branch: Any) -> Any:
        if isinstance(branch, list):
            return [name_of(each) for each in branch]
        if isinstance(branch, dict) and branch["type"] == "record":
            pieces[branch["name"]] = branch
            return branch["name"]
        return branch

    return schema | {"fields": [field | {"type": name_of(field["type"])} for field in schema["fields"]]}


def test_types_of_other_subjects_are_fetched_and_put_where_they_belong(
    server: Server, registry: BundledRegistry
) -> None:
    whole, pieces = registry.by_name("lsst.v10_0.alert"), {}
    outer = cut(dict(whole.json), pieces)
    assert len(pieces) > 2
    references = [{"name": name, "subject": f"{name}/value", "version": 3} for name in pieces]
    server.serve(
        {"/schemas/ids/1200": {"schema": json.dumps(outer), "references": references}}
        | {
            f"/subjects/{name}%2Fvalue/versions/3": {
                "subject": name,
                "version": 3,
                "id": 1,
                "schema": json.dumps(piece),
            }
            for name, piece in pieces.items()
        }
    )
    answer = ask_one(server)
    assert isinstance(answer, WriterSchema), answer
    assert answer.parsed["fields"] == whole.parsed["fields"]
    assert answer.record_name == whole.record_name
    assert len(server.asked) == 1 + len(pieces)


def test_a_subject_that_is_missing_is_told(server: Server) -> None:
    reference = {"name": "lsst.v12_0.diaSource", "subject": "gone", "version": 1}
    server.serve({"/schemas/ids/1200": {"schema": json.dumps(ALERT), "references": [reference]}})
    answer = ask_one(server)
    assert isinstance(answer, Failure)
    assert answer.reason == f"the registry at {server.url} answered 404: Subject 'gone' not found."


def test_schemas_that_refer_to_each_other_come_to_an_end(server: Server) -> None:
    part = {"schema": json.dumps(ALERT | {"name": "lsst.v12_0.part"}), "subject": "part", "version": 1, "id": 1}
    references = {"references": [{"name": "lsst.v12_0.part", "subject": "part", "version": 1}]}
    whole = {"schema": json.dumps(ALERT)}
    server.serve({"/schemas/ids/1200": whole | references, "/subjects/part/versions/1": part | references})
    assert isinstance(ask_one(server), WriterSchema)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"type": "array", "items": "null"}, "an array whose items take no bytes"),
        (["null", "lsst.v12_0.alert"], "lsst.v12_0.alert contains itself"),
    ],
)
def test_traps_are_refused(kind: Any, expected: str) -> None:
    trap = ALERT | {"fields": [{"name": "a", "type": kind}]}
    with pytest.raises(UnreadableError, match=expected):
        writer_schema(1200, json.dumps(trap))
