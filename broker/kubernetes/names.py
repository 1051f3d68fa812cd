"""Which names Kubernetes, Strimzi and Kafka can take, and what is wrong with the others."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from broker.errors import WrongInputError
from broker.filters.read import FilterRead
from broker.findings import Finding
from broker.kafka.run_settings import FILTER_PLACE

LONGEST_LABEL = 63
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
RESERVED = "kustomization"
"""A filter of this name would have the file that lists the others."""


def object_name(topic: str) -> str:
    """The name of the Kubernetes object that stands for a topic: small letters, and no underscore.

    Parameters
    ----------
    topic : Kafka's name of it.

    Raises
    ------
    WrongInputError
        If no name can be made of it.
    """
    name = topic.lower().replace("_", "-")
    if not _OBJECT.fullmatch(name):
        raise WrongInputError(
            f"the topic {topic!r} can't be an object of Kubernetes, whose names begin and end with a letter or digit; "
            "change deliver.kafka.topic in the configuration"
        )
    return name


def wrong_names(read: FilterRead, pattern: str, shared: Iterable[str]) -> Iterator[Finding]:
    """What is wrong with a filter's name, and with those of the files that it refers to.

    Parameters
    ----------
    read : a filter's file without errors.
    pattern : of subscribers' topics.
    shared : topics that belong to no subscriber.
    """
    if read.document is None or read.name is None:
        return
    if not _LABEL.fullmatch(read.name) or len(read.name) > LONGEST_LABEL or read.name == RESERVED:
        hint = (
            f"use small letters, digits and -, a letter or digit first and last, at most {LONGEST_LABEL} in all, "
            f"and not {RESERVED}"
        )
        yield read.document.at(("name",), f"{read.name!r} can't be the name of objects in Kubernetes", hint)
    topic = pattern.replace(FILTER_PLACE, read.name)
    if topic in shared:
        hint = "give the filter another name: its subscriber would be let into a topic that isn't theirs"
        yield read.document.at(("name",), f"its topic {topic} is that of deliver.kafka for all alerts", hint)
    for moc in read.mocs:
        if not _KEY.fullmatch(moc) or PurePosixPath(moc).suffix in (".yaml", ".yml"):
            hint = "put it beside the filter's file, under a name of letters, digits, dots, - and _"
            yield read.document.at(("regions",), f"{moc!r} can't be a key of a ConfigMap", hint)
