"""Fixtures of the broker's tests: the example filters, processed real packets, annotation columns, live runs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from broker.annotate import schema_for
from broker.filters.definition import Filter, load_filters
from broker.pipeline import Outcome, process
from broker.run_directory import RunDirectory
from classifiers.bundle import Bundle, save
from classifiers.taxonomy import TAXONOMY
from schemas.annotation import annotation_schema, column
from schemas.packets import packets
from schemas.registry import BundledRegistry


@pytest.fixture(scope="session")
def filters(examples_dir: Path, bundle: Bundle) -> tuple[Filter, ...]:
    return load_filters(examples_dir / "filters", schema_for(bundle.manifest))


@pytest.fixture(scope="session")
def outcomes(
    sample_packets: list[tuple[str, bytes]], registry: BundledRegistry, bundle: Bundle, filters: tuple[Filter, ...]
) -> list[Outcome]:
    """Three micro-batches of real packets; the last repeats one of the first and holds two broken ones."""
    third = [*sample_packets[20:], sample_packets[3], ("broken/empty", b""), ("broken/noise", b"\x01noise")]
    batches = [sample_packets[:10], sample_packets[10:20], third]
    return [process(packets(batch), registry, bundle, filters) for batch in batches]


@pytest.fixture(scope="session")
def annotation_columns() -> pa.Schema:
    """The annotation columns of a bundle that knows every class and has two features."""
    classes = [column(node.column, pa.float64(), "", node.name) for node in TAXONOMY if node.column]
    features = [column(name, pa.float32(), "nJy", "largest flux") for name in ("flux_max_g", "flux_max_r")]
    return annotation_schema(classes, features)


MakeBundle = Callable[..., Path]

BOREAL = Path(sys.executable).with_name("boreal")
PATIENCE_SECONDS = 300
JAVA_TRACE = re.compile(r"^\s+at [\w.$/]+\(|\borg\.apache\.|Caused by:", re.MULTILINE)


class LiveRun:
    """A run in a folder of its own, driven as a person drives it: with a configuration file and the command line.

    Parameters
    ----------
    folder : for the configuration, the filters and the results.
    secrets : what no command may print.
    config : keys of the configuration.
    """

    def __init__(self, folder: Path, secrets: tuple[str, ...] = (), **config: Any) -> None:
        self.folder, self.secrets, self.keys = folder, secrets, config
        self.file, self.out, self.log = folder / "run.yaml", folder / "out", folder / "run.log"
        self.environment: dict[str, str] = {}
        self.job: subprocess.Popen[bytes] | None = None
        self.configure()

    def configure(self, **keys: Any) -> None:
        """Write the configuration anew, with these keys in place of those it had."""
        self.keys |= keys
        defaults = {"to": "out", "spark": {"master": "local[2]"}, "poll_seconds": 0.2}
        self.file.write_text(json.dumps(defaults | self.keys))

    def boreal(self, *arguments: object, code: int = 0) -> str:
        """Run a command; give what it printed. No trace of a program and no password may be in it."""
        done = subprocess.run(
            [BOREAL, *map(str, arguments)],
            env=self._environment(), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        printed = self._fit_to_read(done.stdout + done.stderr)
        assert done.returncode == code, printed
        return printed

    def once(self, code: int = 0) -> str:
        """Take what is there now."""
        return self.boreal("run", self.file, "--once", code=code)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the run working; end it when the block ends, where it hasn't ended itself."""
        with self.log.open("wb") as log:
            self.job = subprocess.Popen(
                [BOREAL, "run", self.file], env=self._environment(), stdout=log, stderr=log, process_group=0
            )
        try:
            yield
        finally:
            if self.job.poll() is None:
                self.terminate()

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait while the run works."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.job
            assert self.job.poll() is None, self.printed()
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.printed()}"
            time.sleep(0.1)

    def wait_for_the_end(self) -> int:
        """The exit code of a run that ends by itself."""
        assert self.job
        return self.job.wait(PATIENCE_SECONDS)

    def terminate(self) -> int:
        """Send SIGTERM; give the exit code."""
        assert self.job
        self.job.send_signal(signal.SIGTERM)
        return self.job.wait(PATIENCE_SECONDS)

    def printed(self) -> str:
        """What the working run has printed."""
        return self._fit_to_read(self.log.read_text(errors="replace"))

    def books(self) -> dict[str, Any]:
        """The ledger; empty before the first micro-batch."""
        file = self.out / "ledger.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def messages(self) -> int:
        """Kafka messages in the books."""
        return sum(counts["messages"] for counts in self.books().get("partitions", {}).values())

    def pages(self) -> list[dict[str, Any]]:
        """The books, a micro-batch each."""
        return [json.loads(line) for line in (self.out / "batches.jsonl").read_text().splitlines()]

    def reconciled(self, *options: str) -> dict[str, Any]:
        """The comparison of Kafka, ledger, table, dead-letter and topics, which must find no difference."""
        printed = self.boreal("reconcile", self.file, "--json", "--deliveries", *options)
        found, _ = json.JSONDecoder().raw_decode(printed, printed.index("{\n"))  # progress is printed, too
        assert found["differences"] == 0, found
        return dict(found)

    def table(self, schema: pa.Schema) -> dict[str, dict[str, Any]]:
        """Rows of the annotation table by origin, in these columns and types."""
        from broker.config import load_config
        from broker.tables import table_of

        config = load_config(self.file)
        parts = [part.cast(schema) for part in table_of(config, RunDirectory(config.to)).rows(schema.names)]
        return {row["origin"]: row for row in pa.concat_tables(parts).to_pylist()}

    def files_with(self, secret: str) -> list[Path]:
        """Files of the run in which a text stands, the configuration and the filters included."""
        return [path for path in self.folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "COLUMNS": "200", **self.environment}

    def _fit_to_read(self, printed: str) -> str:
        assert not [secret for secret in self.secrets if secret in printed], "a password was printed"
        assert "Traceback" not in printed, printed
        assert not JAVA_TRACE.search(printed), printed
        return printed


