"""The configuration of a run: a YAML file, or the options of the command line, typed and checked.

Keys are snake_case. Relative paths count from the configuration file's folder. `examples/kafka.yaml` shows every key.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator, model_validator

from broker._validation import GivenPath, Strict, findings_of, setting_text
from broker._yaml import Document, Place, YamlError, read_document
from broker.archives.inputs import GivenInput, matches
from broker.errors import WrongInputError
from broker.findings import Finding, report
from broker.kafka.run_settings import KafkaDelivery, KafkaSource
from broker.logs import LogForm
from broker.metrics.settings import MetricsSettings
from broker.object_store import is_address
from broker.secrets import Secret, without_secrets
from broker.shadow.settings import ShadowSettings


class ConfigError(WrongInputError):
    """A configuration that can't be used.

    Parameters
    ----------
    findings : everything that is wrong with it.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(report(findings))
        self.findings = tuple(findings)


class DirectorySource(Strict):
    """Packets in the files of a directory and of its folders.

    Parameters
    ----------
    path : the directory.
    pattern : the names of the files to take, like ``*.avro``; all of them if left out.
    max_files_per_batch : the most files that one micro-batch takes.
    """

    kind: Literal["directory"]
    path: GivenPath
    pattern: str | None = None
    max_files_per_batch: Annotated[int, Field(gt=0)] = 1024


class ArchivesSource(Strict):
    """Archives that are reprocessed, by `boreal reprocess`.

    Parameters
    ----------
    inputs : paths, or patterns like ``ztf_public_2018*.tar.gz``: tar archives, files and directories of packets,
        object containers, tables of packets, annotation tables; or the address of a Delta table in an object store,
        whose options are taken from the environment.
    column : in tables of packets, the column that holds them.
    origin_column : there, the column that tells where each packet came from; the number of its row if left out.
    max_packets_per_batch, max_bytes_per_batch : the most that a micro-batch takes, but one portion at least.
    max_unpacked_bytes : an archive that unpacks to more is read no further.
    """

    kind: Literal["archives"]
    inputs: Annotated[list[GivenInput], Field(min_length=1)]
    column: str = "payload"
    origin_column: str | None = None
    max_packets_per_batch: Annotated[int, Field(gt=0)] = 4096
    max_bytes_per_batch: Annotated[int, Field(gt=0)] = 512 * 2**20
    max_unpacked_bytes: Annotated[int, Field(gt=0)] = 2**40


Source = Annotated[DirectorySource | KafkaSource | ArchivesSource, Field(discriminator="kind")]
"""Where packets come from; `kind` says which."""


class SparkSettings(Strict):
    """How Spark is started.

    Parameters
    ----------
    master : Spark master URL; ``local[2]`` uses two cores of this machine.
    driver_memory : for the Java process, like ``2g``.
    extra : further Spark settings by name; they win over Boreal's own.
    """

    master: str = "local[*]"
    driver_memory: str = "2g"
    extra: dict[str, Annotated[str, BeforeValidator(setting_text)]] = Field(default_factory=dict)

    @field_validator("driver_memory")
    @classmethod
    def _is_a_size(cls, size: str) -> str:
        if not size[:-1].isdecimal() or size[-1:].lower() not in ("m", "g"):
            raise ValueError(f"{size!r} isn't a size: write a whole number and m or g, like 2g")
        return size

    @field_validator("extra")
    @classmethod
    def _are_spark_names(cls, extra: dict[str, str]) -> dict[str, str]:
        wrong = sorted(name for name in extra if not name.startswith("spark."))
        if wrong:
            raise ValueError(f"names of Spark settings begin with `spark.`, unlike {', '.join(wrong)}")
        return extra


