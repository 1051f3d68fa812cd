"""Who may reach whom: every way that the stream needs is open at both ends, and no other is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Build

BOREAL = "app.kubernetes.io/name"
PART = "app.kubernetes.io/component"
DRIVER, EXECUTOR, CONSOLE, COMPACTION, REPROCESS = (
    {BOREAL: "boreal", PART: part} for part in ("driver", "executor", "console", "compaction", "reprocess")
)
STRANGER = {BOREAL: "something"}
MONITORING = {"kubernetes.io/metadata.name": "monitoring"}
OWN = {"kubernetes.io/metadata.name": "boreal"}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    exact = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    within = all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", ()))
    return exact and within


def peer(given: Mapping[str, Any], pod: Mapping[str, str], namespace: Mapping[str, str]) -> bool:
    if "ipBlock" in given:
        return False
    near = selects(given["namespaceSelector"], namespace) if "namespaceSelector" in given else namespace == OWN
    return near and selects(given.get("podSelector", {}), pod)


def opened(
    build: "Build", way: str, of: Mapping[str, str], other: Mapping[str, str], namespace: Mapping[str, str], port: int
) -> bool:
    """Whether the policies of a pod let a connection in (`Ingress`) or out (`Egress`)."""
    policies = [each["spec"] for each in build.of_kind("NetworkPolicy").values()]
    mine = [spec for spec in policies if way in spec["policyTypes"] and selects(spec["podSelector"], of)]
    assert mine, "no policy holds this pod"
    rules = [rule for spec in mine for rule in spec.get(way.lower(), ())]
    ends = "from" if way == "Ingress" else "to"
    return any(
        (ends not in rule or any(peer(each, other, namespace) for each in rule[ends]))
        and ("ports" not in rule or port in [each["port"] for each in rule["ports"]])
        for rule in rules
    )


def reaches(build: "Build", one: Mapping[str, str], other: Mapping[str, str], port: int) -> bool:
    return opened(build, "Egress", one, other, OWN, port) and opened(build, "Ingress", other, one, OWN, port)


def kafka(build: "Build") -> dict[str, str]:
    """The labels of a broker: Strimzi's, or those of dev's only one."""
    strimzi = {"strimzi.io/cluster": "boreal", BOREAL: "kafka"}
    return strimzi if build.of_kind("Kafka") else {BOREAL: "kafka"}


def test_every_pod_is_held_at_both_ends(any_build: "Build", builds: dict[str, "Build"]) -> None:
    around = builds["base"] if any_build.name == "reprocess" else any_build
    for pod in any_build.pods:
        for way in ("Ingress", "Egress"):
            assert not opened(around, way, pod.labels, STRANGER, {"a": "b"}, 12345)


def test_driver_and_executors_reach_each_other(build: "Build") -> None:
    for port in (7078, 7079):
        assert reaches(build, EXECUTOR, DRIVER, port)
    assert reaches(build, DRIVER, EXECUTOR, 7079)
    assert reaches(build, EXECUTOR, EXECUTOR, 7079)
    assert not reaches(build, DRIVER, EXECUTOR, 7078)


@pytest.mark.parametrize("part", [DRIVER, EXECUTOR, CONSOLE])
def test_they_reach_kafka_where_the_configuration_looks_for_it(part: dict[str, str], build: "Build") -> None:
    text = build.config_text("boreal-run", "run.yaml")
    port = 9093 if ":9093" in text else 9092
    assert opened(build, "Egress", part, kafka(build), OWN, port)
    if not build.of_kind("Kafka"):  # Strimzi opens its own listeners
        assert opened(build, "Ingress", kafka(build), part, OWN, port)


def test_monitoring_reads_metrics_and_nobody_else(build: "Build") -> None:
    assert opened(build, "Ingress", DRIVER, {BOREAL: "prometheus"}, MONITORING, 9108)
    assert not opened(build, "Ingress", DRIVER, STRANGER, OWN, 9108)
    assert not opened(build, "Ingress", DRIVER, {BOREAL: "prometheus"}, MONITORING, 7078)


def test_the_driver_alone_reaches_the_api_server(builds: dict[str, "Build"]) -> None:
    base = builds["base"]
    for port in (443, 6443):
        assert opened(base, "Egress", DRIVER, {}, {"a": "b"}, port)
        assert not opened(base, "Egress", EXECUTOR, {}, {"a": "b"}, port)
        assert not opened(base, "Egress", COMPACTION, {}, {"a": "b"}, port)


@pytest.mark.parametrize("part", [CONSOLE, COMPACTION, REPROCESS, STRANGER])
def test_nobody_else_reaches_the_stream(part: dict[str, str], build: "Build") -> None:
    assert not opened(build, "Ingress", DRIVER, part, OWN, 7078)
    assert not opened(build, "Ingress", EXECUTOR, part, OWN, 7079)


def test_the_bucket_is_outside_and_reached_by_https_only(builds: dict[str, "Build"]) -> None:
    policy = builds["overlays/production"].of_kind("NetworkPolicy")["boreal-https"]["spec"]
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {443}
    assert all(selects(policy["podSelector"], part) for part in (DRIVER, EXECUTOR, CONSOLE, COMPACTION, REPROCESS))
