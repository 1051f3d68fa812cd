"""The configuration of a run: what it may hold, and what is told when it can't be used."""

import re
import shutil
from pathlib import Path
from textwrap import dedent

import pytest
from ruamel.yaml import YAML

from broker.config import (
    Config,
    ConfigError,
    RegistryServer,
    SparkSettings,
    TableSettings,
    config_from_options,
    load_config,
)
from broker.kafka.run_settings import KafkaDelivery, KafkaSource
from broker.kafka.settings import Security
from broker.metrics.settings import MetricsSettings

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("packets", "filters", "bundle"):
        (tmp_path / name).mkdir()
    return tmp_path


MINIMAL = "source: {kind: directory, path: packets}\nto: results\n"


def load(folder: Path, text: str) -> Config:
    path = folder / "run.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_config(path)


def errors_of(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def test_two_keys_are_enough(folder: Path) -> None:
    config = load(folder, MINIMAL)
    assert config.source.kind == "directory"
    assert (config.source.path, config.source.pattern, config.source.max_files_per_batch) == (
        folder / "packets",
        None,
        1024,
    )
    assert (config.to, config.filters, config.bundle, config.pause) == (folder / "results", None, None, 5.0)
    assert (config.spark.master, config.spark.driver_memory, config.spark.extra) == ("local[*]", "2g", {})


def test_every_key(folder: Path) -> None:
    config = load(
        folder,
        f"""\
        source: {{kind: directory, path: ./packets/, pattern: "*.avro", max_files_per_batch: 7}}
        to: {folder / "else" / ".." / "results"}
        filters: filters
        bundle: ./bundle
        poll_seconds: 1
        spark:
          master: local[2]
          driver_memory: 512m
          extra: {{spark.ui.enabled: true, spark.sql.shuffle.partitions: 4, spark.app.id: x}}
        """,
    )
    assert (config.source.pattern, config.source.max_files_per_batch) == ("*.avro", 7)
    assert (config.to, config.filters, config.bundle) == (folder / "results", folder / "filters", folder / "bundle")
    assert config.poll_seconds == 1
    assert config.spark.extra == {"spark.ui.enabled": "true", "spark.sql.shuffle.partitions": "4", "spark.app.id": "x"}


def test_paths_count_from_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "run.yaml").write_text(MINIMAL)
    monkeypatch.chdir(folder.parent)
    assert load_config(Path(folder.name) / "run.yaml").source.path == folder / "packets"


WRONG = {
    "a misspelt key": (MINIMAL + "filter: filters\n", "run.yaml:3:1: unknown key 'filter'\n", "did you mean filters?"),
    "a misspelt key inside": (
        MINIMAL + "spark: {mastr: x}\n",
        "run.yaml:3:9: unknown key 'mastr'",
        "did you mean master?",
    ),
    "a key of the source": (
        "source: {kind: directory, path: packets, pth: x}\nto: r\n",
        "run.yaml:1:42: unknown key 'pth'",
        "did you mean path?",
    ),
    "camelCase": (MINIMAL + "pollSeconds: 3\n", "unknown key 'pollSeconds'", "did you mean poll_seconds?"),
    "no source": ("to: results\n", "run.yaml:1:1: the file lacks the key 'source'", ""),
    "no kind": ("source: {path: packets}\nto: r\n", "run.yaml:1:1: source lacks the key 'kind'", ""),
    "no path": ("source: {kind: directory}\nto: r\n", "run.yaml:1:1: source lacks the key 'path'", ""),
    "another kind": (
        "source: {kind: kafak, path: packets}\nto: r\n",
        "run.yaml:1:16: source.kind: must be one of 'directory', 'kafka', 'archives', not 'kafak'",
        "",
    ),
    "a path of a number": ("source: {kind: directory, path: 3}\nto: r\n", "source.path: must be", ""),
    "a source of text": ("source: packets\nto: r\n", "run.yaml:1:9: source: must be a mapping of keys to values", ""),
    "files of 0": (
        "source: {kind: directory, path: packets, max_files_per_batch: 0}\nto: r\n",
        "source.max_files_per_batch: must be greater than 0, not 0",
        "",
    ),
    "no pause": (MINIMAL + "poll_seconds: 0\n", "run.yaml:3:15: poll_seconds: must be greater than 0, not 0", ""),
    "memory without a unit": (MINIMAL + "spark: {driver_memory: '2'}\n", "'2' isn't a size", ""),
    "memory of a number": (MINIMAL + "spark: {driver_memory: 2}\n", "spark.driver_memory: must be text, not 2", ""),
    "no Spark setting": (MINIMAL + "spark: {extra: {memory: 3}}\n", "begin with `spark.`, unlike memory", ""),
    "not YAML": ("source: [\n", "run.yaml:1:10: not YAML", ""),
    "a list": ("- source\n", "run.yaml:1:1: not a YAML mapping, but a list", ""),
    "empty": ("", "run.yaml: empty", ""),
    "a source that isn't there": (
        "source: {kind: directory, path: pakets}\nto: r\n",
        "run.yaml:1:33: source.path: pakets doesn't exist",
        "give the directory that holds the alert packets",
    ),
    "a source that is a file": (
        "source:\n  kind: directory\n  path: run.yaml\nto: r\n",
        "run.yaml:3:9: source.path: run.yaml is a file, not a directory",
        "",
    ),
    "no filters": (MINIMAL + "filters: fltrs\n", "run.yaml:3:10: filters: fltrs doesn't exist", "or leave it out"),
    "no bundle": (MINIMAL + "bundle: bndl\n", "run.yaml:3:9: bundle: bndl doesn't exist", "or leave it out"),
    "results in a file": (MINIMAL.replace("results", "run.yaml"), "run.yaml:2:5: to: run.yaml is a file", ""),
    "results below a file": (
        MINIMAL.replace("results", "run.yaml/x"),
        "to: run.yaml/x can't be made: run.yaml is a file",
        "",
    ),
    "results in the source": (MINIMAL.replace("results", "packets/r"), "run would read its own results", "outside"),
    "results as the source": (MINIMAL.replace("results", "packets"), "run would read its own results", "outside"),
    "results around the source": (MINIMAL.replace("results", "."), "packets and results would be mixed", "of its own"),
}


