"""What watches a run neither stops nor disturbs it, and leaves behind what the next start goes on from."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from broker.books.ledger import Ledger
from broker.config import Config
from broker.local._ports import free_ports
from broker.metrics.figures.scores import Drift
from broker.metrics.monitor import Monitor
from broker.pipeline import Outcome


def config_of(folder: Path, metrics: dict[str, Any] | None) -> Config:
    return Config.model_validate(
        {"source": {"kind": "directory", "path": str(folder)}, "to": str(folder / "out"), "metrics": metrics}
    )


def scraped(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def test_without_metrics_nothing_is_watched(watched: Callable[..., Any], tmp_path: Path) -> None:
    run = watched()
    with Monitor(config_of(tmp_path, None), run.state.model, run.run) as monitor:
        before = list(run.committer.observers)
        monitor.attach(run.state.service)
        monitor.java(1)
        assert run.committer.observers == before
        assert monitor.pulse.unhealthy is None
    assert not run.run.metrics.exists()


def test_it_answers_from_the_start_with_the_books_of_earlier_runs(
    watched: Callable[..., Any], outcomes: list[Outcome], tmp_path: Path
) -> None:
    run, (port,) = watched(), free_ports(1)
    run.take(0, outcomes[0])
    with Monitor(config_of(tmp_path, {"port": port}), run.state.model, run.run):
        text = scraped(port)
    assert f"boreal_alerts_received_total {Ledger.read(run.run.ledger).total.received}.0" in text
    assert "boreal_ready 0.0" in text
    with pytest.raises(OSError, match=r".+"):
        scraped(port)


def test_a_tally_that_fails_is_told_once_and_stops_nothing(
    watched: Callable[..., Any],
    outcomes: list[Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    run, (port,) = watched(), free_ports(1)
    run.committer.observers.clear()

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Drift, "take", fail)
    with (
        caplog.at_level(logging.ERROR),
        Monitor(config_of(tmp_path, {"port": port}), run.state.model, run.run) as monitor,
    ):
        monitor.attach(run.state.service)
        for number, outcome in enumerate(outcomes):
            run.take(number, outcome)
        text = scraped(port)
    assert "boreal_batch_alerts_count 3.0" in text
    assert caplog.text.count("Drift can't take in a micro-batch") == 1
    remembered = json.loads(run.run.metrics.read_text())
    assert remembered["nights"].keys() == {"lsst", "ztf"}
