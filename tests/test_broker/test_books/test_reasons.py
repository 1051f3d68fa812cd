"""Reasons of dead letters by kind: those that the documentation lists are told apart, and no packet makes a new one."""

import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.books.reasons import OTHER, REASON_KINDS, count_kinds, kind_of
from broker.pipeline import process
from classifiers.bundle import Bundle
from schemas.packets import packets
from schemas.registry import BundledRegistry

PAGE = (Path(__file__).parents[3] / "docs" / "schemas.md").read_text()


def test_what_real_damage_gives_is_told_apart(
    lsst_packets: list[tuple[str, bytes]], sample_packets: list[tuple[str, bytes]], registry: BundledRegistry,
    bundle: Bundle,
) -> None:  # fmt: skip
    good, container = lsst_packets[0][1], dict(sample_packets)["ztf/v3_2_697251922015015001.avro"]
    damaged = {
        "empty": b"",
        "unknown framing": b"hello",
        "unknown schema": b"\x00\x00\x00\x99\x99" + good[5:],
        "truncated": good[:3000],
        "trailing bytes": good + b"x",
        "broken container": container[:-16] + bytes(16),
    }
    outcome = process(packets(list(damaged.items())), registry, bundle)
    found = {row["origin"]: kind_of(row["reason"]) for row in outcome.rejects.to_pylist()}
    assert found == {origin: origin for origin in damaged}


def test_every_reason_that_is_documented_has_a_kind() -> None:
    table = PAGE[PAGE.index("| reason starts with") :]
    documented = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE)[2:]))
    assert len(documented) > 12
    full = {text: text.replace("... the", "lsst 10.0 alert: missing field: the") for text in documented}
    assert [text for text, reason in full.items() if kind_of(reason) == OTHER and text != "schema"] == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("features failed with ValueError: x (survey lsst, alert 3)", "features failed"),
        ("classify failed with PanicException: x (survey ztf, alert 3)", "classification failed"),
        ("300,000,000 bytes; expected at most 268,435,456", "too large"),
        ("a damaged tar archive: 3 members could be read, then: x", "damaged archive"),
        ("can't be read: Permission denied", "unreadable file"),
        ("lsst 10.0 alert: ra is nan", "wrong value"),
        ("missing field: the lsst record has no 'diaSource'", "missing field"),
        ("ztf 3.2 alert: missing field: the record has no 'candid'", "missing field"),
        ("the sky is falling", OTHER),
    ],
)
def test_a_reason_has_its_kind(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind


@given(st.lists(st.text()))
def test_there_are_no_other_kinds_whatever_a_packet_holds(reasons: list[str]) -> None:
    column = pa.chunked_array([pa.array([text.encode("utf-8", "replace").decode() for text in reasons], pa.utf8())])
    counts = count_kinds(column)
    assert set(counts) <= set(REASON_KINDS)
    assert counts.total() == len(reasons)
    assert isinstance(counts, Counter)
