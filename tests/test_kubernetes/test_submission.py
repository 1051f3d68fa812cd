"""What the Spark operator would submit, submitted to a real API server: the driver's pod of it keeps to the rules.

The operator itself can't be had here. It hands a SparkApplication's fields to spark-submit as settings; so does this.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from conftest import Build, Object, Server

pytestmark = pytest.mark.slow

SUBMITTER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: submitter}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: submitter}
rules:
  - {apiGroups: [""], resources: [pods, services, configmaps], verbs: [get, list, watch, create, update, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: submitter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: submitter}
subjects: [{kind: ServiceAccount, name: submitter, namespace: boreal}]
"""
"""Who submits, with no right to network policies."""


@pytest.fixture(scope="module")
def server(empty_server: "Server", builds: dict[str, "Build"]) -> "Server":
    """It has the objects of the base, but for the application itself."""
    base = [each for each in builds["base"].objects if each["kind"] != "SparkApplication"]
    empty_server.told("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": base}))
    empty_server.told("apply", "-n", "boreal", "-f", "-", given=SUBMITTER)
    return empty_server


def found(server: "Server", kind: str) -> list["Object"]:
    return list(json.loads(server.told("get", kind, "-n", "boreal", "-o", "json"))["items"])


def settings(application: "Object", folder: Path) -> Iterator[tuple[str, str]]:
    """The settings that the operator makes of a SparkApplication."""
    spec = application["spec"]
    yield from spec["sparkConf"].items()
    yield "spark.kubernetes.container.image", spec["image"]
    yield "spark.kubernetes.container.image.pullPolicy", spec["imagePullPolicy"]
    yield "spark.executor.instances", str(spec["executor"]["instances"])
    for part in ("driver", "executor"):
        given, of = spec[part], f"spark.kubernetes.{part}"
        template = folder / f"{part}.yaml"
        template.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", **given["template"]}))
        yield f"{of}.podTemplateFile", str(template)
        yield f"{of}.podTemplateContainerName", f"spark-kubernetes-{part}"
        yield f"{of}.request.cores", given["coreRequest"]
        yield f"{of}.limit.cores", given["coreLimit"]
        yield f"spark.kubernetes.authenticate.{part}.serviceAccountName", given["serviceAccount"]
        for name in ("cores", "memory", "memoryOverhead"):
            yield f"spark.{part}.{name}", str(given[name])
        for name, value in given["labels"].items():
            yield f"{of}.label.{name}", value


@pytest.fixture(scope="module")
def submitted(server: "Server", builds: dict[str, "Build"], tmp_path_factory: pytest.TempPathFactory) -> "Server":
    (application,) = builds["base"].of_kind("SparkApplication").values()
    spec = application["spec"]
    pyspark = find_spec("pyspark")
    assert pyspark is not None
    submission = "spark.kubernetes.authenticate.submission"
    given = {
        **dict(settings(application, tmp_path_factory.mktemp("templates"))),
        "spark.kubernetes.namespace": "boreal",
        "spark.kubernetes.driver.pod.name": "boreal-driver",
        "spark.kubernetes.submission.waitAppCompletion": "false",
        f"{submission}.caCertFile": server.cluster["certificate-authority"],
        f"{submission}.oauthToken": server.told("create", "token", "submitter", "-n", "boreal").strip(),
    }
    command = [
        str(Path(str(pyspark.origin)).parent / "bin" / "spark-submit"),
        *("--master", f"k8s://{server.cluster['server']}", "--deploy-mode", "cluster", "--name", "boreal"),
        *(part for name, value in given.items() for part in ("--conf", f"{name}={value}")),
        spec["mainApplicationFile"], *spec["arguments"],
    ]  # fmt: skip
    environment = {**os.environ, "KUBERNETES_AUTH_TRYKUBECONFIG": "false"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return server


@pytest.fixture
def pod(submitted: "Server") -> Any:
    (driver,) = found(submitted, "pods")
    return driver


def test_the_driver_is_let_into_a_restricted_namespace_as_the_template_says(
    pod: "Object", builds: dict[str, "Build"]
) -> None:
    (wanted,) = (each for each in builds["base"].pods if each.of == "SparkApplication boreal driver")
    assert pod["spec"]["securityContext"] == wanted.spec["securityContext"]
    (container,), template = pod["spec"]["containers"], wanted.spec["containers"][0]
    assert container["securityContext"] == template["securityContext"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert pod["metadata"]["labels"].items() >= dict(wanted.labels).items()
    assert {"metrics"} <= {port["name"] for port in container["ports"]}
    assert {each["name"] for each in template["env"]} <= {each["name"] for each in container["env"]}
    assert {each["mountPath"] for each in template["volumeMounts"]} <= {
        each["mountPath"] for each in container["volumeMounts"]
    }


def test_it_has_the_account_the_size_and_the_command_of_the_application(pod: "Object") -> None:
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["serviceAccountName"] == "boreal-driver"
    assert (container["resources"]["limits"]["memory"], container["resources"]["limits"]["cpu"]) == ("4Gi", "2")
    assert container["resources"]["limits"]["ephemeral-storage"] == "4Gi"
    assert container["args"][0] == "driver"
    assert container["args"][-3:] == ["local:///opt/boreal/stream.py", "run", "/etc/boreal/run.yaml"]


def test_executors_will_be_made_of_their_template(submitted: "Server") -> None:
    held = [
        text
        for each in found(submitted, "configmaps")
        for text in each["data"].values()
        if "spark-kubernetes-executor" in text
    ]
    template = YAML(typ="safe").load(held[0])
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_no_policy_is_made_beside_ours(submitted: "Server", builds: dict[str, "Build"]) -> None:
    assert {each["metadata"]["name"] for each in found(submitted, "networkpolicies")} == set(
        builds["base"].of_kind("NetworkPolicy")
    )
