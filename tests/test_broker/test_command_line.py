"""What a person gets who gives something wrong: a message and an exit code, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

BOREAL = Path(sys.executable).with_name("boreal")


def boreal(*arguments):
    done = subprocess.run([BOREAL, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_directory_that_doesn_t_exist(tmp_path):
    done = boreal("run", "--from", tmp_path / "nowhere", "--to", tmp_path / "out", "--once")
    assert done.returncode == 2
    assert f"{tmp_path / 'nowhere'} doesn't exist" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("pSNla > 0.5", "did you mean pSNIa"),
        ("pSNIa > 0.5 AND", "condition"),
        ("system('rm') > 1", "system"),
        ("className > 3", "className"),
    ],
)
def test_a_broken_filter_is_shown_with_its_place(tmp_path, condition, said):
    (tmp_path / "in").mkdir()
    (tmp_path / "filters").mkdir()
    (tmp_path / "filters" / "mine.yaml").write_text(f"name: mine\nowner: me\ncondition: {condition}\n")
    done = boreal("run", "--from", tmp_path / "in", "--to", tmp_path / "out", "--filters", tmp_path / "filters")
    assert done.returncode == 2
    assert "mine.yaml:3:" in done.stderr
    assert "^" in done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "give a configuration file, or both --from and --to"),
        (["run", "gone.yaml"], "gone.yaml"),
        (["ledger", "gone"], "there is no ledger at gone"),
        (["model", "info", "gone"], "expected a bundle directory at gone, found nothing"),
        (["inspect", "gone.avro"], "gone.avro"),
        (["schema", "show", "lsst.v9_0.alrt"], "lsst.v9_0.alert"),
    ],
)
def test_wrong_arguments(arguments, said):
    done = boreal(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_java_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    done = boreal("run", "--from", tmp_path / "in", "--to", tmp_path / "out", "--once")
    assert done.returncode == 2
    assert "apt-get install openjdk-17-jre-headless" in done.stderr


def test_an_unexpected_error_is_told_in_one_line(tmp_path):
    (tmp_path / "ledger.json").mkdir()
    done = boreal("ledger", tmp_path)
    assert done.returncode == 1
    assert "unexpected" in done.stderr


COMMANDS = [
    "",
    "run",
    "diff",
    "doctor",
    "export",
    "export hats",
    "export parquet",
    "ledger",
    "visits",
    "inspect",
    "version",
    "filter",
    "filter check",
    "filter fields",
    "features",
    "features list",
    "schema",
    "schema list",
    "schema show",
    "model",
    "model info",
    "model verify",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    done = boreal(*command.split(), "--help")
    assert done.returncode == 0
    if command:
        assert f"boreal {command}" in done.stdout
        assert "xample" in done.stdout
