"""What every pod keeps to: no root, nothing to write but volumes, bounds on what it takes, probes, no secrets."""

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from conftest import Build, Pod


def bounded(pod: "Pod", what: str) -> dict[str, str]:
    """Requests or limits of the pod's first container, those included that Spark adds."""
    return {**pod.containers[0]["resources"].get(what, {}), **pod.sized.get(what, {})}


def test_every_pod_runs_as_a_user_without_rights(any_build: "Build") -> None:
    for pod in any_build.pods:
        context = pod.spec["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"}), pod.of
        assert min(context["runAsUser"], context["runAsGroup"], context["fsGroup"]) >= 1000
        assert not any(pod.spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"))


def test_no_container_can_gain_rights_or_write_its_image(any_build: "Build") -> None:
    for pod in any_build.pods:
        for container in pod.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, pod.of


def test_nothing_of_the_node_is_mounted_and_memory_for_files_is_bounded(any_build: "Build") -> None:
    kinds = {"persistentVolumeClaim", "configMap", "secret", "emptyDir"}
    for volume in (volume for pod in any_build.pods for volume in pod.spec["volumes"]):
        assert volume.keys() - {"name"} <= kinds
        assert volume.get("emptyDir", {"sizeLimit": 1})["sizeLimit"]


def test_the_namespace_refuses_what_does_not_keep_to_it(build: "Build") -> None:
    (namespace,) = build.of_kind("Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_container_says_what_it_asks_for_and_takes_at_most(any_build: "Build") -> None:
    for pod in any_build.pods:
        assert len(pod.containers) == 1
        for what in ("requests", "limits"):
            assert bounded(pod, what).keys() == {"cpu", "memory", "ephemeral-storage"}, pod.of
        assert bounded(pod, "requests")["memory"] == bounded(pod, "limits")["memory"]


def test_every_image_is_of_one_version(any_build: "Build") -> None:
    images = [container["image"] for pod in any_build.pods for container in pod.containers if "image" in container]
    images += [each["spec"]["image"] for each in any_build.of_kind("SparkApplication").values()]
    for image in images:
        assert re.fullmatch(r"[a-z0-9./-]+:\d+\.\d+\.\d+", image)


def test_the_stream_runs_of_one_image(build: "Build") -> None:
    images = {
        *(container.get("image") for pod in build.pods for container in pod.containers),
        *(each["spec"]["image"] for each in build.of_kind("SparkApplication").values()),
        *(
            variable["value"]
            for pod in build.pods
            for variable in pod.containers[0].get("env", ())
            if variable["name"] == "BOREAL_IMAGE"
        ),
    }
    assert len({image for image in images if image and "boreal" in image}) == 1


def test_what_runs_on_is_watched(build: "Build") -> None:
    pods = {pod.of: pod.containers[0].keys() for pod in build.pods}
    sets = {
        of: keys for of, keys in pods.items() if of.startswith("StatefulSet") and of != "StatefulSet boreal-console"
    }
    for of, keys in sets.items():
        assert keys >= {"livenessProbe", "readinessProbe", "startupProbe"}, of
    assert sets or "livenessProbe" in pods["SparkApplication boreal driver"]


def test_the_operators_driver_is_not_held_back_until_it_has_executors(builds: dict[str, "Build"]) -> None:
    """Spark's own service makes a driver's name known only when its pod is ready."""
    (driver,) = (pod for pod in builds["base"].pods if pod.of == "SparkApplication boreal driver")
    assert not {"readinessProbe", "startupProbe"} & driver.containers[0].keys()


def test_only_the_driver_may_talk_to_the_api_server(any_build: "Build") -> None:
    assert all(
        account["automountServiceAccountToken"] is False for account in any_build.of_kind("ServiceAccount").values()
    )
    for pod in any_build.pods:
        assert pod.spec["automountServiceAccountToken"] is (pod.account == "boreal-driver"), pod.of
        assert pod.spec["enableServiceLinks"] is False


def test_the_driver_may_handle_pods_of_its_namespace_and_nothing_else(build: "Build") -> None:
    verbs = ["get", "list", "watch", "create", "delete", "deletecollection"]
    (role,) = build.of_kind("Role").values()
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]
    (binding,) = build.of_kind("RoleBinding").values()
    assert [subject["name"] for subject in binding["subjects"]] == ["boreal-driver"]
    assert not build.of_kind("ClusterRole")
    assert not build.of_kind("ClusterRoleBinding")


def test_no_secret_stands_in_a_manifest(any_build: "Build") -> None:
    assert not any_build.of_kind("Secret")
    variables = [each for pod in any_build.pods for each in pod.containers[0].get("env", ())]
    named = [each for each in variables if re.search("PASSWORD|SECRET|KEY|TOKEN", each["name"])]
    assert all(each.keys() == {"name", "valueFrom"} for each in named)
    text = str(any_build.objects)
    assert not re.search(r"sasl\.jaas\.config|BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}", text)


@pytest.mark.parametrize("overlay", ["overlays/spark-scheduler", "overlays/spark-scheduler-dev"])
def test_a_driver_has_the_memory_that_its_java_may_take_and_as_much_for_python(
    overlay: str, builds: dict[str, "Build"]
) -> None:
    build = builds[overlay]
    heap = YAML(typ="safe").load(build.config_text("boreal-run", "run.yaml"))["spark"]["driver_memory"]
    (driver,) = (pod for pod in build.pods if pod.of == "StatefulSet boreal-driver")
    assert int(bounded(driver, "limits")["memory"].removesuffix("Gi")) >= 2 * int(heap.removesuffix("g"))


def shape(pod: "Pod") -> dict[str, Any]:
    """What must be alike, whoever starts the pod."""
    container, mounts = pod.containers[0], {"executor"}
    return {
        "pod": pod.spec["securityContext"],
        "container": container["securityContext"],
        "mounts": [each for each in container["volumeMounts"] if each["name"] not in mounts],
        "volumes": [each for each in pod.spec["volumes"] if each["name"] not in mounts],
        "variables": [each for each in container["env"] if each["name"] != "BOREAL_IMAGE"],
        "account": pod.account,
        "labels": dict(pod.labels),
        "grace": pod.spec.get("terminationGracePeriodSeconds"),
        "spread": pod.spec.get("topologySpreadConstraints"),
        "storage": container["resources"]["limits"]["ephemeral-storage"],
    }


@pytest.mark.parametrize(
    ("operators", "own"),
    [
        ("SparkApplication boreal driver", "StatefulSet boreal-driver"),
        ("SparkApplication boreal executor", "ConfigMap boreal-executor"),
    ],
)
def test_pods_are_alike_with_the_operator_and_without(operators: str, own: str, builds: dict[str, "Build"]) -> None:
    for with_it, without in (("dev", "spark-scheduler-dev"), ("production", "spark-scheduler")):
        (first,) = (pod for pod in builds[f"overlays/{with_it}"].pods if pod.of == operators)
        (second,) = (pod for pod in builds[f"overlays/{without}"].pods if pod.of == own)
        one, other = shape(first), shape(second)
        for found in (one, other):  # each build's maps carry their own hash
            found["volumes"] = json.loads(re.sub(r"boreal-run-\w+", "boreal-run", json.dumps(found["volumes"])))
        assert one == other
