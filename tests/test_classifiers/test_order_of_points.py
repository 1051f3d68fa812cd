"""The order in which a packet or a table tells its points changes nothing: neither light curve nor answer."""

from io import BytesIO

import fastavro
import numpy as np

from classifiers.predict import predict
from features.extract import extract
from schemas.decode import decode
from schemas.packets import packets
from training.light_curves import alerts_from_plasticc, real_plasticc
from training.shipped import shipped

HEAD = 5
"""Bytes before the record in the wire format: a zero and the schema's number."""


def shuffled(packet: bytes, registry, seed: int) -> bytes:
    """An LSST packet that tells its earlier sources and forced measurements in another order."""
    schema = registry.by_id(int.from_bytes(packet[1:HEAD], "big"))
    record = fastavro.schemaless_reader(BytesIO(packet[HEAD:]), schema.parsed, None)
    rng = np.random.default_rng(seed)
    for name in ("prvDiaSources", "prvDiaForcedSources"):
        record[name] = [record[name][k] for k in rng.permutation(len(record[name] or []))] or None
    out = BytesIO()
    fastavro.schemaless_writer(out, schema.parsed, record)
    return packet[:HEAD] + out.getvalue()


def answers(given, registry, bundle):
    alerts = decode(packets(given), registry).alerts
    return alerts, predict(alerts, extract(alerts, bundle.feature_names), bundle)


def test_a_packet_of_another_order_has_the_same_light_curve_and_answer(lsst_packets, registry, bundle):
    alerts, told = answers(lsst_packets, registry, bundle)
    mixed = [(origin, shuffled(packet, registry, k)) for k, (origin, packet) in enumerate(lsst_packets)]
    others, told_others = answers(mixed, registry, bundle)
    assert alerts.light_curves.lengths.max() > 100
    assert others.table["light_curve"].equals(alerts.table["light_curve"])
    assert told.probabilities.tobytes() == told_others.probabilities.tobytes()
    assert told.novelty.tobytes() == told_others.novelty.tobytes()


def test_a_table_of_another_order_gives_the_same_light_curves():
    metadata = shipped("plasticc_metadata")
    points = shipped("plasticc_light_curves").drop(columns="mjd_is_relative")
    metadata = metadata[metadata["object_id"].isin(points["object_id"])].reset_index(drop=True)
    alerts, targets = alerts_from_plasticc(points, metadata)
    others, same = alerts_from_plasticc(points.sample(frac=1.0, random_state=1), metadata)
    assert others.table.equals(alerts.table)
    assert (targets == same).all()
    assert len(alerts) == len(real_plasticc()[0])
