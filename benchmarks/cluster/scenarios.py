"""What is done to the cluster while packets flow, and what is measured meanwhile."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from benchmarks.cluster.flow import Sender
from benchmarks.cluster.kubectl import ClusterError, Kubectl, wait_for
from benchmarks.cluster.stream import DRIVER, Stream

Facts = dict[str, Any]
KAFKA = "kafka"
MIDDLE = 0.3
"""The part of a flow that has come through when something is done to it."""

NEW_FILTER = "name: {name}\nowner: deep@example.org\ncondition: nDetections >= 0\n"


@dataclass(frozen=True)
class Trial:
    """A stream in a cluster, and what flows into it.

    Parameters
    ----------
    stream, sender : of the trial.
    packets : of each scenario's flow.
    """

    stream: Stream
    sender: Sender
    packets: int

    @property
    def kubectl(self) -> Kubectl:
        """Of the stream's namespace."""
        return self.stream.kubectl

    def during(self, event: Callable[[], Facts]) -> Facts:
        """Send packets, do something when a part of them has come through, wait for the rest.

        Returns
        -------
        what `event` tells, the longest time between two micro-batches, and how long all took [s].
        """
        before, started = self.sender.sent.packets, time.time()
        with self.sender.sending(self.packets):
            self.stream.wait_until_received(before + round(MIDDLE * self.packets))
            facts = event()
        self.stream.wait_until_received(self.sender.sent.packets)
        pause = self.stream.longest_pause(round(started * 1000))
        return {**facts, "longest pause s": round(pause, 1), "seconds": round(time.time() - started)}


def plain(trial: Trial) -> Facts:
    """Packets flow, and nothing happens."""
    return trial.during(dict)


def driver_killed(trial: Trial) -> Facts:
    """The driver's pod is killed."""

    def kill() -> Facts:
        old = trial.stream.driver()
        executors = {pod.uid for pod in trial.stream.executors()}
        trial.kubectl.kill(f"{DRIVER}-0")
        wait_for(lambda: (new := trial.stream.driver()) is not None and new != old and new.ready, "a new driver", 300)
        kept = executors & {pod.uid for pod in trial.stream.executors()}
        return {"old executors kept": len(kept)}

    return trial.during(kill)


def executor_killed(trial: Trial) -> Facts:
    """One of the executors' pods is killed."""

    def kill() -> Facts:
        old = {pod.uid for pod in trial.stream.executors()}
        trial.kubectl.kill(trial.stream.executors()[0].name)
        took = wait_for(
            lambda: len(now := {pod.uid for pod in trial.stream.executors()}) == len(old) and now != old,
            "a new executor", 300,
        )  # fmt: skip
        return {"new executor runs after s": round(took, 1)}

    driver = trial.stream.driver()
    return trial.during(kill) | {"driver restarted": _restarted(trial, driver)}


def filters_changed(trial: Trial) -> Facts:
    """A filter is added to the ConfigMap; the stream takes it in without a restart."""
    name = f"deep-{trial.sender.parts}"

    def add() -> Facts:
        started = time.monotonic()
        filters = {f"{name}.yaml": NEW_FILTER.format(name=name)}
        trial.kubectl("patch", "configmap", "boreal-filters", "--patch", json.dumps({"data": filters}))
        wait_for(lambda: trial.stream.total.deliveries[name] > 0, f"deliveries of {name}", 300)
        return {"delivers after s": round(time.monotonic() - started, 1)}

    driver = trial.stream.driver()
    return trial.during(add) | {"driver restarted": _restarted(trial, driver)}


def rolled(trial: Trial) -> Facts:
    """A rolling restart of the StatefulSet, as a new image or configuration brings it."""

    def roll() -> Facts:
        started = time.monotonic()
        trial.kubectl("rollout", "restart", f"statefulset/{DRIVER}")
        trial.kubectl("rollout", "status", f"statefulset/{DRIVER}", "--timeout=300s")
        return {"rolled in s": round(time.monotonic() - started, 1)}

    return trial.during(roll)


def metrics_asked(trial: Trial) -> Facts:
    """The endpoint is asked from outside of the pods; when all has come through, it tells what the ledger tells."""

    def ask() -> Facts:
        return {"metrics": len(trial.stream.metrics())}

    facts = trial.during(ask)
    told = trial.stream.metrics()["boreal_alerts_received_total"]
    if told != trial.stream.total.received:
        raise ClusterError(f"the endpoint tells {told} received alerts, the ledger {trial.stream.total.received}")
    return facts


def executor_throttled(trial: Trial) -> Facts:
    """One executor gets a twentieth of a core."""
    pod = trial.stream.executors()[0].name

    def throttle() -> Facts:
        _give(trial, pod, "10m", "50m")
        return {}

    try:
        return trial.during(throttle)
    finally:
        _give(trial, pod, "500m", "1")


def _give(trial: Trial, pod: str, request: str, limit: str) -> None:
    """Resize an executor while it runs."""
    resources = {"requests": {"cpu": request}, "limits": {"cpu": limit}}
    patch = {"spec": {"containers": [{"name": "executor", "resources": resources}]}}
    trial.kubectl("patch", "pod", pod, "--subresource=resize", "--patch", json.dumps(patch))


def volume_full(trial: Trial) -> Facts:
    """Something fills the volume; then there is room again."""
    filler = trial.stream.volume / "filler"

    def fill() -> Facts:
        started = time.monotonic()
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        before = trial.stream.driver()
        wait_for(lambda: _restarted(trial, before), "the driver to stop", 300)
        stopped = time.monotonic() - started
        time.sleep(20)
        said = trial.kubectl.tried("logs", f"{DRIVER}-0", "--previous", "--tail=1").stdout.strip()
        filler.unlink()
        return {"stopped after s": round(stopped, 1), "said": said}

    try:
        return trial.during(fill)
    finally:
        filler.unlink(missing_ok=True)


def kafka_lost(trial: Trial) -> Facts:
    """The Kafka broker is away for half a minute."""

    def lose() -> Facts:
        trial.kubectl("scale", f"statefulset/{KAFKA}", "--replicas=0")
        trial.kubectl.kill(f"{KAFKA}-0")
        time.sleep(30)
        trial.kubectl("scale", f"statefulset/{KAFKA}", "--replicas=1")
        trial.kubectl("rollout", "status", f"statefulset/{KAFKA}", "--timeout=120s")
        return {}

    driver = trial.stream.driver()
    return trial.during(lose) | {"driver restarted": _restarted(trial, driver)}


def _restarted(trial: Trial, before: Any) -> bool:
    now = trial.stream.driver()
    return now is None or (now.uid, now.restarts) != (before.uid, before.restarts)


SCENARIOS: dict[str, Callable[[Trial], Facts]] = {
    "plain": plain,
    "driver-killed": driver_killed,
    "executor-killed": executor_killed,
    "filters-changed": filters_changed,
    "rolled": rolled,
    "metrics": metrics_asked,
    "executor-throttled": executor_throttled,
    "volume-full": volume_full,
    "kafka-lost": kafka_lost,
}
