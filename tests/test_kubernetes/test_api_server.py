"""Every overlay against a real API server, which checks fields, rules of CRDs and of admission, and rights."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from conftest import Server

ROOT = Path(__file__).parents[2]
CRDS = ROOT / "k8s" / "test" / "crds"
OVERLAYS = sorted(path.parent for path in ROOT.glob("k8s/overlays/*/kustomization.yaml"))
REPROCESSING = ROOT / "k8s" / "reprocess"

PODS = {"get", "list", "watch", "create", "delete", "deletecollection"}
RIGHTS = {"boreal-driver": {("", "pods"): PODS}}
"""What an account may do in its namespace, beyond what every account may; one that isn't here, nothing."""

APPROVED = "https://github.com/kubeflow/spark-operator/pull/1298"
"""What the operator's own copy says, and the server asks of whatever calls itself of k8s.io."""

pytestmark = pytest.mark.slow


def rights(server: "Server", namespace: str, account: str) -> dict[tuple[str, str], set[str]]:
    """Verbs by group and resource, as the server tells the account."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    answer = server.told(
        "create", "--validate=false", "-f", "-", "-o", "json", f"--as=system:serviceaccount:{namespace}:{account}",
        "--as-group=system:serviceaccounts", f"--as-group=system:serviceaccounts:{namespace}",
        "--as-group=system:authenticated", given=json.dumps(review),
    )  # fmt: skip
    found: dict[tuple[str, str], set[str]] = {}
    for rule in json.loads(answer)["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                names = ",".join(rule.get("resourceNames", []))
                found.setdefault((group, f"{resource} {names}".strip()), set()).update(rule["verbs"])
    return found


@dataclass
class Overlay:
    """The objects of an overlay, or of another folder, moved into a namespace of the test's own."""

    server: "Server"
    namespace: str
    objects: list[dict[str, Any]]

    @classmethod
    def of(cls, server: "Server", path: Path, namespace: str) -> "Overlay":
        objects = [each for each in YAML(typ="safe").load_all(server.told("kustomize", str(path))) if each]
        for each in objects:
            each["metadata"].update({"name" if each["kind"] == "Namespace" else "namespace": namespace})
            for subject in each.get("subjects", []):
                subject["namespace"] = namespace
        return cls(server, namespace, objects)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["kind"] == kind]

    def applied(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As docs/kubernetes.md says to apply an overlay."""
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects})
        return self.server.ask("apply", "--server-side", "--validate=strict", "-f", "-", *arguments, given=given)

    def on_server(self) -> list[dict[str, Any]]:
        """Each object as the server has it, but for its notes on who applied what, and when."""
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": self.objects})
        found = json.loads(self.server.told("get", "-f", "-", "-o", "json", given=given))["items"]
        for each in found:
            del each["metadata"]["resourceVersion"]
        return found


@pytest.fixture(scope="module")
def server(empty_server: "Server") -> "Server":
    """A server that knows what the operators teach it."""
    for path in sorted(CRDS.glob("*.yaml")):
        definition = YAML(typ="safe").load(path)
        definition["metadata"].setdefault("annotations", {})["api-approved.kubernetes.io"] = APPROVED
        empty_server.told("create", "-f", "-", given=json.dumps(definition))
    empty_server.told("wait", "--for=condition=Established", "crd", "--all")
    return empty_server


@pytest.fixture(scope="module", params=OVERLAYS, ids=lambda path: path.name)
def overlay(request, server) -> Overlay:
    """One of them, with its namespace on the server and nothing else."""
    made = Overlay.of(server, request.param, request.param.name)
    for namespace in made.of_kind("Namespace"):
        server.told("apply", "--server-side", "-f", "-", given=json.dumps(namespace))
    return made


@pytest.fixture(scope="module")
def applied(overlay) -> Overlay:
    """All of it on the server."""
    done = overlay.applied()
    assert done.returncode == 0, done.stderr
    return overlay


def test_every_field_is_one_that_the_server_knows(overlay):
    done = overlay.applied("--dry-run=server")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr


def test_a_field_that_the_server_does_not_know_is_refused(overlay):
    wrong = overlay.of_kind("ServiceAccount")[0] | {"automount": True}
    done = Overlay(overlay.server, overlay.namespace, [wrong]).applied("--dry-run=server")
    assert done.returncode == 1
    assert "automount" in done.stderr


def test_applied_a_second_time_nothing_changes(applied):
    before = applied.on_server()
    assert applied.applied().returncode == 0
    assert applied.on_server() == before


def test_accounts_may_do_what_they_must_and_nothing_more(applied):
    ask = partial(rights, applied.server, applied.namespace)
    anyone = ask("nobody")
    for name in (each["metadata"]["name"] for each in applied.of_kind("ServiceAccount")):
        more = {what: verbs - anyone.get(what, set()) for what, verbs in ask(name).items()}
        assert {what: verbs for what, verbs in more.items() if verbs} == RIGHTS.get(name, {}), name


@pytest.mark.parametrize(
    ("account", "question", "answer"),
    [
        ("boreal-driver", "create pods", "yes"),
        ("boreal-driver", "delete pods", "yes"),
        ("boreal-driver", "create pods --subresource=exec", "no"),
        ("boreal-driver", "get secrets", "no"),
        ("boreal-driver", "get pods --namespace=kube-system", "no"),
        ("boreal-driver", "list nodes", "no"),
        ("boreal-executor", "get pods", "no"),
        ("boreal-jobs", "get pods", "no"),
        ("boreal-jobs", "get secrets", "no"),
    ],
)
def test_an_account_can(applied, account, question, answer):
    who = f"--as=system:serviceaccount:{applied.namespace}:{account}"
    asked = ["auth", "can-i", f"--namespace={applied.namespace}", who, *question.split()]
    assert applied.server.ask(*asked).stdout.strip() == answer


def test_a_reprocessing_is_taken(server):
    server.told("create", "namespace", "reprocessing")
    done = Overlay.of(server, REPROCESSING, "reprocessing").applied()
    assert done.returncode == 0, done.stderr


def test_what_is_rendered_for_a_new_subscriber_is_taken(server, tmp_path):
    filters, made = tmp_path / "filters", tmp_path / "made"
    filters.mkdir()
    (filters / "mine.yaml").write_text("name: mine\nowner: me@example.org\ncondition: nDetections > 3\n")
    command = [Path(sys.executable).with_name("boreal"), "k8s", "render", filters, "--to", made]
    subprocess.run(command, check=True, capture_output=True)
    server.told("create", "namespace", "subscribers")
    for folder in ("filters", "kafka"):
        done = Overlay.of(server, made / folder, "subscribers").applied()
        assert done.returncode == 0, done.stderr
    found = json.loads(server.told("get", "kafkausers", "--namespace=subscribers", "-o", "json"))["items"]
    (user,) = (each["spec"]["authorization"]["acls"] for each in found)
    assert {acl["resource"]["name"] for acl in user} == {"boreal-mine", "boreal-mine."}
    assert {operation for acl in user for operation in acl["operations"]} == {"Read", "Describe"}


def test_what_the_operator_s_guide_tells_to_type_is_taken(server, tmp_path, monkeypatch):
    """From the namespace to a night's end, in its order; what needs pods is for a whole cluster."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        (tmp_path / key).write_text("value")
    (tmp_path / "k8s").symlink_to(ROOT / "k8s")
    monkeypatch.chdir(tmp_path)
    guide = (ROOT / "docs/operators-guide.md").read_text()
    lines = re.findall(r"^ *kubectl ((?:-n boreal )?(?:apply|create|get|scale|patch|diff) .*)$", guide, re.MULTILINE)
    assert len(lines) >= 10
    for line in lines:
        done = server.ask(*shlex.split(line))
        assert done.returncode <= line.startswith("diff"), line + done.stderr  # 1 of diff: something would change
    assert server.told("-n", "boreal", "get", "sparkapplication", "boreal", "-o", "jsonpath={.spec.suspend}") == "false"
