"""Metrics and health over HTTP: /metrics, /healthz, /readyz."""

import errno
import logging
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any, Self

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from broker.errors import WrongInputError

LOG = logging.getLogger(__name__)

CLIENT_SECONDS = 10
"""A client that neither asks nor listens for so long is let go."""

MOST_CLIENTS = 32
"""At a time; more are turned away."""

TEXT = "text/plain; charset=utf-8"

Trouble = Callable[[], str | None]
"""Gives what is wrong; None where nothing is."""


class MetricsServer:
    """Answers in threads of its own, which the end of the process doesn't wait for.

    Parameters
    ----------
    address, port : to listen on; port 0 takes a free one.
    collector : tells the metrics.
    unhealthy, unready : what /healthz and /readyz tell.

    Raises
    ------
    WrongInputError
        If nobody can listen there.
    """

    def __init__(self, address: str, port: int, collector: Collector, unhealthy: Trouble, unready: Trouble) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(collector)
        self._server = listening(address, port, _handler(registry, {"/healthz": unhealthy, "/readyz": unready}))
        self.port: int = self._server.server_address[1]
        Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self._room = BoundedSemaphore(MOST_CLIENTS)
        super().__init__(place, handler)

    def server_bind(self) -> None:
        """Without asking the network for this machine's name, which HTTPServer does and may take long."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  # the base class's signature
        """A client that goes away in the middle is no news; anything else is a fault of Boreal's."""
        error = sys.exception()
        if not isinstance(error, OSError):
            LOG.error("a client of the metrics could not be answered: %r", error)


def listening(address: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """A server that listens.

    Raises
    ------
    WrongInputError
        If it can't: which place, why, and what to do.
    """
    try:
        return _Server((address, port), handler)
    except OSError as error:
        used = error.errno == errno.EADDRINUSE
        why = "the port is in use" if used else error.strerror or str(error)
        remedy = (
            "give another `metrics.port`, or stop what listens there (another run?)"
            if used
            else "give an address of this machine as `metrics.address`, and a port that may be listened on"
        )
        raise WrongInputError(f"metrics can't be served at {address}:{port}: {why}; {remedy}") from None


def _handler(registry: CollectorRegistry, troubles: dict[str, Trouble]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS
        server_version, sys_version = "boreal", ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, encode(registry), kind)
            elif path in troubles:
                trouble = troubles[path]()
                status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.OK
                self._answer(status, f"{trouble or 'ok'}\n".encode(), TEXT)
            else:
                self._answer(HTTPStatus.NOT_FOUND, b"there are /metrics, /healthz and /readyz\n", TEXT)

        do_HEAD = do_GET  # noqa: N815  # the base class's name

        def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A line a scrape tells nobody anything."""

    return Handler