class RegistryServer(Strict):
    """A schema registry: it is asked for schemas that don't come with Boreal.

    Parameters
    ----------
    url : its address.
    user : name to log in with; without one there is no login.
    password : where the password is found.
    ca_file : PEM file of the authorities that sign its certificate; those that Mozilla trusts if left out.
    timeout_seconds : the most that it may hold up the packets that need it.
    retry_after_seconds : how long after a failure it isn't asked again.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s@,]+$")]
    user: str | None = None
    password: Secret | None = None
    ca_file: GivenPath | None = None
    timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    retry_after_seconds: Annotated[float, Field(gt=0)] = 30.0

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together: give both, or neither")
        return self


class TableSettings(Strict):
    """The annotation table.

    Parameters
    ----------
    kind : ``parquet``, plain files that need nothing else, or ``delta``, a Delta Lake table.
    path : where a Delta table is: a directory or an object store's address (``s3://bucket/table``); the folder
        ``annotations`` of the results if left out.
    options : of the object store, by delta-rs's names; secrets don't belong here but into its environment variables.
    """

    kind: Literal["parquet", "delta"] = "parquet"
    path: str | None = None
    options: dict[str, Annotated[str, BeforeValidator(setting_text)]] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _hold_no_secret(cls, options: dict[str, str]) -> dict[str, str]:
        return without_secrets(options, "put it into the object store's environment variable")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "parquet" and (self.path or self.options):
            raise ValueError("`path` and `options` are for `kind: delta`; plain Parquet lies with the results")
        return self


class Deliver(Strict):
    """How deliveries reach subscribers.

    Parameters
    ----------
    files : write files into the results; where left out, only if nothing is delivered to Kafka.
    kafka : topics, for subscribers and for everything.
    """

    files: bool | None = None
    kafka: KafkaDelivery | None = None

    @property
    def to_files(self) -> bool:
        """Whether files are written."""
        return self.kafka is None if self.files is None else self.files


class Config(Strict):
    """The configuration of a run.

    Parameters
    ----------
    source : where packets come from.
    to : directory for the results; it is made if it doesn't exist.
    filters : directory of the subscribers' filters; none if left out.
    bundle : directory of the model bundle; the one that ships if left out.
    shadow : a second model bundle that runs beside it and delivers nothing; none if left out.
    explain : how many features each annotation says why by, in the column `explanation`; no such column if 0.
    registry : a schema registry, for packets whose schema doesn't come with Boreal; none if left out.
    deliver : how deliveries reach subscribers.
    table : the annotation table.
    remember_days : for how many days, by the alerts' own times, an alert is known to have been seen; for ever if left
        out.
    spark : how Spark is started.
    metrics : metrics and health over HTTP; none if left out.
    log : how what happens is told: ``text`` for people, ``json`` for programs, an object a line.
    poll_seconds : pause between two looks at the source while watching it; if left out, 5 for a directory and 1 for
        Kafka.
    """

    source: Source
    to: GivenPath
    filters: GivenPath | None = None
    bundle: GivenPath | None = None
    shadow: ShadowSettings | None = None
    explain: Annotated[int, Field(ge=0)] = 0
    registry: RegistryServer | None = None
    deliver: Deliver = Deliver()
    table: TableSettings = TableSettings()
    remember_days: Annotated[float, Field(gt=0)] | None = None
    spark: SparkSettings = SparkSettings()
    metrics: MetricsSettings | None = None
    log: LogForm = "text"
    poll_seconds: Annotated[float, Field(gt=0)] | None = None

    @property
    def pause(self) -> float:
        """Seconds between two looks at the source."""
        return self.poll_seconds or (5.0 if isinstance(self.source, DirectorySource) else 1.0)


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        With everything that is wrong in it, paths that don't exist included.
    """
    document, config = _read(path)
    wrong = [_at(document, place, message, hint) for place, message, hint in _wrong_paths(config)]
    if wrong:
        raise ConfigError(wrong)
    return config


def read_config(path: Path) -> Config:
    """Read a configuration file for another machine: whether its paths exist isn't asked.

    Raises
    ------
    ConfigError
        With everything else that is wrong in it.
    """
    return _read(path)[1]


def config_from_options(source: Path, to: Path, filters: Path | None = None) -> Config:
    """The configuration that ``--from``, ``--to`` and ``--filters`` ask for; relative paths count from here.

    Raises
    ------
    ConfigError
        If a path can't be used.
    """
    given = Config(source=DirectorySource(kind="directory", path=source), to=to, filters=filters)
    config = _absolute(given, Path.cwd())
    options = {"source": f"--from {source}", "to": f"--to {to}", "filters": f"--filters {filters}"}
    wrong = [Finding(options[str(place[0])], message, hint=hint) for place, message, hint in _wrong_paths(config)]
    if wrong:
        raise ConfigError(wrong)
    return config


