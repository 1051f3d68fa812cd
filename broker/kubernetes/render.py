"""From subscribers' filter files to what a cluster is given: topics, users with their rights, and the filters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
from ruamel.yaml import YAML

from broker.filters.definition import FilterError, filter_files
from broker.filters.read import FilterRead, read_file
from broker.findings import Finding
from broker.kubernetes.names import wrong_names
from broker.kubernetes.subscriber import Delivering, topic_object, user_object

CONFIG_MAP = "boreal-filters"
LARGEST_MAP = 2**20
"""Kubernetes takes no larger ConfigMap [bytes]."""

KUSTOMIZATION = "kustomization.yaml"
FILTERS, KAFKA = "filters", "kafka"

_HEADER = "# Made by `boreal k8s render`: change the filter's file, and render again.\n"


@dataclass(frozen=True)
class Rendered:
    """What a folder of rendered files holds.

    Parameters
    ----------
    files : contents by path in the folder.
    subscribers : names of the filters, sorted.
    warnings : what is doubtful about them.
    """

    files: Mapping[str, bytes]
    subscribers: tuple[str, ...]
    warnings: tuple[Finding, ...]


def render(directory: Path, schema: pa.Schema, to: Delivering) -> Rendered:
    """The files for a directory of filters; the same filters give the same bytes.

    Parameters
    ----------
    directory : where the filters are.
    schema : the annotation columns that conditions may use.
    to : what subscribers have in common.

    Raises
    ------
    FilterError
        With everything that is wrong in any of the files.
    WrongInputError
        If a topic's name can't be an object's.
    """
    reads = [read_file(file, schema) for file in filter_files(directory)]
    findings = [finding for read in reads for finding in (*read.findings, *_wrong(read, to))]
    findings += _taken(reads)
    errors = [finding for finding in findings if not finding.warning]
    if errors:
        raise FilterError(errors)
    named = sorted(reads, key=lambda read: str(read.name))
    copies = _copies(named)
    _check_size(directory, copies)
    files = {
        f"{FILTERS}/{KUSTOMIZATION}": _text(_filters_kustomization(copies)),
        **{f"{FILTERS}/{name}": content for name, content in copies.items()},
        f"{KAFKA}/{KUSTOMIZATION}": _text(_kafka_kustomization(named)),
        **{f"{KAFKA}/{read.name}.yaml": _subscriber(read, to) for read in named},
    }
    return Rendered(files, tuple(str(read.name) for read in named), tuple(findings))


def _wrong(read: FilterRead, to: Delivering) -> Iterable[Finding]:
    return wrong_names(read, to.kafka.topic, to.kafka.shared_topics)


def _taken(reads: Sequence[FilterRead]) -> list[Finding]:
    """Names that two files give."""
    first: dict[str, FilterRead] = {}
    named = [read for read in reads if read.name is not None]
    return [
        read.taken(str(holder.file))
        for read in named
        if (holder := first.setdefault(str(read.name).lower(), read)) is not read
    ]


def _copies(reads: Iterable[FilterRead]) -> dict[str, bytes]:
    """The files of the filters and of their regions, by their keys in the ConfigMap."""
    copies = {f"{read.name}.yaml": read.file.read_bytes() for read in reads}
    mocs = {moc: (read.file.parent / moc).read_bytes() for read in reads for moc in read.mocs}
    return dict(sorted({**copies, **mocs}.items()))


def _check_size(directory: Path, copies: Mapping[str, bytes]) -> None:
    size = sum(map(len, copies.values()))
    if size > LARGEST_MAP:
        message = f"the filters and their regions take {size:,} bytes, and a ConfigMap {LARGEST_MAP:,} at most"
        hint = "make the largest MOC coarser, or mount the filters from a volume"
        raise FilterError([Finding(str(directory), message, hint=hint)])


def _filters_kustomization(copies: Mapping[str, bytes]) -> dict[str, Any]:
    """A ConfigMap whose name stays: what changes in it reaches the driver's directory, and no pod starts anew."""
    generator = {"name": CONFIG_MAP, "options": {"disableNameSuffixHash": True}, "files": list(copies)}
    return {**_kustomization(), "configMapGenerator": [generator]}


def _kafka_kustomization(reads: Iterable[FilterRead]) -> dict[str, Any]:
    return {**_kustomization(), "resources": [f"{read.name}.yaml" for read in reads]}


def _kustomization() -> dict[str, Any]:
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


def _subscriber(read: FilterRead, to: Delivering) -> bytes:
    assert read.filter is not None  # noqa: S101  # a file without errors has one
    return _text(topic_object(read.filter, to), user_object(read.filter, to))


def _text(*documents: dict[str, Any]) -> bytes:
    """YAML, lists indented as people write them."""
    yaml, out = YAML(), StringIO()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.dump_all(documents, out)
    return (_HEADER + out.getvalue()).encode()
