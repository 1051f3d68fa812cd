"""A schema registry on this machine, for tests and the demo."""

import json
import ssl
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from broker.local._ports import free_ports
from broker.local._registry_store import Answer, RegistryStore, refusal
from broker.local._tls import certificate

Mode = Literal["ok", "slow", "500", "404", "nonsense", "wrong"]
"""How requests are answered: as they should be; the same after `seconds`; with an error; with what isn't JSON; with
JSON whose schema isn't Avro."""

_SPOILED: dict[Mode, Answer] = {
    "500": refusal(HTTPStatus.INTERNAL_SERVER_ERROR, 50001, "Error in the backend data store"),
    "404": refusal(HTTPStatus.NOT_FOUND, 40403, "Schema not found"),
    "nonsense": (HTTPStatus.OK, b"<html>no registry here</html>"),
    "wrong": (HTTPStatus.OK, {"schema": '{"type": "record", "fields": 7}'}),
}


class SchemaRegistryServer:
    """Answers the calls of Confluent's registry over HTTP; used as a context, or with `start` and `stop`.

    It keeps its port and its schemas when stopped and started again.

    Parameters
    ----------
    users : passwords by name, for HTTP basic authentication; without it nobody has to log in.
    tls : folder for a certificate; with it the server speaks HTTPS.

    Attributes
    ----------
    url : where it is reached.
    ca_file : the authority to trust, with `tls`.
    mode : how requests are answered, from the next one on.
    seconds : how long an answer takes in the mode ``slow``.
    requests : how often each was made, by method and path: ``GET /schemas/ids/7``.
    """

    def __init__(self, *, users: Mapping[str, str] | None = None, tls: Path | None = None) -> None:
        self._certificate = certificate(tls) if tls else None
        self._logins = {_login(name, password) for name, password in (users or {}).items()}
        self._store = RegistryStore()
        self._port = free_ports(1)[0]
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self._stopping = Event()
        self._counting = Lock()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._port}"
        self.ca_file = self._certificate.public if self._certificate else None
        self.mode: Mode = "ok"
        self.seconds = 1.0
        self.requests: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; nothing to do where it listens."""
        if self._server:
            return
        self._stopping.clear()
        self._server = _Server(("127.0.0.1", self._port), self)
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate.public, self._certificate.key)
            # The thread of each connection shakes hands, so that a client that doesn't holds up no other.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection; nothing to do where it doesn't listen."""
        if self._server and self._thread:
            self._stopping.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    def register(self, subject: str, schema: Mapping[str, Any], schema_id: int | None = None) -> int:
        """Add an Avro schema to a subject and return its id: the given one, or the next."""
        return self._store.register(subject, {"schema": json.dumps(schema)}, schema_id)

    def answer(self, method: str, path: str, login: str | None, body: bytes) -> Answer:
        """The answer to a request, by the mode."""
        path = urlsplit(path).path
        with self._counting:
            self.requests[f"{method} {path}"] += 1
        mode = self.mode
        if mode == "slow":
            self._stopping.wait(self.seconds)
        if mode in _SPOILED:
            return _SPOILED[mode]
        if self._logins and login not in self._logins:
            return refusal(HTTPStatus.UNAUTHORIZED, 401, "Unauthorized")
        return self._store.answer(method, path, body)


def _login(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for the answers under way

    def __init__(self, address: tuple[str, int], registry: SchemaRegistryServer) -> None:
        self.registry = registry
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left, or that doesn't trust the certificate, is the client's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5  # of a client that connects and says nothing [s]

    def do_GET(self) -> None:
        """Answer without a body from the client."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer to what the client sent."""
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        status, content = self.server.registry.answer(self.command, self.path, self.headers["Authorization"], body)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing: requests are counted."""
