"""What the guides tell an operator to type is there: commands with these options, objects of these names, folders."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from broker.commands import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("operators-guide.md", "kubernetes.md", "operations.md", "live.md")]
GUIDE = ROOT / "docs/operators-guide.md"
LAUNCH = "/opt/boreal/launch"
KINDS = {"statefulset": "StatefulSet", "sparkapplication": "SparkApplication", "cronjob": "CronJob", "job": "Job"}
PODS = re.compile(r"(.+)-\d")


def typed(page: Path) -> Iterator[list[str]]:
    """The words of each line of a page's blocks of commands."""
    for block in re.findall(r"^ *```(?:bash|sh)?\n(.*?)^ *```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if re.match(r" *(boreal|kubectl) ", line):
                yield shlex.split(line.partition(" | ")[0], comments=True)


def boreal_words(words: list[str]) -> list[str] | None:
    """The words behind `boreal`, on this machine or in a pod."""
    if words[0] == "boreal":
        return words[1:]
    return words[words.index(LAUNCH) + 1 :] if LAUNCH in words else None


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that is meant, and what it is given."""
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_takes_what_it_is_given(page):
    for words in filter(None, map(boreal_words, typed(page))):
        command, rest = command_of(words)
        command.parse_args(command.context_class(command), [word.strip("[]") for word in rest])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_within_a_sentence_has_these_options(page):
    for text in re.findall(r"`boreal ([a-z][^`\n]*)`", page.read_text()):
        if "--" in text:
            command, rest = command_of(shlex.split(text))
            options = {name for each in command.params for name in each.opts}
            assert {word for word in rest if word.startswith("--")} <= options, text


@pytest.fixture(scope="module")
def names(builds):
    """Names of all objects by kind, in any overlay."""
    found: dict[str, set[str]] = {}
    for build in builds.values():
        for each in build.objects:
            found.setdefault(each["kind"], set()).add(each["metadata"]["name"])
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_object_that_is_asked_for_is_in_an_overlay(page, names):
    for words in (each for each in typed(page) if each[0] == "kubectl"):
        for word, following in pairwise(words):
            if word in KINDS:
                assert following in names[KINDS[word]], words
            if word == "exec":
                pod = following if following != "-i" else words[words.index("-i") + 1]
                stateful = PODS.fullmatch(pod)
                assert pod == "boreal-driver" or stateful[1] in names["StatefulSet"], words
            if word in ("-k", "-f"):
                assert (ROOT / following).exists(), words


def test_every_folder_that_kustomize_is_given_is_there():
    folders = re.findall(r"kubectl kustomize (\S+)", GUIDE.read_text())
    assert folders
    assert all((ROOT / folder / "kustomization.yaml").exists() for folder in folders)


def test_every_alert_rule_is_in_the_guide_and_leads_to_its_runbook():
    rules = YAML(typ="safe").load(ROOT / "k8s/observability/rules.yaml")
    severities = {
        rule["alert"]: rule["labels"]["severity"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    runbook = set(re.findall(r"^### (\w+)$", (ROOT / "docs/observability.md").read_text(), re.MULTILINE))
    rows = re.findall(r"^\| \[(\w+)\]\(observability\.md#(\w+)\) \| (\w+) \|", GUIDE.read_text(), re.MULTILINE)
    assert {name: severity for name, _, severity in rows} == severities
    assert all(name in runbook and anchor == name.lower() for name, anchor, _ in rows)
