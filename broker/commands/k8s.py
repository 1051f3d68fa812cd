"""`boreal k8s`: what a Kubernetes cluster is given."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from broker.commands._exit import CHECK_FAILED, GAVE_SOMETHING_WRONG, stop
from broker.commands.filter import BundlePath, schema_of
from broker.config import read_config
from broker.findings import report
from broker.kafka.run_settings import KafkaDelivery

if TYPE_CHECKING:
    from broker.kubernetes.folder import Difference

app = typer.Typer(
    help="Make the objects that a Kubernetes cluster is given.\n\n"
    "Example: `boreal k8s render filters --to generated --config run.yaml`.",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keep the name of the only command."""


@app.command()
def render(
    filters: Annotated[Path, typer.Argument(metavar="FILTERS", help="The directory of the filters.")],
    to: Annotated[Path, typer.Option(help="The folder for what is made; it holds nothing else.")],
    config: Annotated[
        Path | None,
        typer.Option(help="The stream's configuration, which names topics; without it, Boreal's own names."),
    ] = None,
    cluster: Annotated[str, typer.Option(help="Strimzi's name of the Kafka cluster.")] = "boreal",
    bundle: BundlePath = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if the folder isn't up to date.")
    ] = False,
) -> None:
    """Make of each filter its subscriber's topic and user (Strimzi), and of all of them the stream's ConfigMap.

    What belonged to filters that are gone is removed from the folder. Examples:
    `boreal k8s render filters --to generated --config run.yaml`, `boreal k8s render filters --to generated --check`.
    """
    from broker.kubernetes.folder import difference, write
    from broker.kubernetes.render import render
    from broker.kubernetes.subscriber import Delivering

    rendered = render(filters, schema_of(bundle), Delivering(_delivery(config), cluster))
    console = Console(highlight=False, soft_wrap=True)
    if rendered.warnings:
        console.print(report(rendered.warnings) + "\n", markup=False)
    change = difference(to, rendered.files)
    if not check:
        write(to, rendered.files, change)
    _tell(console, change, len(rendered.subscribers))
    if check and change:
        stop(f"{to} isn't up to date; call `boreal k8s render` without --check", CHECK_FAILED)


def _delivery(config: Path | None) -> KafkaDelivery:
    if config is None:
        return KafkaDelivery(brokers="kafka:9092")
    delivery = read_config(config).deliver.kafka
    if delivery is None:
        stop(f"{config} delivers nothing to Kafka; give one with `deliver: {{kafka: ...}}`", GAVE_SOMETHING_WRONG)
    return delivery


def _tell(console: Console, change: "Difference", subscribers: int) -> None:
    for sign, names in (("+", change.added), ("~", change.changed), ("-", change.removed)):
        for name in names:
            console.print(f"{sign} {name}", markup=False)
    counts = f"{len(change.added)} added, {len(change.changed)} changed, {len(change.removed)} removed"
    console.print(f"{subscribers} subscriber{'s' * (subscribers != 1)}: {counts}")
