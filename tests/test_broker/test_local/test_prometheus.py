"""The Prometheus that other tests trust, and the Debian package that it comes out of."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from broker.errors import RunFailedError
from broker.local._debian import unpacked
from broker.local.prometheus import JOB, LocalPrometheus

RULES = """
groups:
  - name: these
    rules:
      - alert: Seven
        expr: lucky_number == 7
"""


class Seven(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"lucky_number 7\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Seven) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("prometheus_programs")
def test_it_scrapes_evaluates_and_answers(target: str, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    with LocalPrometheus(tmp_path / "server", [target], [rules], seconds=1) as server:
        server.wait_for('ALERTS{alertname="Seven"}')
        [series] = server.query("lucky_number")
        assert series["metric"] == {"__name__": "lucky_number", "job": JOB, "instance": target}
        now = float(series["value"][0])
        [series] = server.query_range("lucky_number * 2", now - 10, now, 1)
        assert {value for _, value in series["values"]} == {"14"}
        with pytest.raises(RunFailedError, match="unclosed left parenthesis"):
            server.query("rate(")


@pytest.mark.slow
@pytest.mark.usefixtures("prometheus_programs")
def test_settings_that_it_cannot_use_are_told_with_its_own_words(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: 7")
    with pytest.raises(RunFailedError, match=r"(?s)doesn't come up.*cannot unmarshal"):
        LocalPrometheus(tmp_path / "server", [], [rules]).start()


def test_a_package_that_debian_does_not_have_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunFailedError, match="there is no apt-get here"):
        unpacked("prometheus", tmp_path / "cache")
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho 'E: Unable to locate package' >&2\nexit 100\n")
    (tmp_path / "dpkg").write_text("#!/bin/sh\n")
    for tool in ("apt-get", "dpkg"):
        (tmp_path / tool).chmod(0o755)
    with pytest.raises(RunFailedError, match=r"(?s)package prometheus can't be fetched.*Unable to locate"):
        unpacked("prometheus", tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".debian-prometheus.lock"]
