"""Fixtures of the tests of alert rules and dashboard: the files, read, and what may stand in an expression."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML

from broker.metrics.catalogue import BY_NAME, Kind

FOLDER = Path(__file__).parents[3] / "k8s" / "observability"

FOREIGN = {
    "up": {"job"},
    "ALERTS": {"alertname", "alertstate"},
    "container_memory_working_set_bytes": {"pod", "container"},
    "container_spec_memory_limit_bytes": {"pod", "container"},
    "container_cpu_cfs_throttled_periods_total": {"pod", "container"},
    "container_cpu_cfs_periods_total": {"pod", "container"},
}
"""Labels of metrics that others tell: Prometheus, and each node's kubelet."""

OF_TARGETS = {"namespace", "job", "instance"}

NAME = re.compile(rf"\b(boreal_\w+|{'|'.join(FOREIGN)})\b")
LABELS = re.compile(r"\b(?:by|on|group_left|without) \(([^)]*)\)")
SELECTOR = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")


class Asked:
    """What an expression asks for.

    Parameters
    ----------
    expression : in Prometheus's language.
    """

    def __init__(self, expression: str) -> None:
        self.metrics, self.labels, self.known = set(), set(), set(OF_TARGETS)
        for name in NAME.findall(expression):
            metric = BY_NAME.get(name) or BY_NAME.get(re.sub(r"_(bucket|sum|count)$", "", name))
            self.metrics.add(metric.name if metric else name)
            self.known |= set(metric.labels) if metric else FOREIGN.get(name, set())
            self.known |= {"le"} if metric and metric.kind is Kind.HISTOGRAM else set()
        for found in LABELS.findall(expression):
            self.labels |= {label.strip() for label in found.split(",") if label.strip()}
        self.labels |= set(SELECTOR.findall(expression))

    @property
    def unknown(self) -> set[str]:
        """Metrics that nobody tells, and labels that none of the metrics has."""
        return {name for name in self.metrics if name not in BY_NAME and name not in FOREIGN} | self.labels - self.known


@pytest.fixture(scope="session")
def asked() -> type[Asked]:
    return Asked


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def rules() -> dict[str, dict[str, Any]]:
    """Every rule by its name; a name that comes twice fails."""
    groups = read(FOLDER / "rules.yaml")["groups"]
    every = [rule for group in groups for rule in group["rules"]]
    found = {rule["alert"]: rule for rule in every}
    assert len(found) == len(every)
    return found


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The program that makes dashboard.json and prometheus-rule.yaml."""
    spec = importlib.util.spec_from_file_location("make_observability", FOLDER / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def dashboard(make: ModuleType) -> dict[str, Any]:
    return make.dashboard(read(FOLDER / "panels.yaml"))


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)
