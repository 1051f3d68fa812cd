"""What is asked of a cluster, by kubectl."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ClusterError(RuntimeError):
    """The cluster refused something, or something didn't come about in time."""


@dataclass(frozen=True)
class Pod:
    """A pod, as the API server tells of it.

    Parameters
    ----------
    name, uid, phase : of the pod.
    ready : whether all its containers are.
    restarts : of its containers.
    """

    name: str
    uid: str
    phase: str
    ready: bool
    restarts: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Pod":
        """From the API server's answer."""
        containers = told["status"].get("containerStatuses", [])
        return cls(
            told["metadata"]["name"],
            told["metadata"]["uid"],
            told["status"]["phase"],
            bool(containers) and all(each["ready"] for each in containers),
            sum(each["restartCount"] for each in containers),
        )


@dataclass(frozen=True)
class Kubectl:
    """Calls kubectl for one namespace; which cluster, ``KUBECONFIG`` tells."""

    namespace: str

    def __call__(self, *arguments: str, given: str | None = None) -> str:
        """What it prints.

        Raises
        ------
        ClusterError
            If it fails; with what it said.
        """
        done = self.tried(*arguments, given=given)
        if done.returncode:
            raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def tried(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """How it ended."""
        return subprocess.run(  # noqa: S603  # kubectl, as the user has it
            ["kubectl", "--namespace", self.namespace, *arguments],  # noqa: S607
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        """The object, or list, that it gives."""
        return json.loads(self(*arguments, "--output=json"))

    def pods(self, component: str) -> list[Pod]:
        """Pods of a component of Boreal that aren't being deleted, by name."""
        found = self.json("get", "pods", f"--selector=app.kubernetes.io/component={component}")["items"]
        living = [Pod.of(each) for each in found if "deletionTimestamp" not in each["metadata"]]
        return sorted(living, key=lambda pod: pod.name)

    def kill(self, pod: str) -> None:
        """Have a pod killed at once, as a lost node or the kernel would."""
        self("delete", "pod", pod, "--force", "--grace-period=0")

    def keep_logs(self, folder: Path) -> None:
        """Write what every pod printed, and the cluster's events, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for pod in self.json("get", "pods")["items"]:
            name = pod["metadata"]["name"]
            for which in ("false", "true"):
                try:
                    printed = self("logs", name, "--all-containers", f"--previous={which}")
                except ClusterError:
                    continue
                (folder / f"{name}{'.previous' * (which == 'true')}.log").write_text(printed)
        (folder / "events").write_text(self("get", "events", "--sort-by=.lastTimestamp"))


def wait_for(there: Callable[[], bool], what: str, seconds: float) -> float:
    """Seconds until something is so.

    Raises
    ------
    ClusterError
        If it isn't so in time.
    """
    started = time.monotonic()
    while not there():
        if time.monotonic() - started > seconds:
            raise ClusterError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.5)
    return time.monotonic() - started