def _read(path: Path) -> tuple[Document, Config]:
    try:
        document = read_document(path)
        config = Config.model_validate(document.data)
    except YamlError as error:
        raise ConfigError([error.finding]) from None
    except ValidationError as error:
        raise ConfigError(findings_of(document, Config, error)) from None
    return document, _absolute(config, path.absolute().parent)


def _absolute(config: Config, folder: Path) -> Config:
    """The configuration with every path counted from a folder."""

    def absolute(given: Any) -> Any:
        if isinstance(given, Path):
            return Path(os.path.normpath(folder / given))
        if isinstance(given, list):
            return [absolute(each) for each in given]
        if isinstance(given, BaseModel):
            return given.model_copy(update={name: absolute(value) for name, value in given})
        return given

    made: Config = absolute(config)
    table = made.table
    if table.path and not is_address(table.path):
        made = made.model_copy(update={"table": table.model_copy(update={"path": str(absolute(Path(table.path)))})})
    return made


def _at(document: Document, place: Place, message: str, hint: str) -> Finding:
    return document.at(place, f"{'.'.join(map(str, place))}: {message}", hint)


def _wrong_paths(config: Config) -> list[tuple[Place, str, str]]:
    """What is wrong with the paths: the key, the fault, and what to do."""
    wrong: list[tuple[Place, str | None, str]] = [
        *(_wrong_source(config.source.path, config.to) if isinstance(config.source, DirectorySource) else ()),
        *(_wrong_inputs(config.source.inputs, config.to) if isinstance(config.source, ArchivesSource) else ()),
        (
            ("filters",),
            _not_a_directory(config.filters),
            "give the directory of the filter files, or leave it out",
        ),
        (
            ("bundle",),
            _not_a_directory(config.bundle),
            "give the directory of a model bundle, or leave it out",
        ),
        (
            ("shadow", "bundle"),
            _not_a_directory(config.shadow.bundle if config.shadow else None),
            "give the directory of a model bundle, or leave `shadow` out",
        ),
        (("to",), _not_writable(config.to), "give a directory that may be written; it is made if it doesn't exist"),
    ]
    return [(place, fault, hint) for place, fault, hint in wrong if fault]


def _wrong_inputs(inputs: Sequence[Path | str], to: Path) -> list[tuple[Place, str | None, str]]:
    wrong: list[tuple[Place, str | None, str]] = []
    for number, pattern in enumerate(inputs):
        found = [path for path in matches(pattern) if isinstance(path, Path)]
        if not found and isinstance(pattern, Path):
            fault = f"nothing is at {pattern}, and it matches nothing"
            wrong.append((("source", "inputs", number), fault, "give archives, files or directories of packets"))
        mixed = next((path for path in found if to == path or path in to.parents or to in path.parents), None)
        if mixed:
            fault = f"{to} and the input {mixed} lie one in the other: results would be read as packets"
            wrong.append((("to",), fault, "give a directory of its own"))
    return wrong


def _wrong_source(source: Path, to: Path) -> list[tuple[Place, str | None, str]]:
    wrong: list[tuple[Place, str | None, str]] = [
        (("source", "path"), _not_a_directory(source), "give the directory that holds the alert packets")
    ]
    if to == source or source in to.parents:
        fault = f"{to} lies inside the source {source}: the run would read its own results"
        wrong.append((("to",), fault, "give a directory outside of the source"))
    elif to in source.parents:
        fault = f"{to} holds the source {source}: packets and results would be mixed"
        wrong.append((("to",), fault, "give a directory of its own"))
    return wrong


def _not_a_directory(path: Path | None) -> str | None:
    if path is None:
        return None
    if not path.exists():
        return f"{path} doesn't exist"
    if not path.is_dir():
        return f"{path} is a file, not a directory"
    return None if os.access(path, os.R_OK | os.X_OK) else f"{path} can't be read"


def _not_writable(path: Path) -> str | None:
    if path.exists() and not path.is_dir():
        return f"{path} is a file, not a directory"
    existing = next((parent for parent in (path, *path.parents) if parent.exists()), Path("/"))
    if not existing.is_dir():
        return f"{path} can't be made: {existing} is a file"
    return None if os.access(existing, os.W_OK | os.X_OK) else f"{path} can't be written"
