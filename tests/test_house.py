"""What the layout promises, and no test of a package would notice."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer

from broker.commands import app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUP = PROJECT["tool"]["setuptools"]
SERVING = ("schemas", "features", "classifiers", "broker")
PACKAGES = (*SERVING, "training")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
LOCKS = ("requirements.lock", "requirements-dev.lock")
OWNERS = packages_distributions()
"""The distributions that own each top-level module."""

COMPANIONS = {"markupsafe", "pydantic-core", "cramjam", "lz4", "backports-zstd"}
"""Come with a declared dependency, as pyproject.toml says beside it."""


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normalised(re.split(r"[\[<>=;, ]", requirement)[0]) for requirement in requirements}


RUNTIME = declared(PROJECT["project"]["dependencies"])
TRAINING = declared(PROJECT["project"]["optional-dependencies"]["train"])
CATALOGUES = declared(PROJECT["project"]["optional-dependencies"]["hats"])


def imported(package: str) -> Iterator[str]:
    """The top-level modules that a package imports, at whatever depth of its code."""
    for node in (node for path in sources(package) for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def distributions(package: str) -> set[str]:
    """The distributions that a package needs, besides Python's own; `compression` is Python's from 3.14 on."""
    foreign = set(imported(package)) - set(sys.stdlib_module_names) - set(PACKAGES) - {"compression"}
    return {normalised(name) for module in foreign for name in OWNERS.get(module, [f"nobody's {module}"])}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_a_package_name(package: str) -> None:
    assert set(OWNERS[package]) == {PROJECT["project"]["name"]}


def test_no_test_folder_is_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_every_folder_with_code_is_a_listed_package() -> None:
    folders = {path.parent.relative_to(ROOT) for package in PACKAGES for path in sources(package)}
    assert sorted(".".join(folder.parts) for folder in folders) == sorted(SETUP["packages"])
    assert all((ROOT / folder / "__init__.py").exists() for folder in folders)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_other_file_is_package_data(package: str) -> None:
    found = {path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    listed = {path for pattern in SETUP["package-data"].get(package, ()) for path in (ROOT / package).glob(pattern)}
    assert sorted(found - set(sources(package)) - listed) == []


def test_importing_loads_no_model_and_no_engine() -> None:
    modules = ", ".join((*PACKAGES, "broker.commands", "broker.pipeline", "training.simulate"))
    heavy = ("pyspark", "torch", "lightgbm", "onnxruntime")
    code = f"import sys, {modules}; print(*(name for name in {heavy} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    serving = set().union(*map(distributions, SERVING))
    training = distributions("training")
    assert serving <= RUNTIME | CATALOGUES | COMPANIONS
    assert training <= RUNTIME | TRAINING
    assert serving | training >= RUNTIME | CATALOGUES | TRAINING


def locked(name: str) -> dict[str, str]:
    """Names and versions of a lock file; each entry must have a hash."""
    lines = (ROOT / name).read_text().splitlines()
    entries = [at for at, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert all("--hash=sha256:" in lines[at + 1] for at in entries)
    return dict(re.match(r"([\w.-]+)(?:\[.*\])?==(\S+)", lines[at]).groups() for at in entries)  # type: ignore[union-attr]  # a line that isn't NAME==VERSION fails the test


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text


def test_the_lock_files_hold_what_is_declared_at_the_same_versions() -> None:
    small, large = map(locked, LOCKS)
    assert set(small) >= RUNTIME
    assert set(large) >= TRAINING | declared(PROJECT["project"]["optional-dependencies"]["dev"])
    assert small.items() <= large.items()


def test_the_two_commands_are_there_and_can_be_run() -> None:
    commands = set(re.findall(r"^scripts/\w+", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert commands == {"scripts/demo", "scripts/test"}
    assert all(os.access(ROOT / command, os.X_OK) for command in (*commands, "scripts/setup", ".ci/run"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_files_that_exist(page: Path) -> None:
    tops = "|".join((*PACKAGES, "tests", "docs", "examples", "scripts"))
    named = re.findall(rf"[`(]((?:{tops})/[\w./-]*)[`)]", page.read_text())
    linked = re.findall(r"\]\(([\w./-]+)\)", page.read_text())
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []
    assert [name for name in linked if not (page.parent / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_commands_that_exist(page: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, since there are several
    for word, sub in re.findall(r"(?:`|^|; )boreal ([a-z0-9-]+)(?: ([a-z]+))?", page.read_text(), re.MULTILINE):
        assert word in commands
        assert sub in getattr(commands[word], "commands", {sub})
