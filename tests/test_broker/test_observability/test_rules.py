"""The alert rules: complete, told of in the runbook, and each fires when it should and only then."""

import re
import subprocess

import pytest
from ruamel.yaml import YAML

from broker.local.prometheus import program

TESTS = ("rules-test.yaml", "rules-test-days.yaml")


def test_each_rule_says_how_bad_it_is_and_what_happened(rules):
    for name, rule in rules.items():
        assert re.fullmatch(r"Boreal([A-Z][a-z]+)+", name)
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}


def test_each_rule_asks_for_metrics_that_there_are_by_labels_that_they_have(rules, asked):
    assert {name: asked(rule["expr"]).unknown for name, rule in rules.items() if asked(rule["expr"]).unknown} == {}


def test_texts_name_labels_that_the_expression_leaves(rules, asked):
    for rule in rules.values():
        named = {label for text in rule["annotations"].values() for label in re.findall(r"\$labels\.(\w+)", text)}
        assert named <= asked(rule["expr"]).known
        if re.match(r"(sum|histogram_quantile|min_over_time)", rule["expr"]):
            by = re.search(r"by \(([^)]*)\)", rule["expr"])
            assert by
            assert named <= {label.strip() for label in by[1].split(",")}


def test_the_runbook_has_a_heading_for_each_rule_and_none_too_many(rules, folder):
    page = (folder.parents[1] / "docs" / "observability.md").read_text()
    assert re.findall(r"^### (Boreal\w+)$", page, re.MULTILINE) == list(rules)
    links = {name: rule["annotations"]["runbook_url"] for name, rule in rules.items()}
    assert links == {name: f"docs/observability.md#{name.lower()}" for name in rules}


def test_each_runbook_entry_says_how_bad_it_is_and_what_to_do(rules, folder):
    page = (folder.parents[1] / "docs" / "observability.md").read_text()
    for name, rule in rules.items():
        entry = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
        assert entry
        assert entry[1].lstrip().startswith(f"*{rule['labels']['severity']}* ")
        for part in ("**Means**", "**Look**", "**Do**", "**Harmless**"):
            assert part in entry[1], (name, part)


def test_each_rule_is_tested_both_ways(rules, folder):
    tests = [test for name in TESTS for test in YAML(typ="safe").load(folder / name)["tests"]]
    for name in rules:
        [looks] = [test["promql_expr_test"] for test in tests if re.match(rf"{name}\b", test["name"])]
        assert all(f'alertname="{name}"' in look["expr"] for look in looks)
        assert {bool(look["exp_samples"]) for look in looks} == {True, False}


@pytest.mark.slow
@pytest.mark.usefixtures("prometheus_programs")
@pytest.mark.parametrize("arguments", [("check", "rules", "rules.yaml"), *(("test", "rules", name) for name in TESTS)])
def test_promtool_finds_nothing_wrong(folder, arguments):
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
