"""The overlay `spark-scheduler-dev` in the cluster, with images and volumes of this machine."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.cluster.kubectl import Kubectl
from benchmarks.cluster.stream import DRIVER

ROOT = Path(__file__).parents[2]
OVERLAY = ROOT / "k8s" / "overlays" / "spark-scheduler-dev"
NAMESPACE = "boreal"
BROKERS = "kafka.boreal.svc:9092"
TOPIC = "lsst-alerts-v10"
IMAGES = {"boreal": "boreal", "apache/kafka": "kafka"}
CONTAINERS = {DRIVER: "driver", "kafka": "kafka", "boreal-console": "console"}
"""The container of each StatefulSet."""

USERS = {"boreal": 10001, "data-kafka-0": 1000}
"""Claims, and who writes the volume of each: one on a path of the node isn't handed over to a pod's group."""

VOLUME_MB = 1024


def deploy(folder: Path) -> Path:
    """Apply the overlay with volumes in a folder, wait for Kafka, and make the topic of alerts.

    Returns
    -------
    the folder that is the driver's volume.
    """
    kubectl = Kubectl(NAMESPACE)
    volumes = {claim: _volume(folder, claim, user) for claim, user in USERS.items()}
    kubectl("apply", "--filename=-", given=json.dumps(_list([_persistent(*each) for each in volumes.items()])))
    (folder / "overlay").mkdir(exist_ok=True)
    (folder / "overlay" / "kustomization.yaml").write_text(json.dumps(overlay(folder / "overlay"), indent=2))
    kubectl("apply", "--kustomize", str(folder / "overlay"))
    kubectl("scale", "statefulset/boreal-console", "--replicas=1")
    for name in ("kafka", "boreal-console"):
        kubectl("rollout", "status", f"statefulset/{name}", "--timeout=180s")
    topic = NewTopic(TOPIC, num_partitions=3, replication_factor=1)
    admin = AdminClient({"bootstrap.servers": BROKERS})
    admin.create_topics([topic])[TOPIC].result()
    return volumes["boreal"]


def overlay(beside: Path) -> dict[str, object]:
    """What is another here, as a kustomization for a folder: images that are on the node, and smaller requests."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(OVERLAY, beside)],
        "images": [{"name": old, "newName": f"localhost/{name}", "newTag": "test"} for old, name in IMAGES.items()],
        "patches": [{"patch": json.dumps(_small(*each))} for each in CONTAINERS.items()],
    }


def _small(name: str, container: str) -> dict[str, object]:
    there: dict[str, object] = {"name": container, "resources": {"requests": {"cpu": "100m"}}}
    if name == DRIVER:
        there["env"] = [{"name": "BOREAL_IMAGE", "value": "localhost/boreal:test"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": [there]}}},
    }


def _volume(folder: Path, claim: str, user: int) -> Path:
    """A file system of its own, so that it can be full."""
    place, image = folder / "volumes" / claim, folder / f"{claim}.ext4"
    place.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(VOLUME_MB << 20)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", "loop", str(image), str(place))
    shutil.rmtree(place / "lost+found")
    os.chown(place, user, user)
    return place


def _persistent(claim: str, place: Path) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": claim},
        "spec": {
            "capacity": {"storage": "500Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": str(place)},
            "claimRef": {"namespace": NAMESPACE, "name": claim},
        },
    }


def _list(objects: list[dict[str, object]]) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # the system's own programs
