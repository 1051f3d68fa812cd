"""Java archives that don't come with pyspark, fetched once with the Ivy that does."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from broker._kept import kept
from broker.errors import JavaMissingError, RunFailedError


@dataclass(frozen=True)
class Archives:
    """Java archives that are used together.

    Parameters
    ----------
    name : of the folder that keeps them; holds the version.
    title : what they are, for messages.
    modules : organisation, name and version of what is wanted, with all that it needs.
    proof : an archive that must be among them.
    ships_with_spark : leave out what pyspark has itself.
    """

    name: str
    title: str
    modules: tuple[tuple[str, str, str], ...]
    proof: str
    ships_with_spark: bool = False


KAFKA_BROKER = Archives(
    "kafka-4.2.0",
    "Kafka 4.2.0",
    # Kafka's own list names no logger, and without one the broker says nothing about what went wrong.
    (("org.apache.kafka", "kafka_2.13", "4.2.0"), ("org.slf4j", "slf4j-simple", "1.7.36")),
    "kafka_2.13-4.2.0.jar",
)

KAFKA_CONNECTOR = Archives(
    "spark-kafka-4.2.0",
    "Spark's Kafka connector 4.2.0",
    (("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.2.0"),),
    "spark-sql-kafka-0-10_2.13-4.2.0.jar",
    ships_with_spark=True,
)


def java() -> str:
    """The `java` to run: of JAVA_HOME, else of the path; raises a `JavaMissingError` where there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else None
    found = found or shutil.which("java")
    if not found:
        raise JavaMissingError(
            "Kafka and Spark need Java 17, and there is no `java` on the path nor in JAVA_HOME; "
            "on Debian: apt-get install openjdk-17-jre-headless"
        )
    return found


def fetched(wanted: Archives, cache: Path | None = None) -> Path:
    """The folder with the archives; the first call fetches them, some 10 to 50 MB.

    Parameters
    ----------
    wanted : which.
    cache : folder to keep them in; without it BOREAL_CACHE, else ``boreal`` in XDG_CACHE_HOME or ``~/.cache``.

    Raises
    ------
    JavaMissingError
        If there is no Java to fetch them with.
    RunFailedError
        If they can't be fetched.
    """
    return kept(wanted.name, lambda folder: _fetch(wanted, folder), cache)


def with_spark(wanted: Archives) -> bool:
    """Whether the archives lie among Spark's own, where every Java process of Spark finds them, as in an image."""
    return (_ivy().parent / wanted.proof).exists()


def _fetch(wanted: Archives, folder: Path) -> None:
    with TemporaryDirectory(prefix=".ivy-", dir=folder) as work:
        order = Path(work, "ivy.xml")
        order.write_text(_order(wanted), encoding="utf-8")
        command = [
            java(), "-jar", str(_ivy()), "-ivy", str(order), "-cache", str(Path(work, "cache")), "-retrieve",
            f"{folder}/[artifact]-[revision](-[classifier]).[ext]",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # Ivy of pyspark
    if done.returncode or not (folder / wanted.proof).exists():
        place = folder.with_name(wanted.name)
        raise RunFailedError(
            f"the archives of {wanted.title} could not be fetched; this needs a Maven repository within reach, "
            f"or a copy of them from another machine in {place}. Ivy said:\n{_reasons(done.stdout + done.stderr)}"
        )
    if wanted.ships_with_spark:
        _leave_out_sparks_own(folder)


def _order(wanted: Archives) -> str:
    """What Ivy is asked for."""
    lines = [
        f'<dependency org="{org}" name="{name}" rev="{version}" conf="default->default"/>'
        for org, name, version in wanted.modules
    ]
    return f"""<ivy-module version="2.0">
  <info organisation="boreal" module="{wanted.name}"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>{"".join(lines)}</dependencies>
</ivy-module>
"""


def _leave_out_sparks_own(folder: Path) -> None:
    """A second copy of an archive, perhaps in another version, would only stand in the way of the first."""
    own = {_stem(archive) for archive in _ivy().parent.glob("*.jar")}
    for archive in folder.glob("*.jar"):
        if _stem(archive) in own:
            archive.unlink()


def _stem(archive: Path) -> str:
    """The name of an archive without its version."""
    return re.sub(r"-\d.*$", "", archive.stem)


def _ivy() -> Path:
    spec = find_spec("pyspark")
    found = sorted(Path(spec.origin).parent.glob("jars/ivy-*.jar")) if spec and spec.origin else []
    if not found:
        raise RunFailedError("Kafka's archives are fetched with the Ivy that pyspark ships, and pyspark has none here")
    return found[-1]


def _reasons(output: str) -> str:
    """The lines of Ivy that say why, at most ten."""
    lines = [line.strip() for line in output.splitlines()]
    telling = [line for line in lines if any(word in line for word in ("ERROR", "WARN", "not found", "Exception"))]
    return "\n".join((telling or lines)[-10:])