@pytest.fixture(scope="session")
def live_run() -> type[LiveRun]:
    return LiveRun


@pytest.fixture(scope="session")
def kafka_records() -> Callable[..., pa.RecordBatch]:
    """Make records as Spark's connector gives them, of payloads at offsets that follow one another."""

    def make(
        payloads: Sequence[bytes | None], topic: str = "alerts", partition: int = 0, first: int = 0
    ) -> pa.RecordBatch:
        n = len(payloads)
        columns = {
            "topic": pa.array([topic] * n, pa.utf8()),
            "partition": pa.array([partition] * n, pa.int32()),
            "offset": pa.array(range(first, first + n), pa.int64()),
            "timestamp": pa.array(range(1_750_000_000_000, 1_750_000_000_000 + n), pa.int64()),
            "value": pa.array(payloads, pa.binary()),
        }
        return pa.RecordBatch.from_pydict(columns)

    return make


@pytest.fixture(scope="session")
def prometheus_programs() -> None:
    """See that there are Prometheus and promtool; a test that needs them is skipped where they can't be had."""
    from broker.errors import RunFailedError
    from broker.local.prometheus import program

    try:
        program("prometheus")
    except RunFailedError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def make_bundle(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> MakeBundle:
    """Write a bundle with the shipped one's files and these entries of the manifest; give its directory."""

    def make(**changes: Any) -> Path:
        path = tmp_path_factory.mktemp("bundle")
        manifest = {**bundle.manifest.model_dump(mode="json"), **changes}
        files = {manifest["novelty"]["file"], *(file for member in manifest["members"] for file in member["files"])}
        files |= {manifest[name]["file"] for name in ("neighbours",) if name in manifest}
        for name in files:
            shutil.copyfile(bundle.path / name, path / name)
        given = {key: value for key, value in manifest.items() if key not in ("format_version", "files")}
        save(path, given, tuple(sorted(files)))
        return path

    return make


@pytest.fixture(scope="session")
def candidate(make_bundle: MakeBundle, bundle: Bundle) -> Path:
    """The same members, weighed and calibrated otherwise."""
    members = [entry.model_dump(mode="json") for entry in bundle.manifest.members]
    for entry, weight in zip(members, (0.2, 0.6, 0.2), strict=True):
        entry["weight"] = weight
    temperatures = [[[each] * 3] * 2 for each in (1.4, 1.3, 1.2, 1.1, 1.1)]
    biases = [[0.0] * len(bundle.classes)] * len(temperatures)
    calibration = {"days": [2.0, 8.0, 32.0, 128.0], "temperatures": temperatures, "biases": biases}
    return make_bundle(name="second", version="2", members=members, calibration=calibration)
