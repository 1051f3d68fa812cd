"""What kustomize makes of the manifests, objects and the pods that come of them; a real API server to ask."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

K8S = Path(__file__).parents[2] / "k8s"
TOOLS = K8S / "test"
UNREACHABLE = 3
CACHE = Path(
    os.environ.get("BOREAL_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "boreal")
)
OVERLAYS = tuple(sorted(path.parent.name for path in K8S.glob("overlays/*/kustomization.yaml")))
BUILDS = tuple(f"overlays/{name}" for name in OVERLAYS)
ALONE = ("base", "kafka", "observability", "reprocess")

Object = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A pod that somebody makes of an object.

    Parameters
    ----------
    of : kind and name of the object, and its part.
    labels : of the pod.
    spec : as in the object.
    account : its service account.
    sized : what Spark adds to the resources of the first container, limits and requests.
    """

    of: str
    labels: Mapping[str, str]
    spec: Object
    account: str
    sized: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def containers(self) -> list[Object]:
        return [*self.spec["containers"], *self.spec.get("initContainers", ())]


@dataclass(frozen=True)
class Build:
    """What one folder of manifests comes to."""

    name: str
    objects: tuple[Object, ...]

    def of_kind(self, kind: str) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self.objects if each["kind"] == kind}

    @property
    def config_maps(self) -> dict[str, Object]:
        return self.of_kind("ConfigMap")

    def config_text(self, name: str, key: str) -> str:
        """A file of a ConfigMap, whatever hash its name carries."""
        (found,) = (each for full, each in self.config_maps.items() if full.rpartition("-")[0] == name)
        return str(found["data"][key])

    @property
    def pods(self) -> list[Pod]:
        return [pod for each in self.objects for pod in _pods_of(each, self)]


def _pods_of(each: Object, build: Build) -> Iterator[Pod]:
    kind, name = each["kind"], each["metadata"]["name"]
    if kind in ("StatefulSet", "Deployment", "Job"):
        yield _of_template(f"{kind} {name}", each["spec"]["template"])
    elif kind == "CronJob":
        yield _of_template(f"{kind} {name}", each["spec"]["jobTemplate"]["spec"]["template"])
    elif kind == "SparkApplication":
        yield from (_of_spark(f"{kind} {name}", part, each["spec"][part]) for part in ("driver", "executor"))
    if kind == "StatefulSet" and name == "boreal-driver":
        yield _of_pod_template(build)


def _of_template(of: str, template: Object) -> Pod:
    spec = template["spec"]
    return Pod(of, template["metadata"]["labels"], spec, spec["serviceAccountName"])


def _of_spark(of: str, part: str, given: Object) -> Pod:
    template = given["template"]
    sizes = {
        "requests": {"cpu": given["coreRequest"], "memory": given["memory"]},
        "limits": {"cpu": given["coreLimit"], "memory": given["memory"]},
    }
    labels = {**template["metadata"]["labels"], **given["labels"]}
    return Pod(f"{of} {part}", labels, template["spec"], given["serviceAccount"], sizes)


def _of_pod_template(build: Build) -> Pod:
    """The executors that the driver asks for by itself."""
    template = YAML(typ="safe").load(build.config_text("boreal-executor", "executor.yaml"))
    extra = YAML(typ="safe").load(build.config_text("boreal-run", "run.yaml"))["spark"]["extra"]
    memory = extra["spark.executor.memory"]
    sizes = {
        "requests": {"cpu": str(extra["spark.kubernetes.executor.request.cores"]), "memory": memory},
        "limits": {"cpu": str(extra["spark.kubernetes.executor.limit.cores"]), "memory": memory},
    }
    account = extra["spark.kubernetes.authenticate.executor.serviceAccountName"]
    return Pod("ConfigMap boreal-executor", template["metadata"]["labels"], template["spec"], account, sizes)


@pytest.fixture(scope="session")
def builds() -> dict[str, Build]:
    """Every build by the name of its folder, overlays first."""
    return {name: Build(name, _built(name)) for name in (*BUILDS, *ALONE)}


def _built(name: str) -> tuple[Object, ...]:
    command = next(
        (words for words in (["kubectl", "kustomize"], ["kustomize", "build"]) if shutil.which(words[0])), None
    )
    if command is None:
        pytest.skip("neither kubectl nor kustomize is on this machine")
    done = subprocess.run([*command, str(K8S / name)], capture_output=True, text=True, check=True)
    return tuple(YAML(typ="safe").load_all(done.stdout))


@pytest.fixture(params=BUILDS)
def build(request: pytest.FixtureRequest, builds: dict[str, Build]) -> Build:
    """One overlay after the other."""
    return builds[request.param]


@pytest.fixture(params=(*BUILDS, *ALONE))
def any_build(request: pytest.FixtureRequest, builds: dict[str, Build]) -> Build:
    """One build after the other, those too that need another beside them."""
    return builds[request.param]


@dataclass(frozen=True)
class Server:
    """A real API server, spoken to with kubectl."""

    kubeconfig: Path

    @property
    def cluster(self) -> Object:
        """Its address, and the authority to trust there."""
        return dict(YAML(typ="safe").load(self.kubeconfig)["clusters"][0]["cluster"])

    def ask(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(CACHE / "bin" / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False)

    def told(self, *arguments: str, given: str | None = None) -> str:
        done = self.ask(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows what Kubernetes brings, and nothing else."""
    folder = tmp_path_factory.mktemp("server")
    started = subprocess.run([TOOLS / "apiserver", "up", folder], stdout=subprocess.PIPE, text=True, check=False)
    if started.returncode == UNREACHABLE:
        pytest.skip("an API server can't be built: Go, or its module proxy, is missing")
    assert started.returncode == 0
    try:
        yield Server(Path(started.stdout.strip()))
    finally:
        subprocess.run([TOOLS / "apiserver", "down", folder], check=True)
