"""What the image is made of, read from its recipe; `test_image.py` builds and runs it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "k8s/image/Dockerfile").read_text()


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage, by its name; the last one is called ``final``."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", RECIPE, flags=re.MULTILINE))
    found: dict[str, list[tuple[str, str]]] = {"": []}
    for line in filter(None, text.splitlines()):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found[rest.partition(" AS ")[2] or "final"] = []
        found[list(found)[-1]].append((instruction, rest.strip()))
    return found


STAGES = stages()


def of(stage: str, instruction: str) -> list[str]:
    return [rest for each, rest in STAGES[stage] if each == instruction]


def test_the_base_is_given_by_an_argument_and_has_a_version():
    (base,) = of("", "ARG")
    assert re.fullmatch(r"BASE=docker\.io/library/debian:\d+\.\d+-slim", base)
    assert of("system", "FROM") == ["${BASE} AS system"]
    assert ":latest" not in RECIPE


def test_each_stage_stands_on_one_before_it_and_the_last_on_the_system_alone():
    assert list(STAGES) == ["", "system", "packages", "own", "final"]
    assert of("packages", "FROM") == ["system AS packages"]
    assert of("own", "FROM") == ["packages AS own"]
    assert of("final", "FROM") == ["system"]


def test_it_runs_as_a_user_with_a_number_who_owns_nothing():
    assert of("final", "USER") == ["10001:10001"]
    assert "--gid 10001" in of("system", "RUN")[0]
    assert "--uid 10001" in of("system", "RUN")[0]
    assert "chown" not in RECIPE


def test_it_starts_the_launcher():
    assert of("final", "ENTRYPOINT") == ['["/opt/boreal/launch"]']


def test_what_runs_is_copied_from_the_stages_that_build_and_nothing_else_is_installed():
    assert of("final", "COPY") == ["--from=packages /opt/boreal /opt/boreal", "--from=own /own /"]
    assert of("final", "RUN") == []
    (installs,) = of("system", "RUN")
    packages = re.search(r"--no-install-recommends\s+([^&]+)&&", installs)
    assert packages
    assert set(packages[1].split()) == {"openjdk-17-jre-headless", "python3", "libgomp1", "tini"}


def test_packages_come_from_the_lock_file_by_their_hashes():
    installs = [line for line in of("packages", "RUN") if " install " in line and "pip" in line]
    assert [("--require-hashes" in line, "-r requirements.lock" in line) for line in installs] == [(True, True)]
    assert "requirements-dev" not in RECIPE
    assert not re.search(r"pip[^&]*\b(torch|train|dev)\b", RECIPE)


def test_training_is_taken_out_again():
    assert "rm -r training" in of("own", "RUN")[0]


def test_the_connector_lies_among_sparks_archives_and_compiled_code_in_the_image():
    assert any("fetched(KAFKA_CONNECTOR)" in line for line in of("own", "RUN"))
    assert any('cp tmp/archives/*/*.jar "own/$packages/pyspark/jars/"' in line for line in of("own", "RUN"))
    (compiles,) = (line for line in of("own", "RUN") if "boreal warm-up" in line)
    assert compiles.endswith("cp -r /var/cache/numba /opt/boreal/warm/numba")


def test_compiled_code_is_for_a_kind_of_processor_that_is_named():
    assert {"CPU=x86-64-v3", "CPU_FEATURES=+avx2,+fma"} == set(of("system", "ARG"))
    (environment,) = of("system", "ENV")
    assert {"NUMBA_CPU_NAME=${CPU}", "NUMBA_CPU_FEATURES=${CPU_FEATURES}"} <= set(environment.split())


@pytest.mark.parametrize("copied", [line for stage in ("packages", "own") for line in of(stage, "COPY")])
def test_what_is_copied_in_is_there_and_let_through(copied):
    *given, _ = (word for word in copied.split() if not word.startswith("--"))
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    for path in given:
        assert (ROOT / path).exists()
        assert any(path == rule[1:] or path.startswith(rule[1:] + "/") for rule in rules if rule.startswith("!"))


def test_tests_and_secrets_stay_away_from_the_build():
    rules = set((ROOT / ".dockerignore").read_text().split())
    assert not {"!tests", "!docs", "!.git", "!examples", "!benchmarks"} & rules
