"""What an object names is there: maps, volumes, accounts, secrets, pods, ports, topics."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conftest import Build, Pod

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
GIVEN_SECRETS = {"boreal-stream", "boreal-cluster-ca-cert", "boreal-s3"}
"""Made by Strimzi, or by hand; docs/kubernetes.md tells which."""

GIVEN_CLAIMS, GIVEN_MAPS = {"archives"}, {"boreal-filters"}
"""What a reprocessing finds in its namespace."""


def named(pod: "Pod", kind: str, key: str) -> set[str]:
    return {volume[kind][key] for volume in pod.spec["volumes"] if kind in volume}


def test_maps_and_volumes_that_pods_mount_are_there(any_build: "Build") -> None:
    maps, claims = set(any_build.config_maps), set(any_build.of_kind("PersistentVolumeClaim"))
    if any_build.name == "reprocess":
        maps, claims = maps | GIVEN_MAPS, claims | GIVEN_CLAIMS
    for pod in any_build.pods:
        assert named(pod, "configMap", "name") <= maps, pod.of
        assert named(pod, "persistentVolumeClaim", "claimName") <= claims, pod.of


def test_every_map_is_used(build: "Build") -> None:
    used = {name for pod in build.pods for name in named(pod, "configMap", "name")}
    assert set(build.config_maps) == used


def test_a_file_that_is_mounted_alone_is_in_its_map(any_build: "Build") -> None:
    for pod in any_build.pods:
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        for mount in (mount for mount in pod.containers[0]["volumeMounts"] if "subPath" in mount):
            held = any_build.config_maps[volumes[mount["name"]]["configMap"]["name"]]["data"]
            assert mount["subPath"] in held


def test_every_mount_has_its_volume_and_every_volume_its_mount(any_build: "Build") -> None:
    for pod in any_build.pods:
        claimed = [
            template["metadata"]["name"]
            for each in any_build.of_kind("StatefulSet").values()
            if pod.of == f"StatefulSet {each['metadata']['name']}"
            for template in each["spec"].get("volumeClaimTemplates", ())
        ]
        mounted = {mount["name"] for mount in pod.containers[0]["volumeMounts"]}
        assert mounted == {*(volume["name"] for volume in pod.spec["volumes"]), *claimed}, pod.of


def test_accounts_are_there(build: "Build") -> None:
    assert {pod.account for pod in build.pods} <= set(build.of_kind("ServiceAccount"))
    for binding in build.of_kind("RoleBinding").values():
        assert binding["roleRef"]["name"] in build.of_kind("Role")


def secrets_of(pod: "Pod") -> Iterator[str]:
    yield from named(pod, "secret", "secretName")
    for variable in pod.containers[0].get("env", ()):
        if "valueFrom" in variable:
            yield variable["valueFrom"]["secretKeyRef"]["name"]


def test_secrets_are_those_that_the_documentation_tells_of(any_build: "Build") -> None:
    told = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    used = {name for pod in any_build.pods for name in secrets_of(pod)}
    assert used <= GIVEN_SECRETS
    assert all(f"`{name}`" in told for name in used)


def test_the_documentation_tells_of_every_overlay() -> None:
    told = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    assert all(f"| `{path.name}` |" in told for path in (K8S / "overlays").iterdir())
    assert all(f"| `{path.name}` |" in told for path in K8S.iterdir() if path.name != "components")


def test_the_streams_secrets_are_those_that_strimzi_makes(builds: dict[str, "Build"]) -> None:
    made = builds["overlays/production"]
    (kafka,) = made.of_kind("Kafka")
    assert "boreal-stream" in made.of_kind("KafkaUser")
    assert f"{kafka}-cluster-ca-cert" == "boreal-cluster-ca-cert"
    assert all(
        each["metadata"]["labels"]["strimzi.io/cluster"] == kafka
        for kind in ("KafkaUser", "KafkaTopic", "KafkaNodePool")
        for each in made.of_kind(kind).values()
    )


def test_services_budgets_and_policies_select_pods(build: "Build") -> None:
    labels = [pod.labels for pod in build.pods] + [{"strimzi.io/cluster": "boreal"}]
    for kind, key in (("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for name, each in build.of_kind(kind).items():
            selector = each["spec"][key]
            wanted = selector if kind == "Service" else selector.get("matchLabels", {})
            assert any(wanted.items() <= dict(found).items() for found in labels), name


def test_ports_have_the_names_that_services_and_probes_ask_for(build: "Build") -> None:
    for pod in build.pods:
        ports = {port["name"] for port in pod.containers[0].get("ports", ())}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = pod.containers[0].get(probe, {})
            port = (asked.get("httpGet") or asked.get("tcpSocket") or {"port": None})["port"]
            assert port in {None, *ports}
    for service in build.of_kind("Service").values():
        selected = [p for p in build.pods if service["spec"]["selector"].items() <= dict(p.labels).items()]
        offered = {port["name"] for pod in selected for port in pod.containers[0].get("ports", ())}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= offered


def test_a_budget_leaves_one_executor_to_move(build: "Build") -> None:
    for each in build.of_kind("SparkApplication").values():
        instances = each["spec"]["executor"]["instances"]
        assert build.of_kind("PodDisruptionBudget")["boreal-executors"]["spec"]["minAvailable"] == instances - 1


def test_two_partitions_for_each_executor_core_at_least(builds: dict[str, "Build"]) -> None:
    made = builds["overlays/production"]
    executor = made.of_kind("SparkApplication")["boreal"]["spec"]["executor"]
    topic = made.of_kind("KafkaTopic")["lsst-alerts-v10"]["spec"]
    assert topic["partitions"] >= 2 * executor["instances"] * executor["cores"]


def rights(user: dict[str, Any], topic: str) -> set[str]:
    found = set()
    for acl in user["spec"]["authorization"]["acls"]:
        resource = acl["resource"]
        fits = topic.startswith if resource["patternType"] == "prefix" else topic.__eq__
        if resource["type"] == "topic" and fits(resource["name"]):
            found |= set(acl["operations"])
    return found


def test_the_stream_may_read_alerts_and_write_what_it_delivers(builds: dict[str, "Build"]) -> None:
    made = builds["overlays/production"]
    user = made.of_kind("KafkaUser")["boreal-stream"]
    for name in made.of_kind("KafkaTopic"):
        alerts = name.startswith("lsst-alerts-")
        assert rights(user, name) >= ({"Read", "Describe"} if alerts else {"Write", "Describe"})
        assert ("Write" in rights(user, name)) is not alerts


def test_a_subscriber_reads_its_own_topic_only(builds: dict[str, "Build"]) -> None:
    made = builds["overlays/production"]
    readers = {name: user for name, user in made.of_kind("KafkaUser").items() if name.startswith("subscriber-")}
    assert readers
    for name, user in readers.items():
        allowed = {topic for topic in made.of_kind("KafkaTopic") if rights(user, topic)}
        assert allowed == {f"boreal-{name.removeprefix('subscriber-')}"}


def test_every_file_of_manifests_is_part_of_a_build() -> None:
    listed = "\n".join(path.read_text(encoding="utf-8") for path in K8S.rglob("kustomization.yaml"))
    folders = ("base", "components", "kafka", "overlays", "reprocess")
    files = [path for folder in folders for path in (K8S / folder).rglob("*") if path.is_file()]
    unused = [
        path for path in files if path.name != "kustomization.yaml" and not re.search(rf"\b{path.name}\b", listed)
    ]
    assert files
    assert unused == []
