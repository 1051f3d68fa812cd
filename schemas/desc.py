"""What do DESC's own programs get? The two messages that the Dark Energy Science Collaboration asks of brokers.

`brokerClassification` (ELAsTiCC, version 0.9.1) tells the classes of an alert of any survey. `BrokerMessage` (FASTDB,
version 10.0.0) is an LSST 10.0 packet with the classes behind it, so it is made for packets of that version alone.
"""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any

import fastavro

from schemas.registry import BundledRegistry

BROKER_MESSAGE_PACKETS = 1000
"""The schema id of the LSST packets whose fields a `BrokerMessage` begins with."""

_WIRE_HEADER = 5
_OWN_FIELDS = ("brokerName", "classifierName", "classifierVersion", "classifications")


@cache
def classification_schema() -> Mapping[str, Any]:
    """The Avro schema of `brokerClassification`."""
    return BundledRegistry().by_name("elasticc.v0_9_1.brokerClassification").json


@cache
def broker_message_schema() -> Mapping[str, Any]:
    """The Avro schema of `BrokerMessage`."""
    return BundledRegistry().by_name("fastdb.v10_0_0.BrokerMessage").json


def classification_record(annotation: Mapping[str, Any], published: int, ingested: int) -> dict[str, Any]:
    """A `brokerClassification`.

    Parameters
    ----------
    annotation : a row of `schemas.annotation.annotation_schema`.
    published, ingested : when the survey sent the alert and when Boreal read it [ms since 1970, UTC].
    """
    classifier = annotation["classifier"]
    return {
        "alertId": annotation["alertId"],
        "diaSourceId": annotation["diaSourceId"],
        "elasticcPublishTimestamp": published,
        "brokerIngestTimestamp": ingested,
        "brokerName": annotation["broker"]["name"],
        "brokerVersion": annotation["broker"]["version"],
        "classifierName": classifier["name"],
        "classifierParams": f"version {classifier['version']}, bundle {classifier['bundleSha256']}",
        "classifications": _classes(annotation),
    }


def broker_message(packet: bytes, annotation: Mapping[str, Any]) -> bytes:
    """A `BrokerMessage` without header: the packet's record as it came, and the classes behind it.

    Parameters
    ----------
    packet : an LSST 10.0 packet in Confluent's wire format.
    annotation : a row of `schemas.annotation.annotation_schema`.
    """
    own = {
        "brokerName": annotation["broker"]["name"],
        "classifierName": annotation["classifier"]["name"],
        "classifierVersion": annotation["classifier"]["version"],
        "classifications": _classes(annotation),
    }
    end = BytesIO()
    fastavro.schemaless_writer(end, _own_part(), own)
    return packet[_WIRE_HEADER:] + end.getvalue()


def _classes(annotation: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"classId": c["classId"], "probability": c["probability"]} for c in annotation["classifications"]]


@cache
def _own_part() -> dict[str, Any]:
    """The last fields of a `BrokerMessage` as a record: Avro writes nothing between the fields of a record."""
    fields = [field for field in broker_message_schema()["fields"] if field["name"] in _OWN_FIELDS]
    return dict(fastavro.parse_schema({"type": "record", "name": "BrokersPart", "fields": fields}))
