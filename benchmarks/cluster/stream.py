"""The stream in its pods: how far it is, and whether its books balance."""

import json
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.cluster.kubectl import ClusterError, Kubectl, Pod, wait_for
from broker.books import journal
from broker.books.ledger import Entry, Ledger
from broker.run_directory import RunDirectory

DRIVER = "boreal-driver"
START_SECONDS = 600
STALL_SECONDS = 300
"""A stream that takes in nothing for so long, with packets waiting, hangs."""


@dataclass(frozen=True)
class Stream:
    """Boreal's pods, and the volume that the driver writes.

    Parameters
    ----------
    kubectl : of the stream's namespace.
    volume : the folder of this machine that is the driver's volume.
    """

    kubectl: Kubectl
    volume: Path

    @property
    def total(self) -> Entry:
        """What the ledger says."""
        return Ledger.read(RunDirectory(self.volume / "run").ledger).total

    def longest_pause(self, since: int) -> float:
        """Seconds, at most, between two micro-batches that were taken in since then [ms since 1970]."""
        pages = journal.read(RunDirectory(self.volume / "run").journal)
        taken = [page.taken for page in pages if page.taken and page.taken > since]
        return max((later - earlier for earlier, later in pairwise(taken)), default=0) / 1000

    def driver(self) -> Pod | None:
        """The driver's pod, where there is one."""
        return next(iter(self.kubectl.pods("driver")), None)

    def executors(self) -> list[Pod]:
        """Pods of executors that run."""
        return [pod for pod in self.kubectl.pods("executor") if pod.phase == "Running"]

    def wait_until_up(self, executors: int = 2) -> float:
        """Seconds until the driver and so many executors are ready."""

        def there() -> bool:
            driver = self.driver()
            return bool(driver and driver.ready) and sum(pod.ready for pod in self.executors()) == executors

        return wait_for(there, f"the driver and {executors} executors", START_SECONDS)

    def wait_until_received(self, count: int) -> float:
        """Seconds until the ledger has so many alerts.

        Raises
        ------
        ClusterError
            If the stream takes in nothing any more.
        """
        started = since = time.monotonic()
        last = -1
        while (now := self.total.received) < count:
            if now > last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise ClusterError(f"the stream has taken in {now:,} of {count:,} alerts, and takes no more")
            time.sleep(0.2)
        return time.monotonic() - started

    def ask(self, *command: str) -> Any:
        """What one of Boreal's commands says as JSON, asked in the console's pod; be its answer good or bad.

        Raises
        ------
        ClusterError
            If it says nothing.
        """
        done = self.kubectl.tried("exec", "boreal-console-0", "--", "/opt/boreal/launch", *command, "--json")
        if not done.stdout:
            raise ClusterError(f"boreal {' '.join(command)} failed: {done.stderr}")
        return json.loads(done.stdout)

    def metrics(self) -> dict[str, float]:
        """What the endpoint says, asked by the Service's name: the sum of each metric over its labels."""
        with urlopen(f"http://boreal-metrics.{self.kubectl.namespace}.svc:9108/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
        return found
