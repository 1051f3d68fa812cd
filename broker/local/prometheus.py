"""A real Prometheus on this machine, for tests and the demo."""

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from broker.errors import RunFailedError
from broker.local._debian import unpacked
from broker.local._ports import free_ports
from broker.local._process import tied_to_this_process

START_SECONDS = 60
STOP_SECONDS = 30
ANSWER_SECONDS = 30

JOB = "boreal-metrics"
"""What the rules and the dashboard expect Boreal's targets to be called, as the Service in Kubernetes is."""


def program(name: str) -> Path:
    """``prometheus`` or ``promtool``: that of the path, else of Debian's package, which the first call fetches.

    Raises
    ------
    RunFailedError
        If there is none and it can't be fetched.
    """
    found = shutil.which(name)
    return Path(found) if found else unpacked("prometheus") / "usr" / "bin" / name


class LocalPrometheus:
    """A server that listens on 127.0.0.1; used as a context, or with `start` and `stop`.

    Parameters
    ----------
    directory : for data, settings and log; made where missing.
    targets : ``host:port`` of what is scraped.
    rules : files of rules.
    seconds : between two scrapes, and between two evaluations of the rules.

    Attributes
    ----------
    url : where it is reached, by a browser too.
    """

    def __init__(self, directory: Path, targets: Sequence[str], rules: Sequence[Path] = (), seconds: int = 5) -> None:
        self._directory = directory.resolve()
        self._log_file = self._directory / "prometheus.log"
        self._settings = _settings(targets, rules, seconds)
        self._address = f"127.0.0.1:{free_ports(1)[0]}"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://{self._address}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises
        ------
        RunFailedError
            If it can't be fetched, or doesn't come up; with the end of its log.
        """
        command = [*tied_to_this_process(), str(program("prometheus")), *self._options()]
        self._directory.mkdir(parents=True, exist_ok=True)
        # JSON is YAML, too.
        (self._directory / "prometheus.yml").write_text(json.dumps(self._settings, indent=2), encoding="utf-8")
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # Prometheus
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_for_an_answer()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Have it stop in order, and wait for that; nothing to do where it doesn't run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now: ``{"metric": labels, "value": [time, text]}``."""
        return list(self.ask("query", query=expression)["result"])

    def query_range(self, expression: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The series that it gives between two times [s since 1970, UTC]: ``{"metric": labels, "values": [...]}``."""
        return list(self.ask("query_range", query=expression, start=start, end=end, step=step)["result"])

    def wait_for(self, expression: str, seconds: float = START_SECONDS) -> list[dict[str, Any]]:
        """The series that an expression gives, as soon as it gives any.

        Raises
        ------
        RunFailedError
            If it gives none within this time.
        """
        deadline = time.monotonic() + seconds
        while not (found := self.query(expression)):
            if time.monotonic() > deadline:
                raise RunFailedError(f"Prometheus had nothing for {expression} within {seconds} s")
            time.sleep(0.2)
        return found

    def ask(self, call: str, **parameters: object) -> dict[str, Any]:
        """The data that one of the calls of its API gives, such as ``targets`` or ``rules``.

        Raises
        ------
        RunFailedError
            If it refuses, with the reason: an expression that is wrong, say.
        """
        url = f"{self.url}/api/v1/{call}?{urlencode(parameters)}"
        try:
            with urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  # the address is made above
                return dict(json.load(answer)["data"])
        except HTTPError as refused:
            raise RunFailedError(f"Prometheus refuses {call} {parameters}: {refused.read().decode()}") from None

    def _options(self) -> list[str]:
        return [
            f"--config.file={self._directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._directory / 'data'}",
            f"--web.listen-address={self._address}",
            "--log.level=warn",
        ]

    def _wait_for_an_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                tail = "\n".join(self._log_file.read_text(errors="replace").splitlines()[-10:])
                raise RunFailedError(f"Prometheus doesn't come up; the end of {self._log_file}:\n{tail}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        with suppress(OSError), urlopen(f"{self.url}/-/ready", timeout=ANSWER_SECONDS):  # noqa: S310  # as above
            return True
        return False


def _settings(targets: Sequence[str], rules: Sequence[Path], seconds: int) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": f"{seconds}s", "evaluation_interval": f"{seconds}s"},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": [
            {"job_name": JOB, "scrape_timeout": f"{seconds}s", "static_configs": [{"targets": list(targets)}]}
        ],
    }
