"""What `k8s/test/deep` asks of its cluster; the cluster itself takes too long for the tests."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from benchmarks.cluster.deployment import overlay
from benchmarks.cluster.kubectl import ClusterError, Pod, wait_for


def test_every_image_is_one_that_is_on_the_node(tmp_path):
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl isn't on this machine")
    (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay(tmp_path)))
    made = subprocess.run([kubectl, "kustomize", tmp_path], capture_output=True, text=True, check=True).stdout
    named = re.findall(r"^ *(?:- )?image: (\S+)|name: BOREAL_IMAGE\n *value: (\S+)", made, re.MULTILINE)
    assert {image for each in named for image in each if image} == {"localhost/boreal:test", "localhost/kafka:test"}


def test_a_pod_is_ready_when_all_its_containers_are():
    told = {"metadata": {"name": "a", "uid": "1"}, "status": {"phase": "Running"}}
    assert not Pod.of(told).ready
    told["status"]["containerStatuses"] = [{"ready": True, "restartCount": 2}, {"ready": False, "restartCount": 1}]
    assert (Pod.of(told).ready, Pod.of(told).restarts) == (False, 3)


def test_what_does_not_come_about_is_told():
    with pytest.raises(ClusterError, match="in vain for rain"):
        wait_for(lambda: False, "rain", 0)


def test_an_unknown_scenario_is_told(tmp_path):
    command = [sys.executable, "-m", "benchmarks.cluster", tmp_path, "--only", "earthquake"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "earthquake" in done.stderr
