"""The newest messages of the source: whether they are alerts that can be read, and when they were written."""

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

from confluent_kafka import Message

from broker.checks.check import Outcome, failed, not_checked, ok, warning
from broker.checks.subject import Subject
from broker.errors import KafkaFailedError
from broker.outgoing.registration import registry_settings
from schemas.decode import decode
from schemas.packets import packets
from schemas.registry import BundledRegistry, Registry
from schemas.remote_registry import RemoteRegistry
from schemas.wire_ids import schema_ids

FAST_CLOCK_SECONDS = 60


def newest(subject: Subject) -> Outcome:
    """The newest messages are alerts whose schemas are known."""
    messages = list(_messages(subject))
    if not messages:
        return not_checked("the topics hold no messages")
    pairs = [(f"{m.topic()}/{m.partition()}/{m.offset()}", m.value() or b"") for m in messages]
    table = packets(pairs)
    with TemporaryDirectory() as folder:
        registry = _registry(subject, Path(folder))
        if isinstance(registry, RemoteRegistry):
            registry.learn(schema_ids(table["payload"]))
        decoded = decode(table, registry)
    alerts = decoded.alerts.table.select(["survey", "schema_version"])
    kinds = sorted({f"{row['survey']} {row['schema_version']}" for row in alerts.to_pylist()})
    found = f"{len(alerts)} alerts in the newest {len(messages)} messages" + (f": {', '.join(kinds)}" if kinds else "")
    turned_away = decoded.rejects.to_pylist()
    if not turned_away:
        return ok(found)
    found += "".join(f"\n{row['origin']}: {row['reason']}" for row in islice(turned_away, 3))
    return _of_rejects(found, bool(kinds), any(row["stage"] == "schema" for row in turned_away))


def clock(subject: Subject) -> Outcome:
    """No message comes from the future."""
    stamps = [stamp for message in _messages(subject) if (stamp := message.timestamp()[1]) > 0]
    if not stamps:
        return not_checked("the topics hold no messages with a time")
    ahead = max(stamps) / 1000 - time.time()
    if ahead > FAST_CLOCK_SECONDS:
        return warning(
            f"the newest message is from {ahead:,.0f} s in the future",
            "compare this machine's clock with a time server; latencies would be wrong",
        )
    return ok(f"the newest message is from {max(0.0, -ahead):,.0f} s ago")


def _messages(subject: Subject) -> Iterable[Message]:
    return (m for found in subject.newest.values() if not isinstance(found, KafkaFailedError) for m in found)


def _registry(subject: Subject, folder: Path) -> Registry:
    """What a worker would know, with a copy of the schemas that earlier runs learned: looking leaves nothing behind."""
    server, kept = subject.config.registry, subject.run.schemas
    if server is None:
        return BundledRegistry()
    if kept.is_dir():
        copytree(kept, folder, dirs_exist_ok=True)
    return RemoteRegistry(registry_settings(server, folder))


def _of_rejects(found: str, some_good: bool, unknown_schema: bool) -> Outcome:
    remedy = "set `registry`, or see that it knows the schema" if unknown_schema else "see `source.topics`"
    return warning(found, f"such messages become dead letters; {remedy}") if some_good else failed(found, remedy)
