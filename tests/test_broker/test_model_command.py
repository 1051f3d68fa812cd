import json
import shutil

import pytest
from typer.testing import CliRunner

from broker.commands.model import app
from classifiers.bundle import MANIFEST, Bundle, default_bundle_path, file_sha256
from classifiers.evaluation import EVALUATION


@pytest.fixture
def broken(tmp_path):
    """A bundle with one byte changed."""
    path = shutil.copytree(default_bundle_path(), tmp_path / "broken")
    name = next(iter(Bundle.load(path).manifest.files))
    content = (path / name).read_bytes()
    (path / name).write_bytes(content + b"\n")
    return path


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200", "TERM": "dumb"})


def test_info_shows_members_classes_training_set_and_scores():
    bundle = Bundle.load(default_bundle_path())
    shown = run("info")
    assert shown.exit_code == 0
    for word in (bundle.version, bundle.sha256, "recurrent", "trees", "M-dwarf flare", "simulator", "AUC"):
        assert word in shown.output


def test_info_as_json_is_the_manifest():
    shown = run("info", default_bundle_path(), "--json")
    assert shown.exit_code == 0
    manifest = json.loads(shown.output)
    bundle = Bundle.load(default_bundle_path())
    assert manifest.pop("sha256") == bundle.sha256
    assert manifest == bundle.manifest.model_dump(mode="json")


def test_verify_says_that_a_whole_bundle_is_whole():
    shown = run("verify", default_bundle_path())
    assert shown.exit_code == 0
    assert Bundle.load(default_bundle_path()).sha256 in shown.output


def test_verify_fails_on_a_changed_file(broken):
    shown = run("verify", broken)
    assert shown.exit_code == 1
    assert "SHA-256" in shown.stderr
    assert "Traceback" not in shown.output


@pytest.mark.parametrize("name", ["neighbours.npz", EVALUATION])
def test_verify_loads_what_only_some_commands_read(name, tmp_path):
    path = shutil.copytree(default_bundle_path(), tmp_path / "odd")
    (path / name).write_bytes(b"nothing of that kind")
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"][name] = file_sha256(path / name)
    (path / MANIFEST).write_text(json.dumps(manifest))
    assert run("info", path).exit_code == 0
    shown = run("verify", path)
    assert shown.exit_code == 1
    assert name in shown.stderr
    assert "Traceback" not in shown.output


def test_verify_fails_on_a_directory_that_is_no_bundle(tmp_path):
    shown = run("verify", tmp_path)
    assert shown.exit_code == 1
    assert "manifest.json" in shown.stderr
    assert "Traceback" not in shown.output


@pytest.mark.parametrize("command", ["info", "verify"])
def test_help_has_an_example(command):
    assert f"Example: boreal model {command}" in run(command, "--help").output
