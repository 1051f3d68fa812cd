"""`boreal replay-packets`: packets from files to a Kafka topic, at a chosen rate."""

import json as json_format
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from broker._signals import noted
from broker.commands._exit import GAVE_SOMETHING_WRONG, stop
from broker.config import load_config
from broker.kafka.run_settings import KafkaSource
from broker.kafka.settings import Cluster
from broker.replay_packets import Originals, packets_as_they_are, packets_to_send, read_packets

if TYPE_CHECKING:  # Kafka's client takes a while to import; other commands don't wait for it
    from broker.kafka.feed import Fed
    from broker.sources.gathered import Packet

HELP = """Send the packets in files, directories and tar archives to a Kafka topic, as they are.

With --new-ids each alert gets an id that was never sent, so that a broker doesn't take it for a duplicate: of the
packet's bytes just those of the ids change, and compressed object containers are sent uncompressed. The packets are
then held in memory. Without --rate they are sent as fast as may be; Ctrl-C ends it.

Example: `boreal replay-packets tests/data/packets --brokers localhost:9092 --topic alerts --rate 100 --repeat
--new-ids`.
"""


def replay_packets(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, directories or tar archives.")],
    topic: Annotated[str | None, typer.Option(help="The topic; from the configuration if left out.")] = None,
    brokers: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="A cluster without login.")] = None,
    config: Annotated[Path | None, typer.Option(help="A run's configuration: its Kafka source is where to.")] = None,
    rate: Annotated[float | None, typer.Option(min=1e-3, help="Packets per second, evenly.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many packets.")] = None,
    repeat: Annotated[bool, typer.Option("--repeat", help="Begin again after the last packet.")] = False,
    new_ids: Annotated[bool, typer.Option("--new-ids", help="Give the alerts ids that were never sent.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Send packets; exit 1 where Kafka doesn't take them."""
    from broker.kafka.feed import Feed

    for missing in (path for path in paths if not path.exists()):
        stop(f"{missing} doesn't exist; give files, directories or tar archives of packets", GAVE_SOMETHING_WRONG)
    cluster, to = _where(brokers, config, topic)
    with Feed(cluster, to) as feed, _progress() as bar:
        originals = _originals(paths, count, bar) if new_ids else None
        packets = _packets(paths, originals, repeat=repeat)
        total = count or (None if repeat or originals is None else len(originals.templates))
        task = bar.add_task(f"to {to}", total=total)
        with noted(signal.SIGINT) as interrupted:
            sending = takewhile(lambda _: not interrupted(), islice(packets, count))
            fed = feed.send(sending, rate, lambda sent: bar.update(task, completed=sent))
    if not fed.packets and not interrupted():
        stop(f"there are no packets in {', '.join(map(str, paths))}", GAVE_SOMETHING_WRONG)
    staying = dict(originals.staying) if originals else {}
    if json:
        told = {"topic": to, "packets": fed.packets, "bytes": fed.size, "seconds": fed.seconds, "rate": fed.rate}
        typer.echo(json_format.dumps({**told, "idsKept": staying}, indent=2))
    else:
        _tell(fed, to, rate, staying, interrupted=interrupted())


def _where(brokers: str | None, config: Path | None, topic: str | None) -> tuple[Cluster, str]:
    """The cluster and the topic that were asked for; ends the command where that isn't clear."""
    if (brokers is None) == (config is None):
        stop("give one of --brokers HOST:PORT and --config FILE", GAVE_SOMETHING_WRONG)
    cluster, topics = _configured(config) if config else (_open_cluster(str(brokers)), [])
    if topic is None and len(topics) != 1:
        known = f"; the configuration names {', '.join(topics)}" if topics else ""
        stop(f"give --topic NAME{known}", GAVE_SOMETHING_WRONG)
    return cluster, topic or topics[0]


def _configured(path: Path) -> tuple[Cluster, list[str]]:
    source = load_config(path).source
    if not isinstance(source, KafkaSource):
        stop(f"the source of {path} isn't Kafka; give --brokers HOST:PORT", GAVE_SOMETHING_WRONG)
    # The source's options are those of a reader, and some of Java's alone.
    return Cluster(brokers=source.brokers, security=source.security), source.topics or []


def _open_cluster(brokers: str) -> Cluster:
    try:
        return Cluster(brokers=brokers)
    except ValidationError:
        stop(f"--brokers {brokers}: expected HOST:PORT, or several with commas between them", GAVE_SOMETHING_WRONG)


def _originals(paths: list[Path], count: int | None, bar: Progress) -> Originals:
    from schemas.registry import BundledRegistry

    task = bar.add_task("finding the ids", total=None)
    found = bar.track(islice(read_packets(paths), count), task_id=task)
    originals = Originals.of(found, BundledRegistry())
    bar.update(task, total=len(originals.templates))
    return originals


def _packets(paths: list[Path], originals: Originals | None, *, repeat: bool) -> "Iterator[Packet]":
    if originals is None:
        return packets_as_they_are(paths, repeat=repeat)
    # The clock moves on by more numbers than a replay takes, so the next one begins with others.
    return packets_to_send(originals.templates, time.time_ns(), repeat=repeat)


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=Console(file=sys.stderr))


def _tell(fed: "Fed", topic: str, rate: float | None, staying: dict[str, int], *, interrupted: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    asked = f", {rate:,g}/s asked for" if rate else ""
    console.print(
        f"{fed.packets:,} packets ({fed.size / 1e6:,.1f} MB) to {topic} in {fed.seconds:,.1f} s: "
        f"{fed.rate:,.1f}/s{asked}" + ("; interrupted" if interrupted else "")
    )
    for reason, number in staying.items():
        console.print(f"{number:,} of the files' packets keep their ids: {reason}", markup=False)
