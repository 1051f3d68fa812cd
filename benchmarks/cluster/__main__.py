"""The command: deploy, do one thing after another to it while packets flow, hold the books against what was sent."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.cluster.deployment import BROKERS, NAMESPACE, ROOT, TOPIC, deploy
from benchmarks.cluster.flow import Sender
from benchmarks.cluster.kubectl import ClusterError, Kubectl
from benchmarks.cluster.scenarios import SCENARIOS, Facts, Trial
from benchmarks.cluster.stream import Stream

console = Console(stderr=True, highlight=False)


def main(
    folder: Annotated[Path, typer.Argument(help="For volumes and evidence.")],
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(SCENARIOS)}; may be repeated.")] = None,
    packets: Annotated[int, typer.Option(min=50, help="Of each scenario.")] = 600,
    rate: Annotated[float, typer.Option(help="Packets per second.")] = 15,
) -> None:
    """Run the broker in a cluster and do things to it; exit with 1 if anything was lost or doubled."""
    unknown = set(only or ()) - SCENARIOS.keys()
    if unknown:
        raise typer.BadParameter(f"no such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    kubectl = Kubectl(NAMESPACE)
    console.print("applying spark-scheduler-dev")
    try:
        stream = Stream(kubectl, deploy(folder))
        console.print(f"up after {stream.wait_until_up():.0f} s")
        trial = Trial(stream, Sender(BROKERS, TOPIC, ROOT / "tests" / "data" / "packets", rate), packets)
        outcomes = {name: _tried(name, trial, folder / "evidence") for name in only or SCENARIOS}
    finally:
        kubectl.keep_logs(folder / "evidence")
    console.print(_table(outcomes))
    typer.echo(f"differences {sum(each['differences'] for each in outcomes.values())}")
    raise typer.Exit(any(each["differences"] for each in outcomes.values()))


def _tried(name: str, trial: Trial, evidence: Path) -> Facts:
    """One scenario, and the books after it; a failure is told and counts as a difference."""
    console.print(f"[bold]{name}[/]: {SCENARIOS[name].__doc__}")
    try:
        facts = SCENARIOS[name](trial)
        trial.stream.wait_until_up()
        found = trial.stream.ask("reconcile", "/etc/boreal/run.yaml", "--deliveries")
    except ClusterError as error:
        facts, found = {"failed": str(error)}, {"differences": 1, "topics": []}
    trial.kubectl.keep_logs(evidence / name)
    facts |= _books(trial, found)
    (evidence / name / "facts.json").write_text(json.dumps({**facts, "reconcile": found}, indent=2))
    console.print(f"  {_line(facts)}")
    return facts


def _books(trial: Trial, found: dict[str, Any]) -> Facts:
    """The ledger against what was sent in all, and against what is there."""
    total, sent = trial.stream.total, trial.sender.sent
    off = (
        abs(total.received - sent.packets),
        abs(total.annotated - sent.alerts),
        abs(total.duplicates - sent.repeated),
        abs(total.dead_lettered - sent.corrupt),
    )
    return {
        "received": total.received,
        "repeated messages": sum(topic["repeats"] for topic in found["topics"]),
        "differences": found["differences"] + sum(off),
    }


def _table(outcomes: dict[str, Facts]) -> Table:
    table = Table("scenario", "what happened", "received so far", "differences")
    for name, facts in outcomes.items():
        told = {key: value for key, value in facts.items() if key not in {"received", "differences"}}
        table.add_row(name, _line(told), f"{facts['received']:,}", str(facts["differences"]))
    return table


def _line(facts: Facts) -> str:
    return ", ".join(f"{key} {value}" for key, value in facts.items())


if __name__ == "__main__":
    typer.run(main)
