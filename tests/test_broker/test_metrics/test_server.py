"""Metrics and health over real HTTP, with clients that behave badly."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from broker.errors import WrongInputError
from broker.local._ports import free_ports
from broker.metrics import server as servers
from broker.metrics.catalogue import METRICS
from broker.metrics.exposition import ERRORS, StateCollector, all_figures
from broker.metrics.server import MetricsServer


class Many(Collector):
    """Some megabytes of metrics."""

    def collect(self):
        family = GaugeMetricFamily("boreal_many", "many", labels=["n"])
        for k in range(30_000):
            family.add_metric([f"{k:060d}"], k)
        yield family


class Troubles:
    unhealthy = unready = None


@pytest.fixture
def troubles():
    return Troubles()


@pytest.fixture
def server(troubles):
    with MetricsServer("127.0.0.1", 0, Many(), lambda: troubles.unhealthy, lambda: troubles.unready) as server:
        yield server


def get(server, path, **headers):
    request = Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)  # our own
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except HTTPError as error:
        return error.code, error.read().decode(), error.headers["Content-Type"]


def test_prometheus_gets_the_form_that_it_asks_for(server):
    status, text, kind = get(server, "/metrics?x=1")
    (family,) = text_string_to_metric_families(text)
    assert (status, len(family.samples)) == (200, 30_000)
    assert kind.startswith("text/plain; version=")
    _, text, kind = get(server, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


def test_health_says_why_not(server, troubles):
    assert get(server, "/healthz")[:2] == get(server, "/readyz")[:2] == (200, "ok\n")
    troubles.unhealthy, troubles.unready = "no progress for 901 s", "the run is starting"
    assert get(server, "/healthz")[:2] == (503, "no progress for 901 s\n")
    assert get(server, "/readyz")[:2] == (503, "the run is starting\n")
    assert get(server, "/")[0] == get(server, "/metrics/x")[0] == 404


def test_a_port_in_use_and_an_address_elsewhere_are_told(server):
    with pytest.raises(WrongInputError, match=rf"127.0.0.1:{server.port}: the port is in use; give another"):
        MetricsServer("127.0.0.1", server.port, Many(), lambda: None, lambda: None)
    with pytest.raises(WrongInputError, match=r"192\.0\.2\.1:9108: .*; give an address of this machine"):
        MetricsServer("192.0.2.1", 9108, Many(), lambda: None, lambda: None)


def test_a_port_can_be_used_again_at_once():
    (port,) = free_ports(1)
    for _ in range(3):
        with MetricsServer("127.0.0.1", port, Many(), lambda: None, lambda: None) as server:
            assert get(server, "/readyz")[0] == 200


def test_it_listens_to_version_6_where_asked():
    with suppress(WrongInputError), MetricsServer("::1", 0, Many(), lambda: None, lambda: None) as server:
        socket.create_connection(("::1", server.port), timeout=10).close()


def test_clients_that_go_away_in_the_middle_or_send_noise_harm_nobody(server, capfd):
    for request in (
        b"",
        b"GET /metr",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"\x00\xff\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            client.sendall(request)
            time.sleep(0.05)
    assert get(server, "/metrics")[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_too_many_that_hold_the_line_are_turned_away_until_some_go(server):
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(servers.MOST_CLIENTS + 8)]
    time.sleep(0.5)
    with pytest.raises(OSError, match=r".+"):
        get(server, "/metrics")
    for each in held:
        each.close()
    time.sleep(0.5)
    assert get(server, "/readyz")[0] == 200


def test_many_at_a_time_are_answered(server):
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: get(server, "/healthz")[0], range(64))) == {200}


def test_a_metric_that_fails_takes_no_other_with_it_and_is_counted(watched, caplog):
    def broken(_state):
        raise ValueError("no")

    figures = {**all_figures(), "boreal_filters": broken}
    collector = StateCollector(watched().state, figures)
    for _ in range(2):
        found = {family.name: family for family in collector.collect()}
    assert len(found) == len(METRICS)
    assert found["boreal_filters"].samples == []
    (error,) = found[ERRORS.removesuffix("_total")].samples
    assert (error.labels, error.value) == ({"metric": "boreal_filters"}, 2)
    assert caplog.text.count("the metric boreal_filters can't be told") == 1
