"""What Spark must be told where the driver is a pod of a Kubernetes cluster and asks for its executors itself."""

import os
import socket
from pathlib import Path

NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Kubernetes tells a pod here in which namespace it is."""

IMAGE_VARIABLE = "BOREAL_IMAGE"
"""Names the executors' image where the configuration doesn't: the driver's own, as a manifest knows it."""

SETTINGS = {
    # Ports that a Service and a NetworkPolicy can name.
    "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104  # executors come from other nodes
    "spark.driver.port": "7078",
    "spark.driver.blockManager.port": "7079",
    # The image holds what Spark would hand to executors in a ConfigMap: so the driver needs no right to make one.
    # Nor has it volumes or a service that it would have to look for, or to remove.
    "spark.kubernetes.executor.disableConfigMap": "true",
    "spark.kubernetes.driver.ownPersistentVolumeClaim": "false",
    "spark.kubernetes.driver.reusePersistentVolumeClaim": "false",
    "spark.kubernetes.driver.service.deleteOnTermination": "false",
    # So many lost executors end a run; those of last week don't count.
    "spark.executor.failuresValidityInterval": "1h",
}


def on_kubernetes(master: str) -> bool:
    """Whether a Spark master URL is that of a Kubernetes cluster."""
    return master.startswith("k8s:")


def pod_settings() -> dict[str, str]:
    """The settings that follow from the pod that this is: its name, its address, its namespace and its image."""
    name = socket.gethostname()
    image = os.environ.get(IMAGE_VARIABLE)
    namespace = NAMESPACE.read_text(encoding="utf-8").strip() if NAMESPACE.exists() else None
    return {
        **SETTINGS,
        # Executors find the driver by its address, which is new at each start; so are they.
        "spark.driver.host": socket.gethostbyname(name),
        # They belong to the driver's pod: Kubernetes removes them with it.
        "spark.kubernetes.driver.pod.name": name,
        **({"spark.kubernetes.namespace": namespace} if namespace else {}),
        **({"spark.kubernetes.container.image": image} if image else {}),
    }
