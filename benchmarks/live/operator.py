"""What an operator has beside a run: a Prometheus with the rules, and the dashboard."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from benchmarks.live.asked import Span
from benchmarks.live.drawn import draw
from broker.local._ports import free_ports
from broker.local.prometheus import LocalPrometheus

OBSERVABILITY = Path(__file__).parents[2] / "k8s" / "observability"

SCRAPED_SECONDS = 2


class Operator:
    """Watches a run from beginning to end; used as a context.

    Parameters
    ----------
    folder : for Prometheus's data, and the picture.
    tell : is given lines to show.

    Attributes
    ----------
    port : on which the run is to tell its metrics.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.port = free_ports(1)[0]
        self._picture, self._tell = folder / "dashboard.svg", tell
        target, rules = f"127.0.0.1:{self.port}", OBSERVABILITY / "rules.yaml"
        self._server = LocalPrometheus(folder / "prometheus", [target], [rules], SCRAPED_SECONDS)
        self._start = time.time()

    def __enter__(self) -> Self:
        self._tell("starting Prometheus; the first time fetches it")
        self._server.start()
        self._tell(f"metrics: http://127.0.0.1:{self.port}/metrics; alert rules and queries: {self._server.url}")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def draw(self) -> None:
        """Draw the dashboard up to now, and say where it is and which rules hold."""
        time.sleep(2 * SCRAPED_SECONDS)  # until the last micro-batch is scraped
        dashboard = json.loads((OBSERVABILITY / "dashboard.json").read_text(encoding="utf-8"))
        draw(self._server, dashboard, Span(self._start, time.time(), SCRAPED_SECONDS), self._picture)
        alerts = sorted({each["labels"]["alertname"] for each in self._server.ask("alerts")["alerts"]})
        self._tell(f"the dashboard: {self._picture}; rules that hold: {', '.join(alerts) or 'none'}")