@pytest.mark.parametrize(("text", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong(folder: Path, text: str, message: str, hint: str) -> None:
    told = errors_of(folder, text)
    assert message in told
    assert hint in told
    assert told.count("^") >= len(re.findall(r"^run\.yaml:\d+:", told, re.MULTILINE))


def test_an_error_looks_like_this(folder: Path) -> None:
    expected = """\
        run.yaml:3:1: unknown key 'pol_seconds'
          3 | pol_seconds: 3
            | ^^^^^^^^^^^
          did you mean poll_seconds?

        run.yaml:5:11: spark.master: must be text, not 3
          5 |   master: 3
            |           ^"""
    assert errors_of(folder, MINIMAL + "pol_seconds: 3\nspark:\n  master: 3\n") == dedent(expected)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml: can't be read: No such file"):
        load_config(tmp_path / "none.yaml")


def test_a_configuration_of_options(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    config = config_from_options(Path("packets"), Path("results"), Path("filters"))
    assert config == load(folder, MINIMAL + "filters: filters\n")
    assert config_from_options(Path("packets"), Path("results")).filters is None


def test_wrong_options_are_told_by_their_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError) as caught:
        config_from_options(Path("pakets"), Path("results"), Path("nothing"))
    told = str(caught.value)
    assert told.startswith(
        f"--from pakets: {folder}/pakets doesn't exist\n  give the directory that holds the alert packets"
    )
    assert f"--filters nothing: {folder}/nothing doesn't exist" in told
    with pytest.raises(ConfigError, match=r"--to packets/x: .* lies inside the source"):
        config_from_options(Path("packets"), Path("packets/x"))


@pytest.mark.parametrize("name", ["lsst", "ztf"])
def test_the_examples_can_be_used(name: str) -> None:
    config = load_config(EXAMPLES / f"{name}.yaml")
    assert config.to == EXAMPLES.parent / "build" / name
    assert config.filters == EXAMPLES / "filters"
    assert any(config.source.path.iterdir())


def test_the_live_example_shows_every_key() -> None:
    text = (EXAMPLES / "kafka.yaml").read_text()
    models = (Config, KafkaSource, Security, RegistryServer, KafkaDelivery, TableSettings, SparkSettings)
    keys = {name for model in (*models, MetricsSettings) for name in model.model_fields}
    assert [key for key in sorted(keys) if not re.search(rf"(^|[\s{{#])({key}):\s", text, re.MULTILINE)] == []


def test_the_live_example_shows_the_defaults_of_metrics() -> None:
    text = (EXAMPLES / "kafka.yaml").read_text()
    block = text[text.index("# metrics:") :].partition("\n\n")[0]
    shown = YAML(typ="safe").load(block.replace("# ", "", 1).replace("\n# ", "\n"))
    assert MetricsSettings.model_validate(shown["metrics"]) == MetricsSettings()


def test_the_example_of_elasticc_says_what_to_edit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"elasticc.yaml:8:9: source.path: .* doesn't exist(.|\n)*# edit"):
        load_config(EXAMPLES / "elasticc.yaml")
    for part in ("examples/filters", "data/elasticc"):
        (tmp_path / part).mkdir(parents=True)
    shutil.copy(EXAMPLES / "elasticc.yaml", tmp_path / "examples")
    assert load_config(tmp_path / "examples" / "elasticc.yaml").to == tmp_path / "build" / "elasticc"
